"""The checks of a cell, and the search for an example on which one fails.

Shows ``checks``, ``Check``, ``search`` and its ``Record``, and ``Result``, what a table needs.
"""
