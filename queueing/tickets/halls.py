"""The hall as the forecast wants it: who waits, who sits at which counter since when, how long services take lately."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from queueing.tickets import standing, states
from queueing.tickets.discipline import Discipline
from queueing.tickets.forecast import AT_LEAST, COME_LATELY, Hall, Range, Seat, Service, Stream, forecast
from queueing.tickets.lines import at_counter, candidates, counters
from queueing.tickets.models import ServicePoint, Ticket, TicketPeriod
from queueing.tickets.rules import Candidate

RECENT = timedelta(hours=3)
SERVICES_KNOWN = 60  # visits of each point
SERVED = ("finish", "forward")  # what ends a service; a visitor sent elsewhere, set aside or put back wasn't served
GRAIN = 5  # seconds: within them the same hall is told the same, worked out once for all who ask


def hall_of(session: Session, centre_id: str, *, now: datetime, discipline: Discipline | None = None) -> Hall:
    """Everything the forecast knows of a centre at this moment."""
    discipline = discipline or standing.discipline_at(session, centre_id, now=now)
    line = candidates(session, centre_id, now=now)
    return Hall(
        waiting=tuple(sorted(line, key=lambda c: (c.ranked_from, c.id))),
        seats=tuple(_seats(session, centre_id)),
        services=_services(session, centre_id, now=now),
        streams=tuple(_streams(session, centre_id, now=now)),
        discipline=discipline,
    )


def ranges(hall: Hall, *, now: datetime, newcomers: Iterable[Candidate] = ()) -> dict[str, Range]:
    """`forecast`, worked out once for everybody who asks within some seconds and finds the hall as it was."""
    now = _beginning(now)
    ghosts = tuple(newcomers)
    if ghosts:
        return forecast(hall, now=now, newcomers=ghosts)
    return _remembered(hall, now)


@lru_cache(maxsize=32)
def _remembered(hall: Hall, now: datetime) -> dict[str, Range]:
    return forecast(hall, now=now)


def _seats(session: Session, centre_id: str) -> list[Seat]:
    """The open counters and those on a break; who is at one has held it since the call, the way to it included."""
    rows = session.execute(
        select(Ticket.counter_id, Ticket.service_point_id, Ticket.called_at, TicketPeriod.from_at, TicketPeriod.verb)
        .join(TicketPeriod, (TicketPeriod.ticket_id == Ticket.id) & TicketPeriod.to_at.is_(None))
        .where(Ticket.centre_id == centre_id, at_counter())
    )
    there = {
        counter_id: (point, min(called, began) if called and verb == "start" else began)
        for counter_id, point, called, began, verb in rows
    }
    seats = []
    for counter in counters(session, centre_id):
        if counter.open:
            point, since = there.get(counter.id, ("", None))
            seats.append(Seat(counter.desk(), since, point, back=counter.back_at))
    return seats


def _services(session: Session, centre_id: str, *, now: datetime) -> dict[str, Service]:
    points = session.scalars(select(ServicePoint.id).where(ServicePoint.centre_id == centre_id)).all()
    lately = service_times(session, points, now=now)
    return {point: Service.of(lately[point]) for point in sorted(lately)}


def service_times(session: Session, points: Sequence[str], *, now: datetime) -> dict[str, list[float]]:
    """By point, minutes that visitors lately held a counter, from the call to the end (the way to it included).

    A visit through several points counts at each for what it took there.
    """
    served: dict[str, list[str]] = {point: [] for point in points}
    ends = session.execute(
        select(TicketPeriod.service_point_id, TicketPeriod.ticket_id)
        .where(
            TicketPeriod.service_point_id.in_(points),
            TicketPeriod.ended.in_(SERVED),
            TicketPeriod.to_at > now - RECENT,
        )
        .order_by(TicketPeriod.to_at.desc())
        .limit(SERVICES_KNOWN * len(points))
    )
    for point, ticket_id in ends:
        if len(served[point]) < SERVICES_KNOWN:
            served[point].append(ticket_id)
    rows = session.execute(
        select(TicketPeriod.service_point_id, TicketPeriod.ticket_id, TicketPeriod.from_at, TicketPeriod.to_at).where(
            TicketPeriod.ticket_id.in_({ticket_id for some in served.values() for ticket_id in some}),
            TicketPeriod.state.in_(states.AT_COUNTER),
            TicketPeriod.to_at.is_not(None),
        )
    )
    spent: dict[tuple[str, str], float] = {}
    for point, ticket_id, began, ended in rows:
        spent[point, ticket_id] = spent.get((point, ticket_id), 0.0) + ((ended or now) - began).total_seconds() / 60
    return {point: [spent.get((point, key), 0.0) for key in dict.fromkeys(some)] for point, some in served.items()}


def _streams(session: Session, centre_id: str, *, now: datetime) -> list[Stream]:
    """Who came lately, by kind, as often as they came: so others will come.

    The database counts them. Rates are of the beginning of these some seconds, so that one count serves all who ask.
    """
    kind = (
        Ticket.visitor_class,
        cast(Ticket.also, String).label("also"),
        Ticket.urgent,
        Ticket.service_point_id,
        Ticket.section,
        Ticket.language,
        Ticket.sign_language,
    )
    came = session.execute(
        select(*kind, Ticket.expires_at, func.count(), func.min(Ticket.issued_at))
        .where(Ticket.centre_id == centre_id, Ticket.issued_at > now - COME_LATELY)
        .group_by(*kind, Ticket.expires_at)
    ).all()
    today = [row for row in came if row.expires_at > now]  # asked here, lest the database walk the whole day by it
    if not today:
        return []
    at = _beginning(now)
    first = min(row[-1] for row in today)
    span = max(AT_LEAST, at - first) / timedelta(minutes=1)
    kinds = []
    for visitor_class, also, urgent, point, section, language, sign, _, count, _ in sorted(
        today, key=lambda row: (row[-1], *row[:-1])
    ):
        like = Candidate(
            "~", "", point, section, language, sign, visitor_class, urgent, first, first, tuple(json.loads(also))
        )
        kinds.append(Stream(like, count / span))
    return kinds


def _beginning(now: datetime) -> datetime:
    """Of the some seconds in which the same hall is told the same."""
    return now - timedelta(seconds=now.second % GRAIN, microseconds=now.microsecond)
