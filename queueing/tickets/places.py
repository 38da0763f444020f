"""One ticket's place, and how long it will be."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from queueing.tickets import rules, standing, states
from queueing.tickets.estimates import estimate
from queueing.tickets.lines import Line, at_counter, open_counters, waiting
from queueing.tickets.models import ServicePoint, Ticket, TicketPeriod

RECENT = timedelta(hours=3)
ESTIMATE_SAMPLE = 60  # visits
SERVED = ("finish", "forward")  # what ends a service; a visitor sent elsewhere, set aside or put back wasn't served


class Place(NamedTuple):
    """Counted from 1; 0 for a ticket that no longer waits. Minutes until the call, p50 to p90."""

    position: int
    low: int
    high: int


def place_in_line(session: Session, ticket: Ticket, *, now: datetime) -> Place:
    """The ticket's place among those who compete for the same counters, and the range of its wait."""
    if ticket.state != states.WAITING:
        return Place(0, 0, 0)
    return place_of(session, ticket.centre_id, ticket.candidate(), now=now)


def place_of(session: Session, centre_id: str, me: rules.Candidate, *, now: datetime) -> Place:
    """The same for somebody who may not have a ticket yet (the kiosk tells the wait before one chooses)."""
    at = max(now, me.eligible_at)
    discipline = standing.discipline_at(session, centre_id, now=now)
    candidates = [t.candidate() for t in waiting(session, centre_id, now=now, discipline=discipline)]
    line = Line.of(candidates, open_counters(session, centre_id), discipline)
    able, ahead = line.able(me, now=at), line.ahead_of(me, now=at)
    busy = set(session.scalars(select(Ticket.counter_id).where(Ticket.counter_id.in_(able), at_counter())))
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


def recent_service_times(session: Session, centre_id: str, service_point_id: str, *, now: datetime) -> list[float]:
    """Minutes that visitors lately held a counter of this service, from call to its end (the way included).

    A visit through several points counts at each for what it took there.
    """
    served = session.scalars(
        select(TicketPeriod.ticket_id)
        .where(
            TicketPeriod.service_point_id == service_point_id,
            TicketPeriod.ended.in_(SERVED),
            TicketPeriod.to_at > now - RECENT,
        )
        .order_by(TicketPeriod.to_at.desc())
        .limit(ESTIMATE_SAMPLE)
    ).all()
    rows = session.execute(
        select(TicketPeriod.ticket_id, TicketPeriod.from_at, TicketPeriod.to_at).where(
            TicketPeriod.ticket_id.in_(served),
            TicketPeriod.service_point_id == service_point_id,
            TicketPeriod.state.in_(states.AT_COUNTER),
            TicketPeriod.to_at.is_not(None),
        )
    )
    spent = dict.fromkeys(served, 0.0)
    for ticket_id, began, ended in rows:
        spent[ticket_id] += ((ended or now) - began).total_seconds() / 60
    return list(spent.values())
