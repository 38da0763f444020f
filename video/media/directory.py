"""What the media node must know about meetings, and whom it tells; implemented by whoever owns the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from video.media.tokens import Role

MeetingState = Literal["scheduled", "open", "live", "ended"]


@dataclass(frozen=True)
class ParticipantInfo:
    role: Role
    name_ar: str
    name_en: str


@dataclass(frozen=True)
class MeetingInfo:
    """One meeting as the database has it now. Hosts (official, aide) count as admitted without being listed."""

    id: str
    state: MeetingState
    participants: Mapping[str, ParticipantInfo]
    admitted: frozenset[str] = field(default_factory=frozenset)
    removed: frozenset[str] = field(default_factory=frozenset)
    node: str | None = None
    """Address of the node it was given to, where that is known."""


@dataclass(frozen=True)
class LegSummary:
    """How one connection of a participant fared, from its beginning until now.

    `_in`: what the participant sent, as it reached the node; `_out`: what the node sent them. Only the node's two ways
    are measured: a picture that stood still because of another participant's way shows on that one's leg.
    """

    leg: str
    began_at: float
    over: bool
    """The leg has ended: this is its last summary."""
    seconds: float
    packets_in: int
    bytes_in: int
    packets_out: int
    bytes_out: int
    lost_in: int
    """Packets that did not come by themselves."""
    asked_in: int
    """Packets asked for again, each time counted."""
    repaired_in: int
    unfilled_in: int
    """Gaps in the picture that were given up: each a freeze, ended by a key frame."""
    asked_out: int
    answered_out: int
    worst_loss_out: float
    """The worst share of loss that the participant's browser reported."""
    silences: int
    """How often nothing at all was heard for two seconds or more."""
    silent_s: float
    stills: int
    """How often the picture stopped for a second or more though the camera was on."""
    rtt_ms_least: float | None
    rtt_ms_mean: float | None
    rtt_ms_most: float | None
    kbps_in_least: float | None
    kbps_in_most: float | None
    kbps_out_least: float | None
    kbps_out_most: float | None
    link_drops: int
    """How often the signalling connection broke meanwhile."""


class Refused(Exception):
    """A wish of a participant that the rules outside don't allow; `reason` is shown to them as a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Directory(Protocol):
    """Times (`at`) are seconds since the epoch. Everything may be called again with the same facts."""

    async def meeting(self, meeting_id: str) -> MeetingInfo | None: ...

    async def joined(self, meeting_id: str, participant_id: str, at: float) -> None:
        """Someone is connected: in the lobby or, where admitted, inside."""
        ...

    async def left(self, meeting_id: str, participant_id: str, at: float) -> None:
        """Someone has left, was removed, or did not come back in time; they may still come back."""
        ...

    async def went_live(self, meeting_id: str, at: float) -> None:
        """The recording runs and media flow."""
        ...

    async def recording_lost(self, meeting_id: str, at: float, why: str) -> None:
        """Once for each loss; before `went_live`, the meeting could not start."""
        ...

    async def quality(self, meeting_id: str, participant_id: str, at: float, summary: LegSummary) -> None:
        """How a leg fared so far: when it ends and each half minute. A later one of the same `began_at` replaces it."""
        ...

    async def admit(self, meeting_id: str, by: str, participant_id: str, at: float) -> None:
        """Raises `Refused`."""
        ...

    async def end(self, meeting_id: str, by: str, at: float) -> None:
        """Raises `Refused`."""
        ...
