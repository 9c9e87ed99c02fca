"""Which line is wrong: a derivation whose lines are watched, changed, and mended.

Shows ``find`` (the wrong lines), ``proofread`` (a verdict for each) and ``suggest`` (a contract).
"""
