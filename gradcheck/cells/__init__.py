"""What is judged: a cell with its shapes and contracts, also over time, and what backward returned.

Shows ``Cell``, ``Argument``, ``Contract``, ``shapes.parse``, ``unroll`` and ``returned.gradients``.
"""
