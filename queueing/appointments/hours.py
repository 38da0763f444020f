"""What other working hours do to the calendar: what lay within the old ones and not the new is offered no longer.

What was set outside the hours on purpose stays. As with a holiday an appointment stays what it is until a person moves
or cancels it, and who is expected at such a time is known by name.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Select, false, or_, select
from sqlalchemy.orm import Session

from core.calendar import local_day
from core.events import emit
from core.workdays.rules import WorkCalendar
from core.workdays.service import MINISTRY
from queueing.appointments import resources, rules, service
from queueing.appointments.events import SlotsClosed, SlotsReopened
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.series import settling
from queueing.appointments.series.models import Series
from queueing.appointments.states import AWAITED, CLOSED, HELD, HOURS, OPEN, SLOT

Calendars = Mapping[str, WorkCalendar]  # by place: a centre, or MINISTRY for the audience at the office


def follow(session: Session, before: Calendars, after: Calendars, *, now: datetime) -> int:
    """Close and open what the change of hours asks for; how many times are offered no longer. Holds on them are let go.

    To be called in the transaction that has set the new hours and, before that, has locked all days in sight.
    """
    resources.lock(
        session,
        (
            day
            for slot in session.scalars(_coming(before, now=now))
            if _change(slot, before, after) is not None
            for day in rules.days(slot.starts_at, slot.ends_at)
        ),
    )
    closed = opened = 0
    again: list[Slot] = []
    for slot in session.scalars(_coming(before, now=now).execution_options(populate_existing=True)).all():
        change = _change(slot, before, after)
        if change == CLOSED:
            _close(session, slot, now=now)
            closed += 1
        elif change == OPEN:
            again.append(slot)
    for slot in settling.restored(session, again, now=now):
        _open(slot, after[slot.centre_id or MINISTRY])
        opened += slot.state == OPEN
    if closed:
        emit(session, SlotsClosed(count=closed, holiday_id=HOURS), now=now)
    if opened:
        emit(session, SlotsReopened(count=opened, holiday_id=HOURS), now=now)
    session.flush()
    return closed


def hit(session: Session, *, now: datetime) -> list[Appointment]:
    """Who is expected outside the hours still, in order of time."""
    query = select(Appointment).join(Slot, Slot.id == Appointment.slot_id)
    query = query.where(Slot.closed_for == HOURS, Slot.starts_at > now, Appointment.state.in_(AWAITED))
    return list(session.scalars(query.order_by(Slot.starts_at, Appointment.created_at, Appointment.id)))


def _coming(places: Calendars, *, now: datetime) -> Select[Slot]:
    """What is still to come at these places, but sessions that were set outside the hours on purpose."""
    centres = [place for place in places if place != MINISTRY]
    here = or_(Slot.centre_id.in_(centres), Slot.centre_id.is_(None) if MINISTRY in places else false())
    own = select(Series.id).where(Series.own_hours)
    return select(Slot).where(Slot.starts_at > now, here, or_(Slot.series_id.is_(None), Slot.series_id.not_in(own)))


def _change(slot: Slot, before: Calendars, after: Calendars) -> str | None:
    """CLOSED, OPEN, or None for what stays as it is. A slot that a person has closed stays closed."""
    place = slot.centre_id or MINISTRY
    fits = after[place].fits(slot.starts_at, slot.ends_at)
    if slot.closed_for == HOURS:
        return OPEN if fits else None
    if slot.closed_for == slot.series_id and slot.series_id is not None:
        return None
    by_hand = slot.state == CLOSED and slot.closed_for is None
    return CLOSED if not fits and not by_hand and before[place].fits(slot.starts_at, slot.ends_at) else None


def _close(session: Session, slot: Slot, *, now: datetime) -> None:
    held = select(Appointment.id).where(Appointment.slot_id == slot.id, Appointment.state == HELD)
    for appointment_id in session.scalars(held).all():
        service.let_go(session, appointment_id, now=now)
    if slot.state == OPEN:
        slot.state = SLOT.next(slot.state, "close")
    slot.closed_for = HOURS


def _open(slot: Slot, work: WorkCalendar) -> None:
    """A holiday that lies on its day keeps it closed."""
    holiday = work.holiday(local_day(slot.starts_at, work.zone))
    if holiday is not None:
        slot.closed_for = holiday.holiday_id
    else:
        slot.state, slot.closed_for = SLOT.next(slot.state, "reopen"), None
