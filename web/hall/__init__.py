"""The display of the waiting hall."""
