"""The checks of a cell, and the search for an example on which one fails.

Shows ``checks``, ``Check`` and ``search``.
"""
