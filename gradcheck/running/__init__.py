"""The author's code as it runs, and how finely it computes.

Shows ``Run``, ``compare``, ``rounding.of``, and the precisions.
"""
