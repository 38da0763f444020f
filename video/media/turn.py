"""Time-limited credentials of the TURN server (the "REST API" scheme, draft-uberti-behave-turn-rest-00).

TURN server and node share a secret. Nothing is kept of a credential: the server works out the same HMAC, and refuses
it after the time that stands in the user name. So what a browser holds is worth nothing the next day.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

LIFE_S = 8 * 3600
"""Longer than any meeting: an allocation that is refreshed in the middle of one must not be refused."""


@dataclass(frozen=True)
class Turn:
    """The TURN servers of the installation (`turn:host:3478?transport=tcp`, `turns:…`) and their secret."""

    urls: tuple[str, ...]
    secret: str = field(repr=False)

    def server(self, participant_id: str, *, now: float) -> dict[str, Any]:
        """The entry for RTCPeerConnection's `iceServers`, good for this participant for some hours."""
        username = f"{int(now) + LIFE_S}:{participant_id}"
        digest = hmac.new(self.secret.encode(), username.encode(), hashlib.sha1).digest()
        return {"urls": list(self.urls), "username": username, "credential": base64.b64encode(digest).decode()}
