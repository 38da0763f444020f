from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MessageQueued:
    message_id: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class MessageSent:
    """The provider took it (the row's state says how far it got)."""

    message_id: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class MessageFailed:
    message_id: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class MessageDropped:
    message_id: str
    subject_kind: str
    subject_id: str
