"""Exports: a recording as a film for somebody, from asking to fetching."""
