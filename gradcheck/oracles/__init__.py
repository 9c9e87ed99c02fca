"""Ways to know a gradient without trusting the derivation; one module each."""
