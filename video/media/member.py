"""One participant of a running meeting: the person, the signalling link, the leg."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Literal

from video.media.directory import ParticipantInfo
from video.media.judgement import Line
from video.media.leg import Leg
from video.media.link import Link
from video.media.tokens import HOSTS

State = Literal["lobby", "here", "reconnecting", "left"]

GRACE_S = 45.0
"""How long someone who dropped off is still shown as coming back."""

RETURNS, RETURNS_PER_S = 20.0, 0.5
"""A browser that tries again waits longer each time: twelve returns in the first minute."""
LEGS, LEGS_PER_S = 30.0, 0.1
"""A browser gives a leg up after twelve seconds of silence; each costs keys, a handshake and a key frame."""


class Allowance:
    """So many at once, and then so many a second."""

    def __init__(self, most: float, per_s: float) -> None:
        self._left = self._most = most
        self._per_s = per_s
        self._at = 0.0

    def take(self, *, now: float) -> bool:
        """False where none is left."""
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(eq=False)
class Member:
    id: str
    info: ParticipantInfo
    admitted: bool = False
    link: Link | None = None
    leg: Leg | None = None
    view: Leg | None = None
    """Where a device sends and receives apart (WHIP, WHEP): the leg on which it receives."""
    place: str = ""
    """Which token brought the device that sits here without a link; empty for a browser."""
    legs: int = 0
    drops: int = 0
    """How often the link broke by itself."""
    dropped: bool = False
    """The leg was up and went down, and no other has come up since."""
    deaf: bool = False
    """Nothing was heard of the leg for a moment, or nothing reaches it (`silence`)."""
    told_at: float = 0.0
    """When the receiver last told of packets that reached it, and what it had been sent until then."""
    sent_then: int = 0
    deaf_at: float = float("-inf")
    """When that was so last."""
    away: bool = False
    """Nothing was heard of the leg for so long that the person counts as gone; the leg may still come back."""
    present: bool = False
    """Has joined and not left: the directory was told so."""
    failures: int = 0
    offer_at: float | None = None
    offered_at: float = 0.0
    gone_at: float | None = None
    audio: bool = True
    video: bool = True
    held: bool = False
    """The picture makes way for the sound: the camera is on, its picture is not sent."""
    line: Line = field(default_factory=Line)
    seats: dict[int, str] = field(default_factory=dict)
    _resume: bytes = b""
    _returns: Allowance = field(default_factory=lambda: Allowance(RETURNS, RETURNS_PER_S))
    _legs: Allowance = field(default_factory=lambda: Allowance(LEGS, LEGS_PER_S))

    @property
    def host(self) -> bool:
        return self.info.role in HOSTS

    @property
    def connected(self) -> bool:
        return any(leg is not None and leg.state == "up" for leg in (self.leg, self.view))

    @property
    def sending(self) -> bool:
        return self.leg is not None and self.leg.state == "up"

    @property
    def state(self) -> State:
        if not self.present:
            return "left"
        if not self.admitted:
            return "lobby"
        if self.connected and not self.away:
            return "here"
        return "reconnecting" if self.dropped or self.away or self.link is None else "here"

    def new_resume(self) -> str:
        """A secret for coming back; the one before is worth nothing from now on."""
        secret = secrets.token_urlsafe(24)
        self._resume = hashlib.sha256(secret.encode()).digest()
        return secret

    def comes_too_often(self, *, now: float) -> bool:
        """Each return reads the directory, shows everybody a change and may make a leg: no client needs so many."""
        return not self._returns.take(now=now)

    def wants_too_many_legs(self, *, now: float) -> bool:
        """Someone whose legs break again and again has a network that carries none; or means no good."""
        return not self._legs.take(now=now)

    def may_resume(self, secret: str) -> bool:
        given = hashlib.sha256(secret.encode("utf-8", "replace")).digest()
        return bool(self._resume) and hmac.compare_digest(given, self._resume)

    def shown(self) -> dict[str, object]:
        """The entry in the list of who is present."""
        return {
            "id": self.id,
            "role": self.info.role,
            "name_ar": self.info.name_ar,
            "name_en": self.info.name_en,
            "state": self.state,
            "audio": self.audio,
            "video": self.video,
            "held": self.held,
        }


def seating(current: dict[int, str], others: list[str], slots: int) -> dict[int, str]:
    """Slot index → participant: whoever has a slot keeps it, newcomers take free ones in order."""
    seats = {index: person for index, person in current.items() if person in others}
    waiting = [person for person in others if person not in seats.values()]
    for index in range(slots):
        if index not in seats and waiting:
            seats[index] = waiting.pop(0)
    return seats
