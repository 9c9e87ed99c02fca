"""What must hold of every backward, whatever its numbers; no oracle is asked.

One law a module; ``every.LAWS`` has them all by name, ``every.of`` those that apply to a cell.
"""
