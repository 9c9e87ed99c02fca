"""A cell step by step: every value of its forward, and every gradient by hand beside the true one.

Shows ``walk.walk``, which makes the ``Step`` and ``Row`` of rows.py for each step.
"""
