"""What happened to a petition. `department_id` is where it is after the change (empty: nowhere yet)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PetitionReceived:
    petition_id: str
    visitor_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class PetitionRouted:
    petition_id: str
    visitor_id: str
    department_id: str
    to_office: bool


@dataclass(frozen=True, slots=True)
class PetitionVerified:
    petition_id: str
    visitor_id: str
    centre_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class PetitionReturned:
    """Back at reception: something is missing. `by_verification` or else by the department."""

    petition_id: str
    visitor_id: str
    centre_id: str
    department_id: str
    by_verification: bool


@dataclass(frozen=True, slots=True)
class PetitionCompleted:
    petition_id: str
    visitor_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class PetitionReclassified:
    petition_id: str
    visitor_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class PetitionAcknowledged:
    petition_id: str
    visitor_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class WorkBegun:
    petition_id: str
    visitor_id: str
    department_id: str
    officer_id: str


@dataclass(frozen=True, slots=True)
class PetitionTransferred:
    """Sent on by a person (PetitionRouted is by rule). `department_id` is the receiver."""

    petition_id: str
    visitor_id: str
    department_id: str
    from_department_id: str
    to_office: bool


@dataclass(frozen=True, slots=True)
class VisitorAsked:
    petition_id: str
    visitor_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class VisitorReplied:
    petition_id: str
    visitor_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class PetitionAnswered:
    petition_id: str
    visitor_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class PetitionClosed:
    petition_id: str
    visitor_id: str
    department_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PetitionReopened:
    petition_id: str
    visitor_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class NoteAdded:
    petition_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class UrgentProposed:
    petition_id: str
    visitor_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class UrgentAgreed:
    petition_id: str
    visitor_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class UrgentDeclined:
    petition_id: str
    visitor_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class PetitionDecided:
    petition_id: str
    visitor_id: str
    department_id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class HandOverRefused:
    """`from_department_id` did not accept it. `department_id`: back with the sender, or empty: a person sends it on."""

    petition_id: str
    visitor_id: str
    department_id: str
    from_department_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class OpinionAsked:
    """`department_id` is asked; the case stays where it is."""

    petition_id: str
    department_id: str


@dataclass(frozen=True, slots=True)
class OpinionEnded:
    """Given, waived or needed no more; `from_department_id` was asked, `department_id` decides."""

    petition_id: str
    department_id: str
    from_department_id: str
    state: str


@dataclass(frozen=True, slots=True)
class PetitionTypeChanged:
    type_id: str
    version: int


@dataclass(frozen=True, slots=True)
class RoutingChanged:
    rule_id: str
