"""Identifiers: ULIDs (26 Crockford base-32 letters: 48 bits of milliseconds, 80 of chance), sortable by creation."""

import secrets

from core import clock

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """A fresh identifier, 26 characters, unguessable enough to stand in an address (never as the only lock)."""
    value = (int(clock.now().timestamp() * 1000) << 80) | secrets.randbits(80)
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


def new_code(length: int = 10) -> str:
    """A code for links on paper and in texts: no vowels and no look-alikes, so it never spells or misreads."""
    return "".join(secrets.choice("23456789bcdfghjkmnpqrstvwxz") for _ in range(length))
