"""Holidays and urgent cases seen from the petitions: whom they hit, where everybody goes, and that all are told."""
