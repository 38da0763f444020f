from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordingSigned:
    """`key`: fingerprint of the signing key."""

    recording_id: str
    meeting_id: str
    key: str


@dataclass(frozen=True, slots=True)
class SigningFailed:
    recording_id: str
    meeting_id: str


@dataclass(frozen=True, slots=True)
class CheckAsked:
    recording_id: str
    check_id: str


@dataclass(frozen=True, slots=True)
class CheckAdvanced:
    recording_id: str
    percent: int


@dataclass(frozen=True, slots=True)
class RecordingChecked:
    recording_id: str
    verdict: str
