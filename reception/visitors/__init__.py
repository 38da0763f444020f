"""Visitors: the people who come, known by one identity number each."""
