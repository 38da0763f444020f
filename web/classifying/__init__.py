"""Suggesting a petition's type: the address intake asks, and the command that trains."""
