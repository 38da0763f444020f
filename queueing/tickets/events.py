from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TicketIssued:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketCalled:
    ticket_id: str
    centre_id: str
    counter_id: str
    label: str


@dataclass(frozen=True, slots=True)
class TicketRecalled:
    ticket_id: str
    centre_id: str
    counter_id: str
    label: str


@dataclass(frozen=True, slots=True)
class TicketStarted:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketParked:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketResumed:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketReturned:
    """Back to the line with its rank: a call undone, a parked or late visitor who is here again."""

    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketReopened:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketTransferred:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketNoShow:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketFinished:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketCancelled:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketForwarded:
    """Done at one point, in the line of the next: the same number, another line."""

    ticket_id: str
    centre_id: str
    service_point_id: str


@dataclass(frozen=True, slots=True)
class TicketUndone:
    """A press of seconds ago was taken back; `verb` is what had been pressed."""

    ticket_id: str
    centre_id: str
    counter_id: str
    verb: str


@dataclass(frozen=True, slots=True)
class TicketUrgencyProposed:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketUrgencyAgreed:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketUrgencyDeclined:
    ticket_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class TicketNearing:
    """Few are ahead now: `place` is counted from 1. Told once for each point of a visit."""

    ticket_id: str
    centre_id: str
    place: int


@dataclass(frozen=True, slots=True)
class DisciplineChanged:
    centre_id: str


@dataclass(frozen=True, slots=True)
class CounterOpened:
    counter_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class CounterClosed:
    counter_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class CounterPaused:
    counter_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class CounterReturned:
    counter_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class KioskHelpRequested:
    centre_id: str


@dataclass(frozen=True, slots=True)
class KioskHelpAnswered:
    centre_id: str
