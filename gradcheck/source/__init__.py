"""Files: executed, read as cells, and taken apart as syntax trees.

Shows ``cases.read``, ``closure.closure``, and ``Listing``: which statements are a derivation.
"""
