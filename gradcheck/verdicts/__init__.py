"""What a failed check means: who is the odd one out, what is striking, on which numbers.

Shows ``Verdict``, and ``explain``, which makes one of a failed check.
"""
