"""One ticket's place, and how long it will be."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import update
from sqlalchemy.orm import Session

from queueing.tickets import rules, standing, states
from queueing.tickets.discipline import Discipline
from queueing.tickets.halls import GRAIN, hall_of, ranges, service_times
from queueing.tickets.lines import Line, candidates, counters, open_counters
from queueing.tickets.models import Counter, ServicePoint, Ticket


class Place(NamedTuple):
    """Counted from 1; 0 for a ticket that no longer waits. Minutes until the call: eight of ten waits end within."""

    position: int
    low: int
    high: int


def place_in_line(session: Session, ticket: Ticket, *, now: datetime) -> Place:
    """The ticket's place among those who compete for the same counters, and the range of its wait.

    In the first seconds the range is the one that was told first: screen, paper and phone say the same.
    """
    if ticket.state != states.WAITING:
        return Place(0, 0, 0)
    fresh = now - ticket.issued_at < timedelta(seconds=GRAIN)
    if fresh and ticket.promised_low is not None and ticket.promised_high is not None:
        return Place(position_of(session, ticket, now=now), ticket.promised_low, ticket.promised_high)
    return place_of(session, ticket.centre_id, ticket.candidate(), now=now)


def position_of(session: Session, ticket: Ticket, *, now: datetime, discipline: Discipline | None = None) -> int:
    """The place alone, without a look into the future: cheap enough for where others wait for a lock."""
    line = [one for one in candidates(session, ticket.centre_id, now=now) if one.eligible_at <= now]
    discipline = discipline or standing.discipline_at(session, ticket.centre_id, now=now)
    me = ticket.candidate()
    return (
        Line.of(line, open_counters(session, ticket.centre_id), discipline).ahead_of(me, now=max(now, me.eligible_at))
        + 1
    )


def tell_wait(session: Session, ticket: Ticket, *, now: datetime) -> Place:
    """The place and the range, kept as told: for whoever has no reader's view beside this transaction."""
    place = place_in_line(session, ticket, now=now)
    note_told(session, ticket.id, place, now=now)
    return place


def untold(ticket: Ticket) -> bool:
    """Whether the visitor still waits for the first call and was told no range of the wait yet."""
    return ticket.state == states.WAITING and ticket.first_called_at is None and ticket.promised_low is None


def note_told(session: Session, ticket_id: str, told: Place, *, now: datetime) -> None:
    """Keep the range that the visitor is told first, whoever tells it: how often it holds is published.

    It is counted from the issue. Looking further ahead than the ticket's own row would hold everybody up who wants to
    change something, so the range comes from a reader's view, and only these two figures are written.
    """
    ticket = session.get(Ticket, ticket_id)
    if ticket is None or not untold(ticket):
        return
    passed = round((now - ticket.issued_at) / timedelta(minutes=1))
    session.execute(
        update(Ticket)
        .where(Ticket.id == ticket_id, Ticket.promised_low.is_(None))
        .values(promised_low=passed + told.low, promised_high=passed + told.high)
        .execution_options(synchronize_session="fetch")
    )


def place_of(session: Session, centre_id: str, me: rules.Candidate, *, now: datetime) -> Place:
    """The same for somebody who may not have a ticket yet (the kiosk tells the wait before one chooses)."""
    return places_of(session, centre_id, [me], now=now)[0]


def places_of(session: Session, centre_id: str, several: Sequence[rules.Candidate], *, now: datetime) -> list[Place]:
    """For several at once, at the price of one: each as if only that one came, if without a ticket."""
    discipline = standing.discipline_at(session, centre_id, now=now)
    hall = hall_of(session, centre_id, now=now, discipline=discipline)
    here = {candidate.id for candidate in hall.waiting}
    several = [me if me.id in here else replace(me, id=f"~{n}") for n, me in enumerate(several)]
    found = ranges(hall, now=now, newcomers=[me for me in several if me.id not in here])
    due = [candidate for candidate in hall.waiting if candidate.eligible_at <= now]
    line = Line(tuple(due), {seat.desk.id: seat.desk for seat in hall.seats if seat.back is None}, discipline)
    return [
        Place(line.ahead_of(me, now=max(now, me.eligible_at)) + 1, found[me.id].low, found[me.id].high)
        for me in several
    ]


def is_served(session: Session, centre_id: str, me: rules.Candidate, *, now: datetime) -> bool:
    """Whether any open counter would take this person, or one that said when it will be back."""
    seated = [counter for counter in counters(session, centre_id) if counter.open]
    here = [counter.desk() for counter in seated if counter.back_at is None]
    at = max(now, me.eligible_at)
    return any(rules.why_not(me, counter.desk(), now=at, others=here) is None for counter in seated)


def back_at(session: Session, centre_id: str, point: ServicePoint, *, section: str | None = None) -> datetime | None:
    """When the first counter for this service is back, where all of them are away; None where one is there."""

    def takes(counter: Counter) -> bool:
        return point.id in counter.service_point_ids and section in (None, *counter.sections)

    back = [counter.back_at for counter in counters(session, centre_id) if counter.open and takes(counter)]
    away = [at for at in back if at is not None]
    return min(away, default=None) if len(away) == len(back) else None


def newcomer(
    point: ServicePoint, *, section: str, language: str, now: datetime, sign_language: bool = False
) -> rules.Candidate:
    """Somebody who would take a ticket for `point` now."""
    return rules.Candidate("~", "", point.id, section, language, sign_language, rules.REGULAR, False, now, now)


def recent_service_times(session: Session, centre_id: str, service_point_id: str, *, now: datetime) -> list[float]:
    """Minutes that visitors lately held a counter of this service."""
    return service_times(session, [service_point_id], now=now)[service_point_id]
