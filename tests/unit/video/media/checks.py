"""ICE connectivity checks made by hand."""

from __future__ import annotations

import hashlib
import hmac

from video.media import stun


def check(user: str, password: str = "", attributes: bytes = b"") -> bytes:
    """A binding request with user name and integrity (RFC 8489 §14.3, §14.5), made by hand."""
    name = (user + ":them").encode()
    body = b"\x00\x06" + len(name).to_bytes(2, "big") + name + bytes(-len(name) & 3) + attributes
    head = b"\x00\x01" + (len(body) + 24).to_bytes(2, "big") + stun.COOKIE + b"t" * 12
    key = (password or "password of " + user).encode()
    return head + body + b"\x00\x08\x00\x14" + hmac.new(key, head + body, hashlib.sha1).digest()
