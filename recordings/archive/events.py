from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    recording_id: str
    meeting_id: str


@dataclass(frozen=True, slots=True)
class RecordingClosed:
    recording_id: str
    meeting_id: str


@dataclass(frozen=True, slots=True)
class RecordingReady:
    recording_id: str
    meeting_id: str
    petition_id: str


@dataclass(frozen=True, slots=True)
class RecordingFailed:
    recording_id: str
    meeting_id: str


@dataclass(frozen=True, slots=True)
class RecordingTriedAgain:
    recording_id: str
    meeting_id: str


@dataclass(frozen=True, slots=True)
class RecordingGranted:
    recording_id: str
    staff_id: str


@dataclass(frozen=True, slots=True)
class LeaveTakenBack:
    """`staff_id` is empty for a leave that a role held."""

    recording_id: str
    staff_id: str
