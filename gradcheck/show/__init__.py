"""Findings as text: a failure, a proof, the closing table.

Shows one ``text`` each.
"""
