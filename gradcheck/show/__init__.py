"""Findings as text and as plain data: a failure, a proof, a score, the closing table.

Shows one ``text`` each, ``sentences.sentence``, and ``record`` for JSON.
"""
