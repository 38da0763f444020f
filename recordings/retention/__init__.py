"""Retention: how long recordings are kept, what forbids their end, and their end by two people, with a certificate."""
