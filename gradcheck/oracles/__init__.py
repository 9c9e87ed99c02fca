"""Ways to know a gradient without trusting the derivation; one module each.

Shows ``Reference``, ``Numeric`` (what needs the forward only) and ``Twin`` (autograd).
"""
