"""The verbs of an appointment. Each locks the day of its slot first and decides on what it then reads."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.ids import new_code
from core.language import N_
from queueing.appointments import events, resources, rules
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.offers import first_fitting, open_slots
from queueing.appointments.states import APPOINTMENT, BOOKED, EXPIRED, HELD, LIVE, MOVED, OPEN

CODE_LENGTH = 8
_RIVAL = N_("Somebody else is arranging this appointment at this moment. Please look again.")
_CHANGED = N_("Your appointment has changed meanwhile. It stays as it is now.")
TOOK_EARLIER = N_("An earlier time from the waitlist was taken")
MOVED_MEANWHILE = N_("This appointment has been moved meanwhile. It stands where it is now; nothing else was changed.")
_GONE = N_("This time is not in the calendar any more. Choose another one.")
_CODE = re.compile(r"[2-9bcdfghjkmnpqrstvwxz]{8}")

__all__ = [
    "book", "cancel", "check_in", "confirm", "expire_holds", "first_fitting", "hold", "let_go", "mark_met",
    "mark_missed", "open_slots", "propose_code", "reschedule",
]  # fmt: skip


def propose_code() -> str:
    """A public code to show in a preview before the appointment exists; `book` takes it unless it is in use."""
    return new_code(CODE_LENGTH)


def hold(
    session: Session,
    *,
    slot_id: str,
    visitor_id: str,
    petition_id: str,
    by: str,
    now: datetime,
    minutes: int = 5,
    needs_interpreter: bool = False,
    urgent: bool = False,
    for_earlier: bool = False,
    code: str | None = None,
) -> Appointment:
    """Take a place for a few minutes while it is being talked over; all that the meeting needs is taken, or nothing.

    An earlier hold for the same petition is let go. `for_earlier` keeps the place beside the appointment that the
    petition has, which `confirm` gives back for it. Raises Refused when the place, the official, the hall, the visitor,
    every attendant or every interpreter is taken, or when the petition has an appointment already; NotFound for an
    unknown slot.
    """
    slot, current = _locked_with_current(session, slot_id, petition_id, for_earlier=for_earlier, now=now)
    with _all_or_nothing(session):
        if current is not None:
            if current.state != HELD:
                raise Refused("This petition has an appointment already. Move it instead of booking a second one.")
            _release(session, current, EXPIRED, now=now)
            emit(session, _event(events.HoldExpired, current), now=now)
        appointment = _place(
            session,
            slot,
            visitor_id=visitor_id,
            petition_id=petition_id,
            by=by,
            needs_interpreter=needs_interpreter,
            urgent=urgent,
            for_earlier=for_earlier,
            code=_usable_code(session, code),
            now=now,
        )
        appointment.held_until = now + timedelta(minutes=minutes)
        emit(session, _event(events.AppointmentHeld, appointment), now=now)
    return appointment


def confirm(session: Session, appointment_id: str, *, by: str, now: datetime) -> Appointment:
    """Turn a hold into an appointment. Raises Refused when the hold is over, even if nobody has swept it yet.

    One `for_earlier` takes the place and the code of the petition's appointment, which ends as moved in the same step.
    Refused, and both stay as they are, where that has meanwhile become an earlier one or its visitor is here.
    """
    beside = select(Appointment.petition_id).where(Appointment.id == appointment_id, Appointment.for_earlier)
    current = _live(petitions := session.scalars(beside).all())
    giving_back = session.scalar(current.with_only_columns(Appointment.slot_id)) if petitions else None
    appointment = _locked(session, appointment_id, *filter(None, [giving_back]))
    state = APPOINTMENT.next(appointment.state, "book")
    if rules.hold_is_over(appointment.held_until, now=now):
        raise Refused("The place was held for a few minutes only. Please choose again.")
    old = next(iter(_fresh(session, current)), None) if appointment.for_earlier else None
    if (old.slot_id if old else None) != giving_back:
        raise Refused(_RIVAL)
    with _all_or_nothing(session) if appointment.for_earlier else nullcontext():
        if old is not None:
            _give_back_for(session, old, appointment, now=now)
        appointment.state, appointment.held_until, appointment.for_earlier = state, None, False
        appointment.booked_by, appointment.changed_at = by, now
        session.flush()
        kind = events.AppointmentBooked if old is None else events.AppointmentRescheduled
        emit(session, _event(kind, appointment), now=now)
    return appointment


def let_go(session: Session, appointment_id: str, *, now: datetime) -> Appointment:
    """Give a hold back before its time: whoever looked at it has gone on. Raises Refused for anything but a hold."""
    appointment = _locked(session, appointment_id)
    _release(session, appointment, APPOINTMENT.next(appointment.state, "expire"), now=now)
    emit(session, _event(events.HoldExpired, appointment), now=now)
    return appointment


def book(
    session: Session,
    *,
    slot_id: str,
    visitor_id: str,
    petition_id: str,
    by: str,
    now: datetime,
    needs_interpreter: bool = False,
    urgent: bool = False,
    code: str | None = None,
) -> Appointment:
    """Hold and confirm in one step. Raises what `hold` raises."""
    held = hold(
        session,
        slot_id=slot_id,
        visitor_id=visitor_id,
        petition_id=petition_id,
        by=by,
        now=now,
        needs_interpreter=needs_interpreter,
        urgent=urgent,
        code=code,
    )
    return confirm(session, held.id, by=by, now=now)


def reschedule(
    session: Session,
    appointment_id: str,
    *,
    slot_id: str,
    by: str,
    now: datetime,
    reason: str = "",
    urgent: bool = False,
    moved_for: str | None = None,
) -> Appointment:
    """Move to another slot: the old place is given up only if the new one can be had. The code stays the visitor's.

    Returns the new appointment; the old one ends as moved. Raises Refused as `hold` does, and for the same slot.
    """
    old = _locked(session, appointment_id, slot_id)
    state = _next(old, "move")
    if old.slot_id == slot_id:
        raise Refused("This is the time the appointment has already.")
    slot = session.get(Slot, slot_id)
    if slot is None:
        raise NotFound(_GONE)
    with _all_or_nothing(session):
        old.reason = reason or None
        _release(session, old, state, now=now)
        appointment = _place(
            session,
            slot,
            visitor_id=old.visitor_id,
            petition_id=old.petition_id,
            by=by,
            needs_interpreter=old.needs_interpreter,
            urgent=urgent,
            code=old.code,
            now=now,
        )
        appointment.state, appointment.previous_id = BOOKED, old.id
        appointment.moved_for = moved_for or old.moved_for
        emit(session, _event(events.AppointmentRescheduled, appointment), now=now)
    return appointment


def cancel(session: Session, appointment_id: str, *, reason: str, by: str, now: datetime) -> Appointment:
    """Give the place up. Raises Mistake without a reason, Refused once it took place, was missed or moved."""
    if not reason.strip():
        raise Mistake("Say why the appointment is cancelled.", field="reason")
    appointment = _locked(session, appointment_id)
    state = _next(appointment, "cancel")
    appointment.reason = reason.strip()
    _release(session, appointment, state, now=now)
    emit(session, _event(events.AppointmentCancelled, appointment), now=now)
    return appointment


def check_in(session: Session, appointment_id: str, *, now: datetime) -> Appointment:
    """The visitor has come. Raises Refused hours before the time or long after it."""
    appointment = _locked(session, appointment_id)
    state = APPOINTMENT.next(appointment.state, "check in")
    rules.check_in_allowed(appointment.slot.starts_at, appointment.slot.ends_at, now=now)
    appointment.state, appointment.changed_at = state, now
    emit(session, _event(events.AppointmentCheckedIn, appointment), now=now)
    return appointment


def mark_met(session: Session, appointment_id: str, *, now: datetime) -> Appointment:
    """The meeting took place. Its claims stay: nobody can be given a time that has been used."""
    appointment = _locked(session, appointment_id)
    appointment.state, appointment.changed_at = APPOINTMENT.next(appointment.state, "meet"), now
    emit(session, _event(events.AppointmentMet, appointment), now=now)
    return appointment


def mark_missed(session: Session, appointment_id: str, *, now: datetime) -> Appointment:
    """The visitor did not come. Raises Refused before the time of the appointment."""
    appointment = _locked(session, appointment_id)
    state = APPOINTMENT.next(appointment.state, "miss")
    rules.miss_allowed(appointment.slot.starts_at, now=now)
    appointment.state, appointment.changed_at = state, now
    emit(session, _event(events.AppointmentMissed, appointment), now=now)
    return appointment


def expire_holds(session: Session, *, now: datetime) -> int:
    """Give back every place whose hold is over; how many. One sweep calls it; correctness does not wait for it."""
    over = (Appointment.state == HELD, Appointment.held_until <= now)
    slot_ids = list(session.scalars(select(Appointment.slot_id).where(*over)))
    if not slot_ids:
        return 0
    resources.lock_slots(session, *slot_ids)
    return _expire(session, slot_ids, now=now)


def _expire(session: Session, slot_ids: list[str], *, now: datetime) -> int:
    rows = _fresh(
        session,
        select(Appointment).where(
            Appointment.state == HELD, Appointment.held_until <= now, Appointment.slot_id.in_(slot_ids)
        ),
    )
    for appointment in rows:
        _release(session, appointment, APPOINTMENT.next(appointment.state, "expire"), now=now)
        emit(session, _event(events.HoldExpired, appointment), now=now)
    return len(rows)


def _place(
    session: Session,
    slot: Slot,
    *,
    visitor_id: str,
    petition_id: str,
    by: str,
    needs_interpreter: bool,
    urgent: bool,
    code: str,
    now: datetime,
    for_earlier: bool = False,
) -> Appointment:
    """A held row with every claim it needs. The caller holds the slot's day."""
    if slot.starts_at <= now:
        raise Refused("This time has passed. Choose a later one.")
    if slot.state != OPEN:
        raise Refused("This time is no longer offered. Choose another one.")
    if not rules.open_to(slot.reserved_urgent, slot.starts_at, urgent=urgent, now=now):
        raise Refused("This time is kept for urgent cases. Choose another one.")
    if slot.taken >= slot.capacity:
        raise Refused("This time has just been taken. Choose another one.")
    appointment = Appointment(
        id=new_id(),
        slot_id=slot.id,
        slot=slot,
        visitor_id=visitor_id,
        petition_id=petition_id,
        state=HELD,
        for_earlier=for_earlier,
        needs_interpreter=needs_interpreter,
        booked_by=by,
        code=code,
        created_at=now,
        changed_at=now,
    )
    if resources.busy(session, resources.official(slot), slot, owner_id=slot.id):
        raise Refused("The official has another meeting at this time. Choose another one.")
    hall = resources.hall(slot)
    if hall and resources.busy(session, hall, slot, owner_id=slot.id):
        raise Refused("The hall of this centre is taken at this time. Choose another one.")
    person = resources.visitor(visitor_id)
    if resources.busy(session, person, slot, owner_id=appointment.id):
        raise Refused("The visitor has another appointment at this time. Choose another one.")
    if hall:
        appointment.attendant_id = resources.free_attendant(session, slot)
        if appointment.attendant_id is None:
            raise Refused("No attendant of the video hall is free at this time. Choose another one.")
        resources.take(session, resources.attendant(appointment.attendant_id), slot, owner_id=appointment.id)
    if needs_interpreter:
        appointment.interpreter_id = resources.free_interpreter(session, slot)
        if appointment.interpreter_id is None:
            raise Refused("No sign-language interpreter is free at this time. Choose another one.")
        resources.take(session, resources.interpreter(appointment.interpreter_id), slot, owner_id=appointment.id)
    if slot.taken == 0:
        resources.take(session, resources.official(slot), slot, owner_id=slot.id)
        if hall:
            resources.take(session, hall, slot, owner_id=slot.id)
    resources.take(session, person, slot, owner_id=appointment.id)
    slot.taken += 1
    session.add(appointment)
    session.flush()
    return appointment


def _give_back_for(session: Session, old: Appointment, new: Appointment, *, now: datetime) -> None:
    """The old appointment ends as moved to the new one. The caller holds the days of both."""
    if old.state != BOOKED or old.slot.starts_at <= new.slot.starts_at:
        raise Refused(_CHANGED)
    old.reason = TOOK_EARLIER
    _release(session, old, APPOINTMENT.next(old.state, "move"), now=now)
    new.code, new.previous_id, new.moved_for = old.code, old.id, old.moved_for


def _release(session: Session, appointment: Appointment, state: str, *, now: datetime) -> None:
    """End an appointment that gives its place back, with all it had claimed. The caller holds the slot's day."""
    slot = appointment.slot
    appointment.state, appointment.held_until, appointment.changed_at = state, None, now
    resources.give_back(session, appointment.id)
    slot.taken -= 1
    if slot.taken == 0:
        resources.give_back(session, slot.id)
    session.flush()


def _next(appointment: Appointment, verb: str) -> str:
    """Where the verb leads. Raises Refused, in words of its own to who acts on the page of a moved appointment."""
    if appointment.state == MOVED:
        raise Refused(MOVED_MEANWHILE)
    return APPOINTMENT.next(appointment.state, verb)


def _locked(session: Session, appointment_id: str, *further_slots: str) -> Appointment:
    """The appointment as it is now, its day locked. Its slot may have changed until then only by ending in `moved`."""
    slot_id = session.scalar(select(Appointment.slot_id).where(Appointment.id == appointment_id))
    if slot_id is None:
        raise NotFound("There is no such appointment.")
    resources.lock_slots(session, slot_id, *further_slots)
    return _fresh(session, select(Appointment).where(Appointment.id == appointment_id))[0]


def _locked_with_current(
    session: Session, slot_id: str, petition_id: str, *, for_earlier: bool, now: datetime
) -> tuple[Slot, Appointment | None]:
    """A slot and what the petition has at present, the days of both locked; overdue holds on those days are let go."""
    live = _live([petition_id], for_earlier=for_earlier)
    other = session.scalar(live.with_only_columns(Appointment.slot_id))
    overdue = session.scalars(
        select(Slot.id).join(Appointment).where(Appointment.state == HELD, Appointment.held_until <= now)
    )
    slots = resources.lock_slots(session, slot_id, *filter(None, [other]), *overdue)
    slot = next((row for row in slots if row.id == slot_id), None)
    if slot is None:
        raise NotFound(_GONE)
    _expire(session, [row.id for row in slots], now=now)
    current = next(iter(_fresh(session, live)), None)
    if current and current.slot_id not in {row.id for row in slots}:
        raise Refused(_RIVAL)
    return slot, current


def _live(petitions: Sequence[str], *, for_earlier: bool = False) -> Select[Appointment]:
    """What these petitions have at present, or the place kept beside it."""
    kept = Appointment.for_earlier if for_earlier else ~Appointment.for_earlier
    return select(Appointment).where(Appointment.petition_id.in_(petitions), Appointment.state.in_(LIVE), kept)


@contextmanager
def _all_or_nothing(session: Session) -> Iterator[None]:
    """A caller who catches the refusal finds everything as it was before the verb."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:  # the same petition on another day, which the day's lock does not cover
        raise Refused(_RIVAL) from error


def _fresh(session: Session, query: Select[Appointment]) -> list[Appointment]:
    """Rows as the database has them now, whatever the session remembers."""
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _usable_code(session: Session, code: str | None) -> str:
    if code and _CODE.fullmatch(code):
        in_use = select(Appointment.id).where(Appointment.code == code, Appointment.state != MOVED)
        if session.scalar(in_use) is None:
            return code
    return propose_code()


def _event(kind: type, appointment: Appointment) -> object:
    return kind(
        appointment_id=appointment.id,
        slot_id=appointment.slot_id,
        visitor_id=appointment.visitor_id,
        petition_id=appointment.petition_id,
    )
