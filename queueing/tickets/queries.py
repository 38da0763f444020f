"""What the screens ask of the queue: the line, the board of the hall, places and waits, the numbers of the day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from queueing.tickets import rules, standing, states
from queueing.tickets.estimates import kept
from queueing.tickets.lines import (
    Line,
    at_counter,
    counter_of_staff,
    counters,
    current,
    open_counters,
    service_points,
    since,
    waiting,
)
from queueing.tickets.models import CallLog, Counter, HelpRequest, Ticket, TicketPeriod
from queueing.tickets.places import Place, is_served, newcomer, place_in_line, place_of, places_of, recent_service_times

__all__ = [
    "Call",
    "Day",
    "Line",
    "Place",
    "at_counter",
    "board",
    "counter_of_staff",
    "counters",
    "current",
    "day",
    "help_wanted",
    "is_served",
    "newcomer",
    "next_for",
    "open_counters",
    "parked",
    "place_in_line",
    "place_of",
    "places_of",
    "recent_service_times",
    "recently_over",
    "service_points",
    "since",
    "ticket_by_code",
    "unserved",
    "waiting",
    "why_called",
]

BOARD_REACHES_BACK = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Call:
    """A line of the hall's board. `log_id` changes with every call and recall: a screen knows what it announced."""

    log_id: str
    ticket_id: str
    label: str
    counter_number: int
    counter_name_ar: str
    counter_name_en: str
    section: str
    at: datetime
    serving: bool


@dataclass(frozen=True, slots=True)
class Day:
    """The numbers of a centre today. Waits are minutes from issue (or appointed time) to the first call."""

    issued: int
    waiting: int
    parked: int
    at_counters: int
    served: int
    no_shows: int
    median_wait: float | None
    longest_waiting: float | None
    promise_kept: float | None  # share of the called whose wait fell inside the range told at the kiosk


def ticket_by_code(session: Session, code: str) -> Ticket:
    """Raises NotFound: a wrong code and a foreign one look alike."""
    ticket = session.scalar(select(Ticket).where(Ticket.code == code.lower()))
    if ticket is None:
        raise NotFound("There is no such ticket.")
    return ticket


def parked(session: Session, centre_id: str, *, now: datetime) -> list[tuple[Ticket, TicketPeriod]]:
    """Parked tickets with the period that says since when and why, longest first."""
    rows = session.execute(
        select(Ticket, TicketPeriod)
        .join(TicketPeriod, (TicketPeriod.ticket_id == Ticket.id) & TicketPeriod.to_at.is_(None))
        .where(Ticket.centre_id == centre_id, Ticket.state == states.PARKED, Ticket.expires_at > now)
        .order_by(TicketPeriod.from_at)
    )
    return [(ticket, period) for ticket, period in rows]


def recently_over(session: Session, centre_id: str, counter_id: str, *, now: datetime, most: int = 5) -> list[Ticket]:
    """What this counter ended lately, newest first: the place to undo a slip or to take back a late visitor."""
    return list(
        session.scalars(
            select(Ticket)
            .join(TicketPeriod, (TicketPeriod.ticket_id == Ticket.id) & TicketPeriod.to_at.is_(None))
            .where(
                Ticket.centre_id == centre_id,
                Ticket.counter_id == counter_id,
                Ticket.state.in_((states.FINISHED, states.NO_SHOW)),
                Ticket.expires_at > now,
            )
            .order_by(TicketPeriod.from_at.desc())
            .limit(most)
        )
    )


def board(session: Session, centre_id: str, *, now: datetime, limit: int = 5) -> list[Call]:
    """The last calls for the hall, newest first, each ticket once. A call that was undone leaves the board."""
    latest = (
        select(func.max(CallLog.id).label("id"))
        .where(CallLog.centre_id == centre_id, CallLog.at > now - BOARD_REACHES_BACK)
        .group_by(CallLog.ticket_id)
        .subquery()
    )
    rows = session.execute(
        select(CallLog, Ticket, Counter)
        .join(latest, latest.c.id == CallLog.id)
        .join(Ticket, Ticket.id == CallLog.ticket_id)
        .join(Counter, Counter.id == CallLog.counter_id)
        .where(
            Ticket.expires_at > now,
            Ticket.state.in_((*states.AT_COUNTER, states.PARKED, states.FINISHED, states.NO_SHOW)),
        )
        .order_by(CallLog.at.desc(), CallLog.id.desc())
        .limit(limit)
    )
    return [
        Call(
            log_id=log.id,
            ticket_id=ticket.id,
            label=ticket.label,
            counter_number=counter.number,
            counter_name_ar=counter.name_ar,
            counter_name_en=counter.name_en,
            section=ticket.section,
            at=log.at,
            serving=ticket.state == states.SERVING,
        )
        for log, ticket, counter in rows
    ]


def why_called(session: Session, ticket: Ticket) -> list[rules.Because]:
    """Why the ticket's latest call chose it."""
    reasons = session.scalar(
        select(CallLog.reasons)
        .where(CallLog.ticket_id == ticket.id, CallLog.kind == "call")
        .order_by(CallLog.at.desc(), CallLog.id.desc())
        .limit(1)
    )
    return rules.explain(rules.Reasons.from_json(reasons)) if reasons else []


def next_for(session: Session, counter: Counter, *, now: datetime) -> tuple[rules.Candidate | None, rules.Reasons]:
    """Whom this counter would call now, and why; changes nothing."""
    discipline = standing.discipline_at(session, counter.centre_id, now=now)
    line = waiting(session, counter.centre_id, now=now, upcoming=True, discipline=discipline)
    return rules.choose(
        (ticket.candidate() for ticket in line),
        counter.desk(),
        now=now,
        others=[other.desk() for other in open_counters(session, counter.centre_id)],
        discipline=discipline,
    )


def unserved(session: Session, centre_id: str, *, now: datetime) -> list[rules.Candidate]:
    """Who waits for a counter that isn't open."""
    desks = [counter.desk() for counter in open_counters(session, centre_id)]
    return rules.unserved([t.candidate() for t in waiting(session, centre_id, now=now)], desks, now=now)


def day(session: Session, centre_id: str, *, now: datetime) -> Day:
    """The numbers of today (the tickets that expire at the end of this local day)."""
    tickets = session.scalars(select(Ticket).where(Ticket.centre_id == centre_id, Ticket.expires_at > now)).all()
    called = [t for t in tickets if t.first_called_at]
    waits = [_waited_until_call(t) for t in called]
    held = kept(
        (t.promised_low, t.promised_high, (t.first_called_at - t.issued_at) / timedelta(minutes=1))
        for t in called
        if t.promised_low is not None and t.promised_high is not None and t.first_called_at
    )
    line = [t for t in tickets if t.state == states.WAITING and t.eligible_at <= now]
    return Day(
        issued=len(tickets),
        waiting=len(line),
        parked=_count(tickets, states.PARKED),
        at_counters=_count(tickets, *states.AT_COUNTER),
        served=_count(tickets, states.FINISHED),
        no_shows=_count(tickets, states.NO_SHOW),
        median_wait=median(waits) if waits else None,
        longest_waiting=max(((now - max(t.issued_at, t.eligible_at)).total_seconds() / 60 for t in line), default=None),
        promise_kept=held.inside if held else None,
    )


def help_wanted(session: Session, centre_id: str) -> HelpRequest | None:
    """The open call for a human at a kiosk, if any."""
    return session.scalar(
        select(HelpRequest).where(HelpRequest.centre_id == centre_id, HelpRequest.answered_at.is_(None))
    )


def _waited_until_call(ticket: Ticket) -> float:
    assert ticket.first_called_at
    return max(0.0, (ticket.first_called_at - max(ticket.issued_at, ticket.eligible_at)).total_seconds() / 60)


def _count(tickets: Sequence[Ticket], *wanted: str) -> int:
    return sum(ticket.state in wanted for ticket in tickets)
