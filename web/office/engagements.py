"""An appointment with all that a list shows about it, fetched for many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.staff.models import Staff, StaffRole
from core.staff.rules import OFFICIAL
from queueing.appointments.models import Appointment, Slot
from reception.appointed.service import expected
from reception.dossier.models import DossierReceipt
from reception.petitions.models import Petition
from reception.visitors.models import Visitor
from video.meetings.models import Meeting
from web.http import Context

Row = TypeVar("Row", Petition, Visitor, Staff)


@dataclass(frozen=True, slots=True)
class Engagement:
    appointment: Appointment
    slot: Slot
    petition: Petition | None
    visitor: Visitor | None
    official: Staff | None
    interpreter: Staff | None
    meeting: Meeting | None
    dossier_read: bool  # by the official whose meeting it is
    coming: bool = False  # the visitor has said so


def engagements(session: Session, appointments: Sequence[Appointment]) -> list[Engagement]:
    """In the order given."""
    petitions = _by_id(session, Petition, {row.petition_id for row in appointments})
    visitors = _by_id(session, Visitor, {row.visitor_id for row in appointments})
    people = {row.slot.official_id for row in appointments} | {row.interpreter_id or "" for row in appointments}
    staff = _by_id(session, Staff, people)
    meetings = {
        meeting.appointment_id: meeting
        for meeting in session.scalars(
            select(Meeting).where(Meeting.appointment_id.in_([row.id for row in appointments]))
        )
    }
    read = {
        (petition_id, staff_id)
        for petition_id, staff_id in session.execute(
            select(DossierReceipt.petition_id, DossierReceipt.staff_id).where(
                DossierReceipt.petition_id.in_(list(petitions))
            )
        )
    }
    coming = expected(session, [row.id for row in appointments])
    return [
        Engagement(
            appointment=row,
            slot=row.slot,
            petition=petitions.get(row.petition_id),
            visitor=visitors.get(row.visitor_id),
            official=staff.get(row.slot.official_id),
            interpreter=staff.get(row.interpreter_id or ""),
            meeting=meetings.get(row.id),
            dossier_read=(row.petition_id, row.slot.official_id) in read,
            coming=row.id in coming,
        )
        for row in appointments
    ]


def officials(session: Session) -> list[Staff]:
    query = select(Staff).join(StaffRole, StaffRole.staff_id == Staff.id)
    return list(session.scalars(query.where(Staff.active, StaffRole.role == OFFICIAL).order_by(Staff.username)))


def whose(ctx: Context) -> str | None:
    """Whose calendar this page shows: an official's own; for an aide all of them, or the one asked for."""
    if OFFICIAL in ctx.staff.roles:
        return ctx.staff.id
    return ctx.query.get("official") or None


def _by_id(session: Session, kind: type[Row], ids: set[str]) -> dict[str, Row]:
    if not ids:
        return {}
    return {row.id: row for row in session.scalars(select(kind).where(kind.id.in_(ids)))}
