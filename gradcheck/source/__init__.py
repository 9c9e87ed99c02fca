"""Files: executed, read as cells, and taken apart as syntax trees.

Shows ``cases.read``, ``closure.closure``, and the definitions that are a derivation.
"""
