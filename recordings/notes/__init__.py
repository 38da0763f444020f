"""Notes: what viewers of a recording write at its moments, for each other."""
