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

    async def admit(self, meeting_id: str, by: str, participant_id: str, at: float) -> None:
        """Raises `Refused`."""
        ...

    async def end(self, meeting_id: str, by: str, at: float) -> None:
        """Raises `Refused`."""
        ...
