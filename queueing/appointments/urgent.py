"""A place for an urgent case: one that is free or kept in reserve, else that of somebody whom the written rule names.

The rule, in this order (docs/appointments.md tells it to people):
1. A free place before the case must be seen, the reserve included, is taken, and nobody is moved.
2. Else one appointment makes room: same official and kind, the same hall, before the case must be seen.
   Never moved: who is here already, an urgent case, whom the office has moved once before, whose time comes within a
   day, and who would find no other time.
3. Of those who may be moved, the lowest class first; of equals, who booked last.
Both ends happen together or not at all, and the reason stands with the one who was moved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from core.calendar import When
from core.errors import Mistake, Refused
from core.events import emit
from core.language import N_
from queueing.appointments import fitting, rearranging, resources, rules, service
from queueing.appointments.events import AppointmentDisplaced
from queueing.appointments.fitting import Guest, Place
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.offers import first_fitting
from queueing.appointments.rearranging import URGENT_CASE
from queueing.appointments.rules import VIDEO
from queueing.appointments.states import BOOKED, HELD, LIVE, OPEN

SPARED = timedelta(hours=24)  # whose time comes so soon is on the way
LOOKED_AT = 40  # candidates whose other times are looked for

FREE, RESERVE, MOVED = "free", "reserve", "moved"
NO_CLASS = 0  # the lowest
_NO_ROOM = N_("No time can be made before {until}: nobody may be moved by the rule.")


@dataclass(frozen=True, slots=True)
class Wish:
    """The urgent case and until when it must be seen."""

    visitor_id: str
    petition_id: str
    kind: str
    official_id: str
    centre_id: str | None
    needs_interpreter: bool
    until: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who might make room, as the rule sees them."""

    appointment_id: str
    petition_id: str
    starts_at: datetime
    booked_at: datetime
    rank: int
    urgent: bool
    moved_before: bool


@dataclass(frozen=True, slots=True)
class Room:
    """How the case gets its place: `how` is FREE, RESERVE or MOVED; then `leaver` goes `to` another time."""

    slot: Slot
    how: str
    leaver: Appointment | None = None
    to: Place | None = None

    @property
    def mark(self) -> str:
        parts = (self.slot.id, self.how, self.leaver.id if self.leaver else "", self.to.id if self.to else "")
        return sha256(">".join(parts).encode()).hexdigest()[:24]


def may_make_room(candidate: Candidate, *, until: datetime, now: datetime) -> bool:
    """Rule 2."""
    return (
        not candidate.urgent
        and not candidate.moved_before
        and candidate.starts_at - now >= SPARED
        and candidate.starts_at < until
    )


def in_order(candidates: Sequence[Candidate], *, until: datetime, now: datetime) -> list[Candidate]:
    """Rule 3, of those whom rule 2 leaves."""
    left = [one for one in candidates if may_make_room(one, until=until, now=now)]
    last_first = sorted(left, key=lambda one: one.appointment_id, reverse=True)  # ids grow with time
    return sorted(last_first, key=lambda one: (one.rank, -one.booked_at.timestamp()))


def find(session: Session, wish: Wish, *, ranks: Mapping[str, int], urgent: Mapping[str, bool], now: datetime) -> Room:
    """What `place` would do; reads only. `ranks` are the classes of petitions, of which the higher are spared longer.

    Raises Refused when the rule finds nothing.
    """
    free = first_fitting(
        session,
        now=now,
        kind=wish.kind,
        official_id=wish.official_id,
        centre_id=wish.centre_id,
        needs_interpreter=wish.needs_interpreter,
        visitor_id=wish.visitor_id,
        until=wish.until,
        urgent=True,
    )
    if free is not None:
        return Room(free, RESERVE if free.reserved_urgent else FREE)
    rows = {row.id: row for row in _in_the_way(session, wish, now=now)}
    since = _booked_since(session, [row.code for row in rows.values()])
    candidates = [
        Candidate(
            appointment_id=row.id,
            petition_id=row.petition_id,
            starts_at=row.slot.starts_at,
            booked_at=since.get(row.code, row.created_at),
            rank=ranks.get(row.petition_id, NO_CLASS),
            urgent=urgent.get(row.petition_id, False),
            moved_before=row.moved_for is not None,
        )
        for row in rows.values()
    ]
    for candidate in in_order(candidates, until=wish.until, now=now)[:LOOKED_AT]:
        leaver = rows[candidate.appointment_id]
        to = _swap(session, leaver, wish, now=now)
        if to is not None:
            return Room(leaver.slot, MOVED, leaver, to)
    raise Refused(_NO_ROOM, until=When(wish.until, wish.zone))


def candidates_of(session: Session, wish: Wish, *, now: datetime) -> list[str]:
    """The petitions of those who might have to make room, for the caller to say their classes."""
    return [row.petition_id for row in _in_the_way(session, wish, now=now)]


def place(
    session: Session,
    wish: Wish,
    *,
    mark: str,
    ranks: Mapping[str, int],
    urgent: Mapping[str, bool],
    by: str,
    reason: str,
    now: datetime,
) -> Appointment:
    """Give the case its place as `find` has shown it, or do nothing. Raises Mistake without a reason, Refused when the
    calendar has changed since.
    """
    if not reason.strip():
        raise Mistake("Say why the case can't wait.", field="reason")
    shown = find(session, wish, ranks=ranks, urgent=urgent, now=now)
    held = _days(session, shown, wish, now=now)
    resources.lock(session, held)
    session.expire_all()
    room = find(session, wish, ranks=ranks, urgent=urgent, now=now)
    if room.mark != mark or not _days(session, room, wish, now=now) <= held:
        raise Refused(rearranging.CHANGED)
    with session.begin_nested():
        if room.leaver is not None and room.to is not None:
            moved = service.reschedule(
                session,
                room.leaver.id,
                slot_id=room.to.id,
                by=by,
                reason=reason.strip(),
                moved_for=URGENT_CASE,
                now=now,
            )
            emit(session, AppointmentDisplaced(moved.id, moved.petition_id, wish.petition_id), now=now)
        return service.book(
            session,
            slot_id=room.slot.id,
            visitor_id=wish.visitor_id,
            petition_id=wish.petition_id,
            by=by,
            needs_interpreter=wish.needs_interpreter,
            urgent=True,
            now=now,
        )


def _in_the_way(session: Session, wish: Wish, *, now: datetime) -> list[Appointment]:
    query = (
        select(Appointment)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Appointment.state == BOOKED, Slot.state == OPEN, Slot.kind == wish.kind)
        .where(Slot.official_id == wish.official_id)
        .where(Slot.starts_at >= now + SPARED, Slot.starts_at < wish.until)
        .order_by(Slot.starts_at, Appointment.id)
    )
    if wish.kind == VIDEO:
        query = query.where(Slot.centre_id == wish.centre_id)
    return list(session.scalars(query))


def _days(session: Session, room: Room, wish: Wish, *, now: datetime) -> set[date]:
    """All days that will be locked on the way: of the room's slots, and of what `book` lets go, overdue or the case's.

    They are taken in one go: whoever took an earlier one after a later one could wait in a ring.
    """
    overdue = and_(Appointment.state == HELD, Appointment.held_until <= now)
    own = and_(Appointment.petition_id == wish.petition_id, Appointment.state.in_(LIVE))
    let_go = session.execute(select(Slot.starts_at, Slot.ends_at).join(Appointment).where(or_(overdue, own)))
    spans = [(room.slot.starts_at, room.slot.ends_at), *(tuple(row) for row in let_go)]
    spans += [(room.to.starts_at, room.to.ends_at)] if room.to else []
    return {day for span in spans for day in rules.days(*span)}


def _booked_since(session: Session, codes: Sequence[str]) -> dict[str, datetime]:
    """When each code's first appointment was made: a visitor who chose another time has not booked later for it."""
    rows = session.execute(
        select(Appointment.code, func.min(Appointment.created_at).label("since"))
        .where(Appointment.code.in_(codes))
        .group_by(Appointment.code)
    ).all()
    return {row.code: row.since for row in rows}


def _swap(session: Session, leaver: Appointment, wish: Wish, *, now: datetime) -> Place | None:
    guest = rearranging.guest_of(leaver, now=now)
    comer = Guest(
        id="comer",
        slot_id="",
        visitor_id=wish.visitor_id,
        official_id=wish.official_id,
        kind=wish.kind,
        centre_id=wish.centre_id,
        needs_interpreter=wish.needs_interpreter,
        urgent=True,
        not_before=now,
    )
    places, _ = rearranging.places_for(session, [guest], rearranging.LOOKED_AT, now=now)
    slot = rearranging.place_of(leaver.slot, room=1)
    return fitting.swap(
        guest,
        comer,
        slot,
        places,
        rearranging.ledger(session, [guest, comer], [*places, slot], [leaver]),
        rearranging.helpers(session, [guest, comer]),
        now=now,
    )
