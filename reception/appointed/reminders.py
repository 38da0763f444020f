"""Reminders, by sweep: what is due is read from the appointments as they stand, so a move or an end needs no recall.

A text's key makes it once and for ever, whichever worker is first and however often one is started again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import exists, literal, select
from sqlalchemy.orm import Session

from core.errors import Fault
from core.settings import Settings
from core.sweeping import gated
from messaging.models import Message
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.states import BOOKED
from reception.appointed import rules
from reception.appointed.texts import remind

log = structlog.get_logger()
EVERY = timedelta(seconds=20)


def sweep_reminders(settings: Settings) -> Callable[[Session, datetime], None]:
    """For the worker: a look every few seconds."""
    last: list[datetime] = []

    def sweep(session: Session, now: datetime) -> None:
        if last and timedelta() <= now - last[-1] < EVERY:
            return
        last[:] = [now]
        send_due(session, now=now, settings=settings)

    return gated(sweep, lambda now: not last or not timedelta() <= now - last[-1] < EVERY)


def send_due(session: Session, *, now: datetime, settings: Settings) -> list[str]:
    """Write every reminder whose hour it is; the keys of those written. Who has checked in needs none."""
    coming = (
        select(Appointment)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Appointment.state == BOOKED, Slot.starts_at > now, Slot.starts_at < now + rules.HORIZON)
        .where(~(_told(rules.DAY) & _told(rules.HOURS)))
        .order_by(Slot.starts_at, Appointment.id)
    )
    written = []
    for appointment in session.scalars(coming).all():
        template = rules.due(appointment.slot.starts_at, appointment.changed_at, zone=settings.timezone, now=now)
        try:
            if template and remind(session, appointment, template, now=now, settings=settings):
                written.append(f"{template}:{appointment.id}")
        except Fault as fault:  # parts of a date that contradict each other; the others' reminders go all the same
            log.error("reminder not written", appointment_id=appointment.id, error=str(fault))
    return written


def _told(template: str) -> exists:
    return exists().where(Message.key == literal(f"{template}:") + Appointment.id)
