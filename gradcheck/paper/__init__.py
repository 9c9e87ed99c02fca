"""Equations as they stand on paper, read as cells.

Shows ``reader.read`` and ``writer.cell``.
"""
