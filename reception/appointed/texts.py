"""Texts beside those that tell of a change: a reminder, and the one-time link, which has a text of its own.

The words and the cross-checked date are those of the confirmation (core.calendar.moment).
"""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.calendar import moment
from core.settings import Settings
from messaging.models import Message
from queueing.appointments.models import Appointment
from reception.notify.texts import tell
from reception.petitions.models import Petition


def remind(session: Session, appointment: Appointment, template: str, *, now: datetime, settings: Settings) -> bool:
    """Queue a reminder, once for each appointment; whether it was new. Raises Fault for a date that contradicts itself."""
    petition = session.get(Petition, appointment.petition_id)
    key = f"{template}:{appointment.id}"
    if petition is None or session.scalar(select(exists().where(Message.key == key))):
        return False
    slot = appointment.slot
    tell(
        session,
        petition,
        template,
        lambda lang: {
            "when": moment(slot.starts_at, lang, settings.timezone),
            "place": slot.place(lang),
            "code": appointment.code,
        },
        key=appointment.id,
        now=now,
    )
    return True
