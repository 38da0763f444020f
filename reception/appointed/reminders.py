"""Reminders, by sweep: what is due is read from the appointments as they stand, so a move or an end needs no recall.

A text's key makes it once and for ever, whichever worker is first and however often one is started again. They are
written in small portions from rows that nobody is changing at that moment, for a moved appointment's old time is worse
than no reminder; whose row is being changed is looked at again in the next round.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Fault
from core.settings import Settings
from core.sweeping import gated
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.states import BOOKED
from reception.appointed import rules
from reception.appointed.texts import remind
from reception.notify.texts import was_told

log = structlog.get_logger()
EVERY = timedelta(seconds=20)
PORTION = 50


def sweep_reminders(settings: Settings) -> Callable[[Session, datetime], None]:
    """For the worker: a look every few seconds, and at once again while a portion was full."""
    last: list[datetime] = []
    seen: set[str] = set()

    def sweep(session: Session, now: datetime) -> None:
        if last and timedelta() <= now - last[-1] < EVERY:
            return
        before = len(seen)
        send_due(session, now=now, settings=settings, seen=seen)
        if len(seen) - before >= PORTION:
            last.clear()
        else:
            seen.clear()
            last[:] = [now]

    return gated(sweep, lambda now: not last or not timedelta() <= now - last[-1] < EVERY)


def send_due(session: Session, *, now: datetime, settings: Settings, seen: set[str] | None = None) -> list[str]:
    """Write a portion of the reminders whose hour it is; the keys of those written. Who has checked in needs none.

    `seen` are the appointments that this round has had in hand, and are left out; those of this portion are put to it.
    """
    seen = set() if seen is None else seen
    due = [id_ for id_ in _due(session, now=now, settings=settings) if id_ not in seen][:PORTION]
    seen.update(due)
    free = (
        select(Appointment)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Appointment.id.in_(due), Appointment.state == BOOKED)
        .order_by(Slot.starts_at, Appointment.id)
        .with_for_update(of=Appointment, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    written = []
    for appointment in session.scalars(free).all():
        template = rules.due(appointment.slot.starts_at, appointment.changed_at, zone=settings.timezone, now=now)
        try:
            if template and remind(session, appointment, template, now=now, settings=settings):
                written.append(f"{template}:{appointment.id}")
        except Fault as fault:  # parts of a date that contradict each other; the others' reminders go all the same
            log.error("reminder not written", appointment_id=appointment.id, error=str(fault))
    return written


def _due(session: Session, *, now: datetime, settings: Settings) -> list[str]:
    """Whose reminder seems due and unwritten, the soonest first; nothing is locked yet."""
    day, hours = (was_told(template, Appointment.id, Appointment.petition_id) for template in (rules.DAY, rules.HOURS))
    coming = (
        select(Appointment.id, Slot.starts_at, Appointment.changed_at, day, hours)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Appointment.state == BOOKED, Slot.starts_at > now, Slot.starts_at < now + rules.HORIZON)
        .order_by(Slot.starts_at, Appointment.id)
    )
    found = []
    for id_, starts_at, changed_at, told_day, told_hours in session.execute(coming):
        template = rules.due(starts_at, changed_at, zone=settings.timezone, now=now)
        if template and not (told_day if template == rules.DAY else told_hours):
            found.append(id_)
    return found
