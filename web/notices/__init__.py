"""Notices for the halls, and how a hall sounds: for a centre's manager and for the ministry."""
