from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MessageQueued:
    message_id: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class MessageSent:
    """A gateway took it."""

    message_id: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class MessageDelivered:
    message_id: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class MessageFailed:
    """It did not arrive and will not: failed for good, or its hour passed (the row's state says which)."""

    message_id: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class MessageLost:
    """Nobody can say what became of it."""

    message_id: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class MessageDropped:
    message_id: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class MessageHeld:
    message_id: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class MessageReleased:
    message_id: str
    subject_kind: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class MessagesMoved:
    """So many texts of campaigns went on: thousands of them are not told of one by one."""

    count: int


@dataclass(frozen=True, slots=True)
class InboundReceived:
    """Somebody wrote to us: the row is `InboundText`."""

    inbound_id: str


@dataclass(frozen=True, slots=True)
class NumberAllowed:
    """In a pilot this number gets real texts from now on."""

    by: str


@dataclass(frozen=True, slots=True)
class NumberDisallowed:
    by: str
