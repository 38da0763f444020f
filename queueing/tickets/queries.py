"""What the screens ask of the queue: the line, the board of the hall, places and waits, the numbers of the day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from queueing.tickets import rules, standing, states
from queueing.tickets.lines import (
    Line,
    at_counter,
    counter_of_staff,
    counters,
    current,
    open_counters,
    paused_counters,
    service_points,
    since,
    waiting,
)
from queueing.tickets.minutes import minutes_between
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
    "paused_counters",
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
    """The numbers of today (the tickets that expire at the end of this local day), counted by the database.

    Every console shows them after every call: a long day must not be carried through here ticket by ticket.
    """
    today = (Ticket.centre_id == centre_id, Ticket.expires_at > now)
    by_state = select(Ticket.state, func.count().label("tickets")).where(*today).group_by(Ticket.state)
    counted = {row.state: int(row.tickets) for row in session.execute(by_state)}
    line = session.execute(
        select(Ticket.issued_at, Ticket.eligible_at).where(
            *today, Ticket.state == states.WAITING, Ticket.eligible_at <= now
        )
    ).all()
    return Day(
        issued=sum(counted.values()),
        waiting=len(line),
        parked=counted.get(states.PARKED, 0),
        at_counters=sum(counted.get(state, 0) for state in states.AT_COUNTER),
        served=counted.get(states.FINISHED, 0),
        no_shows=counted.get(states.NO_SHOW, 0),
        median_wait=_median_wait(session, today),
        longest_waiting=max(((now - max(issued, due)).total_seconds() / 60 for issued, due in line), default=None),
        promise_kept=_promise_kept(session, today),
    )


def _median_wait(session: Session, today: Sequence[ColumnElement[bool]]) -> float | None:
    """Who went on to another point became eligible there after the first call: the wait is that since the issue."""
    called = (*today, Ticket.first_called_at.is_not(None))
    count = session.scalar(select(func.count()).select_from(Ticket).where(*called)) or 0
    if not count:
        return None
    since = case((Ticket.eligible_at <= Ticket.first_called_at, Ticket.eligible_at), else_=Ticket.issued_at)
    wait = minutes_between(since, Ticket.first_called_at)
    middle = select(wait.label("wait")).where(*called).order_by(wait).offset((count - 1) // 2).limit(2 - count % 2)
    return max(0.0, median(session.scalars(middle).all()))


def _promise_kept(session: Session, today: Sequence[ColumnElement[bool]]) -> float | None:
    wait = minutes_between(Ticket.issued_at, Ticket.first_called_at)
    near = 0.001  # minutes: SQLite knows an instant to a millisecond
    inside = case((wait.between(Ticket.promised_low - near, Ticket.promised_high + near), 1.0), else_=0.0)
    told = (Ticket.first_called_at.is_not(None), Ticket.promised_low.is_not(None), Ticket.promised_high.is_not(None))
    return session.scalar(select(func.avg(inside)).where(*today, *told))


def help_wanted(session: Session, centre_id: str) -> HelpRequest | None:
    """The open call for a human at a kiosk, if any."""
    return session.scalar(
        select(HelpRequest).where(HelpRequest.centre_id == centre_id, HelpRequest.answered_at.is_(None))
    )
