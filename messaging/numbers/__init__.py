"""Telephone numbers: who has shown that one is theirs, what they want to receive on it, and in which language."""
