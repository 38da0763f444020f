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
class CounterOpened:
    counter_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class CounterClosed:
    counter_id: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class KioskHelpRequested:
    centre_id: str


@dataclass(frozen=True, slots=True)
class KioskHelpAnswered:
    centre_id: str
