"""Measurements. Nothing of the application imports from here."""
