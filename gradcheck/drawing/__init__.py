"""Numbers for a cell: a function of sizes, a seed and a regime.

Shows ``Example``, ``inputs``, ``cotangents``, and what Hypothesis draws.
"""
