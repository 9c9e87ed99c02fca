"""The checks of many cells over many seeds, on many processes or machines.

Shows ``Request`` and ``explore``, which ends with an ``Exploration``; crews do the work.
"""
