from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DirectiveMarked:
    directive_id: str
    petition_id: str
    meeting_id: str


@dataclass(frozen=True, slots=True)
class DirectiveWritten:
    directive_id: str
    petition_id: str
    meeting_id: str


@dataclass(frozen=True, slots=True)
class DirectiveSigned:
    directive_id: str
    petition_id: str
    meeting_id: str


@dataclass(frozen=True, slots=True)
class DirectiveAssigned:
    directive_id: str
    petition_id: str
    department_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DirectiveReported:
    directive_id: str
    petition_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class DirectiveFulfilled:
    directive_id: str
    petition_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class DirectiveWithdrawn:
    directive_id: str
    petition_id: str
    meeting_id: str
