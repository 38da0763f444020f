"""The hotline: calls written down, and people who are to be called back."""
