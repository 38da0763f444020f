"""As much of STUN (RFC 8489) as it takes to know whose check a datagram is; the ICE library does the rest."""

from __future__ import annotations

import hashlib
import hmac

COOKIE = b"\x21\x12\xa4\x42"
USERNAME, MESSAGE_INTEGRITY = 0x0006, 0x0008


def is_request(data: bytes) -> bool:
    """Whether this is a binding request (§5)."""
    return len(data) >= 20 and data[:2] == b"\x00\x01" and data[4:8] == COOKIE


def _attribute(data: bytes, wanted: int) -> tuple[int, int]:
    """Where an attribute's value lies and how long it is; (-1, 0) where there is none (§14)."""
    at, end = 20, min(len(data), 20 + int.from_bytes(data[2:4], "big"))
    while at + 4 <= end:
        kind, size = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        if at + 4 + size > end:
            break
        if kind == wanted:
            return at + 4, size
        at += 4 + size + (-size & 3)
    return -1, 0


def local_user(data: bytes) -> str:
    """The receiver's half of the user name (RFC 8445 §7.2.2); empty where there is none."""
    at, size = _attribute(data, USERNAME)
    return data[at : at + size].partition(b":")[0].decode("ascii", "replace") if at >= 0 else ""


def is_authentic(data: bytes, password: bytes) -> bool:
    """Whether whoever sent it knows the password (§14.5): HMAC-SHA1 over all before the attribute, with a length that
    ends behind it.
    """
    at, size = _attribute(data, MESSAGE_INTEGRITY)
    if at < 0 or size != 20:
        return False
    covered = data[:2] + at.to_bytes(2, "big") + data[4 : at - 4]
    return hmac.compare_digest(hmac.new(password, covered, hashlib.sha1).digest(), data[at : at + 20])
