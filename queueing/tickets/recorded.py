"""A day as it was: every visit's waits and stays at counters, read from the periods of its tickets.

A press that was taken back leaves no trace here. A visitor set aside and gone on with is one stay; one who came back
into the line waits anew from then, and was away in between.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from queueing.simulation.outcome import GAVE_UP, SERVED, UNSERVED, Wait
from queueing.tickets import rules, states
from queueing.tickets.discipline import Discipline
from queueing.tickets.estimates import Kept, kept
from queueing.tickets.models import Ticket, TicketPeriod, TicketPress
from queueing.tickets.rules import Candidate

_MINUTE = timedelta(minutes=1)
_ORDER = (states.WAITING, states.CALLED, states.SERVING, states.PARKED)


class Period(NamedTuple):
    state: str
    point: str
    counter: str | None
    verb: str
    ended: str
    from_at: datetime
    to_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stay:
    """One point of a visit. `called` is None for whoever was never called there; then `ended` is when they left.

    `minutes` at the counter, pauses left out; `away` before joining this line. Without `ended` it still goes on.
    """

    point: str
    joined: datetime
    called: datetime | None = None
    ended: datetime | None = None
    counter: str = ""
    minutes: float = 0
    away: float = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """`ranked_from` and `eligible_at` of the candidate are those of the first line. `over` tells who is still here."""

    candidate: Candidate
    issued_at: datetime
    appointment: bool
    stays: tuple[Stay, ...]
    state: str
    expires_at: datetime
    told: tuple[int, int] | None

    @property
    def over(self) -> bool:
        return self.state in states.OVER


def visits(session: Session, centre_id: str, day: date, *, now: datetime) -> list[Visit]:
    """Everybody who took a ticket of this local day, in the order of coming, as known at `now`."""
    here = (Ticket.centre_id == centre_id, Ticket.day == day)
    rows = session.execute(
        select(
            Ticket.id,
            Ticket.label,
            Ticket.section,
            Ticket.language,
            Ticket.sign_language,
            Ticket.visitor_class,
            Ticket.urgent,
            Ticket.also,
            Ticket.service_point_id,
            Ticket.ranked_from,
            Ticket.eligible_at,
            Ticket.issued_at,
            Ticket.appointment_id,
            Ticket.state,
            Ticket.expires_at,
            Ticket.stage,
            Ticket.promised_low,
            Ticket.promised_high,
        )
        .where(*here)
        .order_by(Ticket.issued_at, Ticket.id)
    ).all()
    periods: dict[str, list[Period]] = defaultdict(list)
    for one in session.execute(
        select(
            TicketPeriod.ticket_id,
            TicketPeriod.state,
            TicketPeriod.service_point_id,
            TicketPeriod.counter_id,
            TicketPeriod.verb,
            TicketPeriod.ended,
            TicketPeriod.from_at,
            TicketPeriod.to_at,
        )
        .join(Ticket, Ticket.id == TicketPeriod.ticket_id)
        .where(*here)
        .order_by(TicketPeriod.from_at, TicketPeriod.id)
    ):
        periods[one[0]].append(Period(*one[1:]))
    for some in periods.values():
        some.sort(key=_course)
    first = _first_lines(session, [row.id for row in rows if row.stage])
    found = []
    for row in rows:
        ranked, eligible = first.get(row.id, (row.ranked_from, row.eligible_at))
        stays = stays_of(periods[row.id], eligible_at=eligible, expires_at=row.expires_at)
        if not stays:
            continue
        candidate = Candidate(
            row.id,
            row.label,
            stays[0].point,
            row.section,
            row.language,
            row.sign_language,
            row.visitor_class,
            row.urgent,
            ranked,
            eligible,
            tuple(row.also),
        )
        told = None if row.promised_low is None or row.promised_high is None else (row.promised_low, row.promised_high)
        found.append(
            Visit(
                candidate, row.issued_at, row.appointment_id is not None, tuple(stays), row.state, row.expires_at, told
            )
        )
    return found


def stays_of(periods: Sequence[Period], *, eligible_at: datetime, expires_at: datetime) -> list[Stay]:
    """The visit from line to line. The last stay may be one that nobody was called to."""
    stays: list[Stay] = []
    waiting: Stay | None = None
    before: Period | None = None
    for number, period in enumerate(periods):
        after = periods[number + 1] if number + 1 < len(periods) else None
        if period.state == states.WAITING:
            slip = before is not None and before.verb == "call" and before.ended == "undo" and bool(stays)
            if slip and period.verb == "undo":
                waiting = replace(stays.pop(), called=None, ended=None, counter="", minutes=0)
            elif waiting is not None:  # sent to another line
                waiting = replace(waiting, point=period.point)
            elif not (stays and after is not None and after.verb == "undo" and after.state != states.WAITING):
                gone = (period.from_at - _left(stays[-1])) / _MINUTE if stays else 0.0
                joined = period.from_at if stays else max(period.from_at, eligible_at)
                waiting = Stay(period.point, joined, away=max(gone, 0.0))
        elif period.state in states.AT_COUNTER:
            spent = (period.to_at - period.from_at) / _MINUTE if period.to_at else 0.0
            if waiting is not None:
                joined = min(waiting.joined, period.from_at)
                stay = replace(waiting, joined=joined, called=period.from_at, counter=period.counter or "")
                stays.append(replace(stay, ended=period.to_at, minutes=spent))
                waiting = None
            elif stays:
                stays[-1] = replace(stays[-1], ended=period.to_at, minutes=stays[-1].minutes + spent)
        before = period
    if waiting is not None:
        end = before.from_at if before and before.state in states.OVER and before.from_at < expires_at else None
        stays.append(replace(waiting, ended=end))
    return stays


def waits(found: Sequence[Visit], *, discipline: Discipline) -> list[Wait]:
    """As the simulation tells them, so that both are summed up alike."""
    rows = []
    for visit in found:
        counted = rules.counted_as(visit.candidate, discipline=discipline)
        for number, stay in enumerate(visit.stays):
            fate = SERVED if stay.called else GAVE_UP if stay.ended else UNSERVED
            rows.append(
                Wait(
                    visit.candidate.id,
                    visit.candidate.label,
                    number,
                    stay.point,
                    counted,
                    visit.candidate.urgent,
                    stay.joined,
                    stay.called,
                    stay.ended,
                    stay.counter,
                    fate,
                )
            )
    return rows


def promise_kept(found: Sequence[Visit]) -> Kept | None:
    """How often the range told with the ticket held, until the first call."""
    return kept(
        (*visit.told, (visit.stays[0].called - visit.issued_at) / _MINUTE)
        for visit in found
        if visit.told and visit.stays[0].called
    )


def _course(period: Period) -> tuple[datetime, bool, datetime, int]:
    """Of several that began at one instant those that ended at it come first, in the order in which a visit goes."""
    place = _ORDER.index(period.state) if period.state in _ORDER else len(_ORDER)
    return period.from_at, period.to_at is None, period.to_at or period.from_at, place


def _left(stay: Stay) -> datetime:
    return stay.ended or stay.called or stay.joined


def _first_lines(session: Session, ticket_ids: Sequence[str]) -> dict[str, tuple[datetime, datetime]]:
    """What the rank of those who went on to another point was at their first one."""
    found: dict[str, tuple[datetime, datetime]] = {}
    for start in range(0, len(ticket_ids), 500):
        presses = session.execute(
            select(TicketPress.ticket_id, TicketPress.before)
            .where(
                TicketPress.ticket_id.in_(ticket_ids[start : start + 500]),
                TicketPress.verb == "forward",
                TicketPress.undone_at.is_(None),
            )
            .order_by(TicketPress.at)
        )
        for ticket_id, was in presses:
            if ticket_id not in found:
                found[ticket_id] = (
                    datetime.fromisoformat(was["ranked_from"]),
                    datetime.fromisoformat(was["eligible_at"]),
                )
    return found
