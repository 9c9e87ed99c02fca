"""The engine's own tests, in the rooms of the engine."""
