"""Verification: identity, papers and type checked by a second pair of eyes."""
