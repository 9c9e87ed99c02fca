"""Would a mistake be seen: slips of the pen planted into a right backward.

Shows ``mutate``.
"""
