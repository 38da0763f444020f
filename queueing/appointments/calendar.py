"""The official's calendar: sessions added, slots closed, and what a day or week looks like."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from core.calendar import day_bounds, local_day, wall_clock
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.language import Named
from core.workdays import service as workdays
from queueing.appointments import resources, rules
from queueing.appointments.events import SlotClosed, SlotReopened, SlotsOpened
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.rules import KINDS, VIDEO
from queueing.appointments.states import HELD, KEPT, LIVE, MOVED, SLOT


@dataclass(frozen=True, slots=True)
class Load:
    """Places of one day and how many of them are taken."""

    places: int
    taken: int

    @property
    def percent(self) -> int:
        return round(100 * self.taken / self.places) if self.places else 0


def add_session(
    session: Session,
    *,
    official_id: str,
    kind: str,
    centre_id: str | None,
    place_ar: str,
    place_en: str,
    day: date,
    start: time,
    end: time,
    minutes: int,
    zone: str,
    now: datetime,
    pause: int = 0,
    capacity: int = 1,
    reserved_urgent: int = 0,
) -> list[Slot]:
    """Offer the time between `start` and `end` (the zone's clock) in slots of `minutes`, some kept for urgent cases.

    An official may offer the same time in several halls, and whichever is asked for first is taken; the same offer
    twice is Refused. Raises Mistake for a time that makes no session, and a video session without a hall.
    """
    if kind not in KINDS:
        raise Mistake("Choose audience or video.", field="kind")
    if kind == VIDEO and not centre_id:
        raise Mistake("A video session needs a centre whose hall it uses.", field="centre_id")
    if kind == VIDEO and capacity != 1:
        raise Mistake("A video meeting has one visitor.", field="capacity")
    if not 1 <= capacity <= 20:
        raise Mistake("Between 1 and 20 visitors fit one time.", field="capacity")
    times = rules.plan(day, start, end, minutes=minutes, pause=pause, zone=zone, now=now)
    reserve = rules.spread_reserve(len(times), reserved_urgent)
    return offer(
        session,
        [(*span, n in reserve) for n, span in enumerate(times)],
        official_id=official_id,
        kind=kind,
        centre_id=centre_id,
        place_ar=place_ar,
        place_en=place_en,
        zone=zone,
        capacity=capacity,
        now=now,
    )


def offer(
    session: Session,
    times: Sequence[tuple[datetime, datetime, bool]],
    *,
    official_id: str,
    kind: str,
    centre_id: str | None,
    place_ar: str,
    place_en: str,
    zone: str,
    capacity: int,
    now: datetime,
    series_id: str | None = None,
) -> list[Slot]:
    """One slot for each (begin, end, kept for urgent cases).

    Raises Refused on a holiday, and for the same offer twice; what a series has given up is none any more.
    """
    resources.lock(session, (touched for begin, end, _ in times for touched in rules.days(begin, end)))
    days = [local_day(begin, zone) for begin, _, _ in times]
    for row in workdays.holidays(session, since=min(days), until=max(days), centre_id=centre_id or workdays.MINISTRY):
        if any(row.first_day <= day <= row.last_day for day in days):
            raise Refused("This day is a holiday: {name}.", name=Named(row.name_ar, row.name_en))
    spans = offered(
        session,
        min(begin for begin, _, _ in times),
        max(end for _, end, _ in times),
        official_id=official_id,
        kind=kind,
        centre_id=centre_id,
    )
    if any(first < end and begin < last for first, last in spans for begin, end, _ in times):
        raise Refused("This official has slots at this time and place already.")
    slots = [
        Slot(
            id=new_id(),
            official_id=official_id,
            kind=kind,
            centre_id=centre_id,
            place_ar=place_ar,
            place_en=place_en,
            starts_at=starts_at,
            ends_at=ends_at,
            wall_start=wall_clock(starts_at, zone),
            zone=zone,
            capacity=capacity,
            reserved_urgent=reserved,
            series_id=series_id,
        )
        for starts_at, ends_at, reserved in times
    ]
    session.add_all(slots)
    session.flush()
    emit(session, SlotsOpened(official_id=official_id, first_slot_id=slots[0].id, count=len(slots)), now=now)
    return slots


def offered(
    session: Session,
    since: datetime,
    until: datetime,
    *,
    official_id: str,
    kind: str,
    centre_id: str | None,
    but_of: str | None = None,
) -> list[tuple[datetime, datetime]]:
    """When the official has slots of this kind and place, open or closed.

    `but_of` leaves out those of a series, unless a holiday or the working hours have closed them.
    """
    given_up = and_(Slot.series_id.is_not(None), Slot.closed_for == Slot.series_id)
    query = select(Slot.starts_at, Slot.ends_at).where(
        Slot.official_id == official_id,
        Slot.kind == kind,
        Slot.centre_id.is_(None) if centre_id is None else Slot.centre_id == centre_id,
        Slot.starts_at < until,
        Slot.ends_at > since,
        or_(Slot.series_id.is_(None), Slot.closed_for.is_(None), ~given_up),
    )
    if but_of is not None:
        query = query.where(or_(Slot.series_id.is_(None), Slot.series_id != but_of, Slot.closed_for.is_not(None)))
    return [(begin, end) for begin, end in session.execute(query)]


def close_slot(session: Session, slot_id: str, *, now: datetime) -> Slot:
    """Offer the slot no longer. Appointments in it stay until they are moved or cancelled one by one."""
    slot = _locked(session, slot_id)
    slot.state = SLOT.next(slot.state, "close")
    emit(session, SlotClosed(slot_id=slot.id, official_id=slot.official_id), now=now)
    return slot


def reopen_slot(session: Session, slot_id: str, *, now: datetime) -> Slot:
    slot = _locked(session, slot_id)
    slot.state, slot.closed_for = SLOT.next(slot.state, "reopen"), None
    emit(session, SlotReopened(slot_id=slot.id, official_id=slot.official_id), now=now)
    return slot


def slot_of(session: Session, slot_id: str) -> Slot:
    slot = session.get(Slot, slot_id)
    if slot is None:
        raise NotFound("There is no such slot.")
    return slot


def appointment_of(session: Session, appointment_id: str) -> Appointment:
    appointment = session.get(Appointment, appointment_id)
    if appointment is None:
        raise NotFound("There is no such appointment.")
    return appointment


def by_code(session: Session, code: str) -> Appointment:
    """The appointment a visitor shows the code of, after any move. Raises NotFound."""
    found = session.scalar(
        select(Appointment).where(Appointment.code == code.strip().lower(), Appointment.state != MOVED)
    )
    if found is None:
        raise NotFound("There is no such appointment.")
    return found


def of_petition(session: Session, petition_id: str) -> list[Appointment]:
    """All of a petition's appointments, the newest first."""
    query = select(Appointment).where(Appointment.petition_id == petition_id)
    return list(session.scalars(query.order_by(Appointment.created_at.desc(), Appointment.id.desc())))


def current(session: Session, petition_id: str) -> Appointment | None:
    """The petition's live appointment or hold, of which there is at most one; a place kept beside it is none."""
    return session.scalar(
        select(Appointment).where(
            Appointment.petition_id == petition_id, Appointment.state.in_(LIVE), ~Appointment.for_earlier
        )
    )


def current_of(session: Session, petition_ids: list[str]) -> dict[str, Appointment]:
    """The live appointment of each petition that has one."""
    live = (Appointment.state.in_(LIVE), ~Appointment.for_earlier)
    rows = session.scalars(select(Appointment).where(Appointment.petition_id.in_(petition_ids), *live))
    return {row.petition_id: row for row in rows}


def next_of_visitor(session: Session, visitor_id: str, *, now: datetime) -> Appointment | None:
    """What a visitor who comes to the hall is probably here for."""
    return session.scalar(
        select(Appointment)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Appointment.visitor_id == visitor_id, Appointment.state.in_(LIVE), Appointment.state != HELD)
        .where(Slot.ends_at >= now - rules.CHECK_IN_CLOSES)
        .order_by(Slot.starts_at)
        .limit(1)
    )


def between(
    session: Session,
    start: datetime,
    end: datetime,
    *,
    official_id: str | None = None,
    kind: str | None = None,
    centre_id: str | None = None,
    states: tuple[str, ...] = KEPT,
) -> list[Appointment]:
    """Appointments that begin in [start, end), in order of time."""
    query = (
        select(Appointment)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Slot.starts_at >= start, Slot.starts_at < end, Appointment.state.in_(states))
        .order_by(Slot.starts_at, Appointment.created_at)
    )
    for column, value in ((Slot.official_id, official_id), (Slot.kind, kind), (Slot.centre_id, centre_id)):
        if value is not None:
            query = query.where(column == value)
    return list(session.scalars(query))


def slots_between(session: Session, start: datetime, end: datetime, *, official_id: str | None = None) -> list[Slot]:
    query = select(Slot).where(Slot.starts_at >= start, Slot.starts_at < end).order_by(Slot.starts_at, Slot.id)
    if official_id is not None:
        query = query.where(Slot.official_id == official_id)
    return list(session.scalars(query))


def load(session: Session, days: list[date], *, zone: str, official_id: str | None = None) -> dict[date, Load]:
    """Places and taken places of each day, as the zone counts days. Closed slots count only what is taken in them."""
    slots = slots_between(session, day_bounds(days[0], zone)[0], day_bounds(days[-1], zone)[1], official_id=official_id)
    found = {day: Load(0, 0) for day in days}
    for slot in slots:
        before = found[day := local_day(slot.starts_at, zone)]
        places = slot.capacity if slot.state == "open" else slot.taken
        found[day] = Load(before.places + places, before.taken + slot.taken)
    return found


def interpreter_load(session: Session, start: datetime, end: datetime) -> dict[str, int]:
    """How many appointments each interpreter has in [start, end)."""
    rows = session.execute(
        select(Appointment.interpreter_id, func.count())
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Slot.starts_at >= start, Slot.starts_at < end, Appointment.state.in_(LIVE))
        .where(Appointment.interpreter_id.is_not(None))
        .group_by(Appointment.interpreter_id)
    )
    return {person: count for person, count in rows if person}


def _locked(session: Session, slot_id: str) -> Slot:
    found = resources.lock_slots(session, slot_id)
    if not found:
        raise NotFound("There is no such slot.")
    return found[0]
