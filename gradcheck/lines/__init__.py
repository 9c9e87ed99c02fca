"""Which line is wrong: a derivation whose lines are watched, changed, and mended.

Shows ``Blamer`` (the wrong lines of a cell), ``proofread`` (a verdict for each) and their mends.
"""
