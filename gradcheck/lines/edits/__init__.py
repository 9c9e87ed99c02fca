"""Small edits of one line: what a slip of the pen could have turned it from.

Nothing here knows what is right: every edit is tried on the numbers, and most are wrong. Shows
``Edit``, the ``Material`` that edits are made of, and ``every.edits`` with what they cost.
"""
