"""Texts beside those that tell of a change: a reminder, and the one-time link, which has a text of its own.

The words and the cross-checked date are those of the confirmation (core.calendar.moment).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.calendar import moment
from core.settings import Settings
from messaging import service as messages
from messaging.models import Message
from queueing.appointments.events import AppointmentBooked, AppointmentRescheduled
from queueing.appointments.models import Appointment
from queueing.appointments.states import BOOKED
from reception.appointed import links
from reception.appointed.rules import DAY
from reception.notify.texts import own_key, tell, was_told
from reception.parties import service as parties
from reception.petitions.models import Petition
from reception.visitors.models import Visitor

LINK = "appointment_link"
AFTER = timedelta(seconds=3)  # behind the text that it belongs to


def remind(session: Session, appointment: Appointment, template: str, *, now: datetime, settings: Settings) -> bool:
    """Queue a reminder, once for each appointment; whether it was new. Raises Fault where its date contradicts itself.

    The day before is when plans are weighed: that reminder has a fresh link in its wake.
    """
    petition = session.get(Petition, appointment.petition_id)
    if petition is None or session.scalar(select(was_told(template, appointment.id, petition.id))):
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
        expires_at=slot.starts_at,
        now=now,
    )
    if template == DAY:
        send_link(session, appointment, petition, key=f"{LINK}:{template}:{appointment.id}", now=now, settings=settings)
    return True


def text_appointment_link(
    session: Session, event: AppointmentBooked | AppointmentRescheduled, *, now: datetime, settings: Settings
) -> None:
    """After a booking or a move: the link to keep, move or cancel what was just told."""
    appointment = session.get_one(Appointment, event.appointment_id)
    petition = session.get(Petition, event.petition_id)
    if petition is not None and appointment.state == BOOKED and now < appointment.slot.starts_at:
        send_link(session, appointment, petition, key=f"{LINK}:{appointment.id}", now=now, settings=settings)


def send_link(
    session: Session,
    appointment: Appointment,
    petition: Petition,
    *,
    key: str,
    now: datetime,
    settings: Settings,
    template: str = LINK,
    people: Sequence[Visitor] = (),
) -> None:
    """In a text of its own: the confirmation stays in two parts, and its preview remains true to the letter.

    To `people`, else to everybody who was told what it belongs to; each has a link of their own. The token leaves with
    the text; what is kept of both has it no more.
    """
    for visitor in people or parties.told(session, petition, now=now):
        theirs = own_key(key, petition, visitor)
        if session.scalar(select(exists().where(Message.key == theirs))):
            continue
        token = links.make(session, appointment.id, now=now)
        messages.queue(
            session,
            to=visitor.phone,
            template=template,
            fields={"link": f"{settings.url}/a/{token}"},
            language=visitor.language,
            subject=("petition", petition.id),
            visitor_id=visitor.id,
            key=theirs,
            secret=token,
            due_at=now + AFTER,
            now=now,
        )
