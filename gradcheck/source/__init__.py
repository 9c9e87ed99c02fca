"""Files: executed, read as cells, and taken apart as syntax trees.

Shows ``cases.read``, ``cases.closure``, and the definitions that are a derivation.
"""
