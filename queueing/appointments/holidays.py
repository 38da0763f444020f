"""What a holiday does to the calendar: its slots are offered no longer, and who is expected on it is known by name.

An appointment stays what it is until a person moves or cancels it, so that nobody is forgotten between two steps.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.calendar import day_bounds, local_day
from core.events import emit
from core.workdays import service as workdays
from core.workdays.models import Holiday
from queueing.appointments import resources, service
from queueing.appointments.events import SlotsClosed, SlotsReopened
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.rules import VIDEO
from queueing.appointments.series import settling
from queueing.appointments.states import AWAITED, CLOSED, HELD, OPEN, SLOT


def close(session: Session, holiday: Holiday, *, zone: str, now: datetime) -> int:
    """Offer none of its times that are still to come; how many there were. Holds on them are let go."""
    resources.lock(session, _utc_days(holiday.first_day, holiday.last_day, zone))
    slots = list(session.scalars(_of(select(Slot), holiday, zone, now=now).where(Slot.state == OPEN)))
    held = _of(select(Appointment.id).join(Slot, Slot.id == Appointment.slot_id), holiday, zone, now=now)
    for appointment_id in session.scalars(held.where(Appointment.state == HELD)).all():
        service.let_go(session, appointment_id, now=now)
    for slot in slots:
        slot.state, slot.closed_for = SLOT.next(slot.state, "close"), holiday.id
    if slots:
        emit(session, SlotsClosed(count=len(slots), holiday_id=holiday.id), now=now)
    session.flush()
    return len(slots)


def reopen(
    session: Session, holiday: Holiday, *, zone: str, now: datetime, days: tuple[date, date] | None = None
) -> int:
    """Offer again what `close` has closed, but on days of another holiday, nor what a session has given up meanwhile.

    To be called after the withdrawal.

    `days` are those it had before, all of which are locked at once.
    """
    first, last = days or (holiday.first_day, holiday.last_day)
    resources.lock(session, _utc_days(min(first, holiday.first_day), max(last, holiday.last_day), zone))
    own = (Slot.closed_for == holiday.id, Slot.starts_at > now)
    closed = session.scalars(select(Slot).where(*own).execution_options(populate_existing=True)).all()
    slots = settling.restored(session, closed, now=now)
    calendars = {
        place: workdays.calendar_for(session, zone=zone, centre_id=place) for place in {s.centre_id for s in slots}
    }
    opened = 0
    for slot in slots:
        other = calendars[slot.centre_id].holiday(local_day(slot.starts_at, zone))
        if other is not None:
            slot.closed_for = other.holiday_id
        elif slot.state == CLOSED:
            slot.state, slot.closed_for = SLOT.next(slot.state, "reopen"), None
            opened += 1
    if opened:
        emit(session, SlotsReopened(count=opened, holiday_id=holiday.id), now=now)
    session.flush()
    return opened


def hit(session: Session, holiday: Holiday, *, zone: str, now: datetime) -> list[Appointment]:
    """Who is expected on its days still, in order of time; who was moved, cancelled or opened for again is not."""
    query = _of(select(Appointment).join(Slot, Slot.id == Appointment.slot_id), holiday, zone, now=now)
    query = query.where(Appointment.state.in_(AWAITED), Slot.state == CLOSED)
    return list(session.scalars(query.order_by(Slot.starts_at, Appointment.created_at, Appointment.id)))


def _of(query: Select, holiday: Holiday, zone: str, *, now: datetime) -> Select:  # type: ignore[type-arg]
    """Only slots of the holiday's days and place that have not begun. A centre's holiday is one of its hall."""
    first, last = day_bounds(holiday.first_day, zone)[0], day_bounds(holiday.last_day, zone)[1]
    query = query.where(Slot.starts_at >= first, Slot.starts_at < last, Slot.starts_at > now)
    if holiday.centre_id is not None:
        query = query.where(Slot.kind == VIDEO, Slot.centre_id == holiday.centre_id)
    return query


def _utc_days(first_day: date, last_day: date, zone: str) -> list[date]:
    first, last = day_bounds(first_day, zone)[0].date(), day_bounds(last_day, zone)[1].date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
