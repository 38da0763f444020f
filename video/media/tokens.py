"""Tokens that let one participant join one meeting once: payload JSON and HMAC-SHA256, both base64url.

The web process mints them for someone it has authenticated, the media node reads them; both share one secret.
A token is worth one join within its short life (`nonce` is remembered by the node until `exp`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

Role = Literal["visitor", "official", "aide", "interpreter"]
ROLES: frozenset[str] = frozenset(get_args(Role))
HOSTS: frozenset[str] = frozenset({"official", "aide"})
"""Roles that are admitted by themselves, see the lobby, and admit others."""

LIFE_S = 120
FORGET_S = 7200
"""How long a nonce is remembered beyond its token's death: a clock that jumps forth and back makes none good again."""
LONGEST = 4096


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class JoinClaims:
    """Who may join what; `exp` in seconds since the epoch, 0 at minting for the usual short life."""

    meeting_id: str
    participant_id: str
    role: Role
    name_ar: str
    name_en: str
    exp: float = 0.0
    nonce: str = field(default_factory=new_nonce)


class TokenRefused(Exception):
    """The token is not good. `reason` is a close reason of the protocol: 'bad_token' or 'expired_token'."""

    def __init__(self, reason: Literal["bad_token", "expired_token"]) -> None:
        super().__init__(reason)
        self.reason = reason


def mint(secret: bytes, claims: JoinClaims, *, now: float) -> str:
    values = asdict(claims)
    if not values["exp"]:
        values["exp"] = now + LIFE_S
    payload = _encode(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode())
    return f"{payload}.{_encode(_signature(secret, payload))}"


def read(secret: bytes, token: str, *, now: float) -> JoinClaims:
    """The claims of a token signed with this secret and still alive; raises `TokenRefused` otherwise."""
    if not isinstance(token, str) or len(token) > LONGEST:
        raise TokenRefused("bad_token")
    payload, dot, signature = token.partition(".")
    try:
        given = _decode(signature)
        if not dot or not hmac.compare_digest(given, _signature(secret, payload)):
            raise TokenRefused("bad_token")
        values = json.loads(_decode(payload))
        claims = JoinClaims(**values)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise TokenRefused("bad_token") from error
    texts = (claims.meeting_id, claims.participant_id, claims.role, claims.name_ar, claims.name_en, claims.nonce)
    if not all(isinstance(text, str) for text in texts) or claims.role not in ROLES or not claims.nonce:
        raise TokenRefused("bad_token")
    if not isinstance(claims.exp, int | float) or not claims.exp > now:  # so put, NaN is expired too
        raise TokenRefused("expired_token")
    return claims


class Used:
    """Nonces already spent, forgotten some time after their tokens have expired."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def spend(self, claims: JoinClaims, *, now: float) -> bool:
        """True the first time, False for a replay."""
        if claims.nonce in self._until:
            return False
        for nonce in [nonce for nonce, until in self._until.items() if until + FORGET_S <= now]:
            del self._until[nonce]
        self._until[claims.nonce] = claims.exp
        return True


def _signature(secret: bytes, payload: str) -> bytes:
    return hmac.new(secret, b"majlis-join." + payload.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    raw = text.encode("ascii")
    return base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
