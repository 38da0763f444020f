"""Whole days played by the real rules of the queue: a recorded day anew, or one that might be."""
