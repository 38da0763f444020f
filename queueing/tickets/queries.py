"""What the screens ask of the queue: the line, the board of the hall, places and waits, the numbers of the day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from queueing.tickets import rules, states
from queueing.tickets.estimates import estimate
from queueing.tickets.models import CallLog, Counter, HelpRequest, ServicePoint, Ticket, TicketPeriod

RECENT = timedelta(hours=3)
BOARD_REACHES_BACK = timedelta(hours=2)
ESTIMATE_SAMPLE = 60  # visits


class Place(NamedTuple):
    """Counted from 1; 0 for a ticket that no longer waits. Minutes until the call, p50 to p90."""

    position: int
    low: int
    high: int


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
    promise_kept: float | None  # share of the called who waited no longer than the kiosk had said at most


def service_points(session: Session, centre_id: str, *, section: str | None = None) -> list[ServicePoint]:
    points = session.scalars(
        select(ServicePoint)
        .where(ServicePoint.centre_id == centre_id, ServicePoint.active)
        .order_by(ServicePoint.order, ServicePoint.letter)
    )
    return [point for point in points if section is None or section in point.sections]


def counters(session: Session, centre_id: str) -> list[Counter]:
    return list(session.scalars(select(Counter).where(Counter.centre_id == centre_id).order_by(Counter.number)))


def open_counters(session: Session, centre_id: str) -> list[Counter]:
    return [counter for counter in counters(session, centre_id) if counter.open]


def counter_of_staff(session: Session, staff_id: str) -> Counter | None:
    """Where the clerk sits now."""
    return session.scalar(select(Counter).where(Counter.staff_id == staff_id, Counter.open))


def ticket_by_code(session: Session, code: str) -> Ticket:
    """Raises NotFound: a wrong code and a foreign one look alike."""
    ticket = session.scalar(select(Ticket).where(Ticket.code == code.lower()))
    if ticket is None:
        raise NotFound("There is no such ticket.")
    return ticket


def waiting(session: Session, centre_id: str, *, now: datetime, upcoming: bool = False) -> list[Ticket]:
    """Today's line in its order of turn; `upcoming` adds checked-in appointments whose time hasn't come, at the end."""
    tickets = session.scalars(
        select(Ticket).where(Ticket.centre_id == centre_id, Ticket.state == states.WAITING, Ticket.expires_at > now)
    ).all()
    line = sorted(tickets, key=lambda t: (t.eligible_at > now, rules.rank(t.candidate(), now=now)))
    return [t for t in line if upcoming or t.eligible_at <= now]


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


def current(session: Session, counter_id: str) -> Ticket | None:
    """The visitor at the counter, called or being served."""
    return session.scalar(select(Ticket).where(Ticket.counter_id == counter_id, Ticket.state.in_(states.AT_COUNTER)))


def since(session: Session, ticket: Ticket) -> datetime:
    """When the ticket came into its present state."""
    return session.scalars(
        select(TicketPeriod.from_at).where(TicketPeriod.ticket_id == ticket.id, TicketPeriod.to_at.is_(None))
    ).one()


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
    return rules.choose(
        (ticket.candidate() for ticket in waiting(session, counter.centre_id, now=now, upcoming=True)),
        counter.desk(),
        now=now,
        others=[other.desk() for other in open_counters(session, counter.centre_id)],
    )


def unserved(session: Session, centre_id: str, *, now: datetime) -> list[rules.Candidate]:
    """Who waits for a counter that isn't open."""
    desks = [counter.desk() for counter in open_counters(session, centre_id)]
    return rules.unserved([t.candidate() for t in waiting(session, centre_id, now=now)], desks, now=now)


def place_in_line(session: Session, ticket: Ticket, *, now: datetime) -> Place:
    """The ticket's place among those who compete for the same counters, and the range of its wait."""
    if ticket.state != states.WAITING:
        return Place(0, 0, 0)
    return place_of(session, ticket.centre_id, ticket.candidate(), now=now)


def place_of(session: Session, centre_id: str, me: rules.Candidate, *, now: datetime) -> Place:
    """The same for somebody who may not have a ticket yet (the kiosk tells the wait before one chooses)."""
    at = max(now, me.eligible_at)
    desks = {counter.id: counter.desk() for counter in open_counters(session, centre_id)}
    able = {key for key, desk in desks.items() if not rules.why_not(me, desk, now=at, others=list(desks.values()))}
    ahead = 0
    for other in waiting(session, centre_id, now=now):
        theirs = other.candidate()
        if theirs.id == me.id or rules.rank(theirs, now=at) > rules.rank(me, now=at):
            continue
        ahead += _compete(theirs, me, able, desks, now=at)
    busy = set(
        session.scalars(
            select(Ticket.counter_id).where(Ticket.centre_id == centre_id, Ticket.state.in_(states.AT_COUNTER))
        )
    )
    low, high = estimate(
        ahead + 1,
        recent_service_times(session, centre_id, me.service_point_id, now=now),
        len(able),
        free_counters=len(able - busy),
    )
    until = round((at - now).total_seconds() / 60)
    return Place(ahead + 1, max(low, until), max(high, until + 2 if until else high))


def is_served(session: Session, centre_id: str, me: rules.Candidate, *, now: datetime) -> bool:
    """Whether any open counter would take this person."""
    desks = [counter.desk() for counter in open_counters(session, centre_id)]
    return any(rules.why_not(me, desk, now=max(now, me.eligible_at), others=desks) is None for desk in desks)


def newcomer(
    point: ServicePoint, *, section: str, language: str, now: datetime, sign_language: bool = False
) -> rules.Candidate:
    """Somebody who would take a ticket for `point` now."""
    return rules.Candidate("~", "", point.id, section, language, sign_language, rules.REGULAR, False, now, now)


def _compete(
    theirs: rules.Candidate, me: rules.Candidate, able: set[str], desks: dict[str, rules.Desk], *, now: datetime
) -> bool:
    """Whether somebody ahead stands in my way: some counter of mine would take them first."""
    if not able:
        return theirs.service_point_id == me.service_point_id and theirs.section == me.section
    others = list(desks.values())
    return any(rules.why_not(theirs, desks[key], now=now, others=others) is None for key in able)


def recent_service_times(session: Session, centre_id: str, service_point_id: str, *, now: datetime) -> list[float]:
    """Minutes that lately finished visits held a counter, from call to finish (the way to the counter included)."""
    rows = session.execute(
        select(TicketPeriod.ticket_id, TicketPeriod.from_at, TicketPeriod.to_at)
        .join(Ticket, Ticket.id == TicketPeriod.ticket_id)
        .where(
            Ticket.centre_id == centre_id,
            Ticket.service_point_id == service_point_id,
            Ticket.expires_at > now - RECENT,
            Ticket.state == states.FINISHED,
            TicketPeriod.state.in_(states.AT_COUNTER),
            TicketPeriod.from_at > now - RECENT,
            TicketPeriod.to_at.is_not(None),
        )
        .order_by(TicketPeriod.from_at.desc())
        .limit(ESTIMATE_SAMPLE * 2)
    ).all()
    spent: dict[str, float] = {}
    for ticket_id, began, ended in rows:
        spent[ticket_id] = spent.get(ticket_id, 0) + ((ended or now) - began).total_seconds() / 60
    return list(spent.values())[:ESTIMATE_SAMPLE]


def day(session: Session, centre_id: str, *, now: datetime) -> Day:
    """The numbers of today (the tickets that expire at the end of this local day)."""
    tickets = session.scalars(select(Ticket).where(Ticket.centre_id == centre_id, Ticket.expires_at > now)).all()
    called = [t for t in tickets if t.first_called_at]
    waits = [_waited_until_call(t) for t in called]
    promised = [wait <= t.promised_high for t, wait in zip(called, waits, strict=True) if t.promised_high is not None]
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
        promise_kept=sum(promised) / len(promised) if promised else None,
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
