from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import new_id
from reception.visits.models import Visit

# In this order: a ticket, an appointment and a meeting belong to one visit each, a petition may have several.
_OWN = ("ticket_id", "appointment_id", "meeting_id")


def link(
    session: Session,
    *,
    centre_id: str,
    visitor_id: str | None = None,
    ticket_id: str | None = None,
    petition_id: str | None = None,
    appointment_id: str | None = None,
    meeting_id: str | None = None,
    now: datetime,
) -> Visit:
    """The visit that one of these ids belongs to, with the others added where it had none; else a new visit."""
    given = {
        "visitor_id": visitor_id,
        "ticket_id": ticket_id,
        "petition_id": petition_id,
        "appointment_id": appointment_id,
        "meeting_id": meeting_id,
    }
    visit = _known(session, given)
    if visit is None:
        visit = Visit(id=new_id(), centre_id=centre_id, at=now, **given)
        session.add(visit)
    else:
        for key, value in given.items():
            if value and not getattr(visit, key):
                setattr(visit, key, value)
    session.flush()
    return visit


def of_petition(session: Session, petition_id: str) -> list[Visit]:
    """Oldest first."""
    return list(session.scalars(select(Visit).where(Visit.petition_id == petition_id).order_by(Visit.at)))


def of_meeting(session: Session, meeting_id: str) -> Visit | None:
    return session.scalar(select(Visit).where(Visit.meeting_id == meeting_id))


def of_appointment(session: Session, appointment_id: str) -> Visit | None:
    return session.scalar(select(Visit).where(Visit.appointment_id == appointment_id))


def of_ticket(session: Session, ticket_id: str) -> Visit | None:
    return session.scalar(select(Visit).where(Visit.ticket_id == ticket_id))


def _known(session: Session, given: dict[str, str | None]) -> Visit | None:
    for key in _OWN:
        if given[key]:
            for visit in session.scalars(select(Visit).where(getattr(Visit, key) == given[key])):
                # One ticket may hand in two petitions: the second is a visit row of its own.
                if not given["petition_id"] or visit.petition_id in (None, given["petition_id"]):
                    return visit
    return None
