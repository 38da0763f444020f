from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeetingScheduled:
    meeting_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class RoomOpened:
    meeting_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class ParticipantAdmitted:
    meeting_id: str
    participant_id: str


@dataclass(frozen=True, slots=True)
class ParticipantRemoved:
    meeting_id: str
    participant_id: str


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    meeting_id: str
    participant_id: str


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    meeting_id: str
    participant_id: str


@dataclass(frozen=True, slots=True)
class MeetingStarted:
    meeting_id: str
    petition_id: str
    visitor_id: str


@dataclass(frozen=True, slots=True)
class MeetingEnded:
    """`met`: the visitor and an official were in it together."""

    meeting_id: str
    petition_id: str
    visitor_id: str
    appointment_id: str
    met: bool


@dataclass(frozen=True, slots=True)
class MeetingCancelled:
    meeting_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class RecordingLost:
    meeting_id: str
    why: str
