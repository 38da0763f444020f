"""The office's petitions on three shelves: waiting for it, with an appointment, their visitor asked.

What the office has done its part for leaves the first one: only what waits for the office is to be seen at once.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, select
from sqlalchemy.orm import Session, selectinload

from core.language import N_
from core.staff.models import Staff
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.states import LIVE
from reception import access
from reception.centres.models import Department
from reception.petitions.models import Petition
from reception.petitions.rules import URGENT
from reception.petitions.states import OPEN, WAITING_VISITOR

WAITING, BOOKED, ASKED = "waiting", "booked", "asked"
SHELVES = {WAITING: N_("To decide"), BOOKED: N_("With an appointment"), ASKED: N_("Visitor asked")}
PAGE = 12

_CURRENT = (Appointment.petition_id == Petition.id, Appointment.state.in_(LIVE), ~Appointment.for_earlier)
_HAS_TIME = exists().where(*_CURRENT).correlate(Petition)
_shelf: ColumnElement[str] = case((_HAS_TIME, BOOKED), (Petition.state == WAITING_VISITOR, ASKED), else_=WAITING)


def counts(session: Session, staff: Staff) -> dict[str, int]:
    """How many lie on each shelf."""
    shelf = _shelf.label("shelf")
    rows = session.execute(_at_office(select(shelf, func.count()), staff).group_by(shelf))
    return dict.fromkeys(SHELVES, 0) | {row[0]: row[1] for row in rows}


def lying(session: Session, staff: Staff, shelf: str, *, page: int = 1) -> list[Petition]:
    """A page of a shelf: the urgent first, then by the day they are due; those with an appointment by its time."""
    wanted = _at_office(select(Petition), staff).where(_shelf == shelf)
    if shelf == BOOKED:
        at = select(func.min(Slot.starts_at)).join(Appointment, Appointment.slot_id == Slot.id).where(*_CURRENT)
        wanted = wanted.order_by(at.correlate(Petition).scalar_subquery(), Petition.id)
    return _page(session, wanted, page, PAGE)


def without_time(session: Session, staff: Staff, *, page: int, size: int) -> tuple[list[Petition], int, int]:
    """To whom a free time may be given, which page that is and of how many; last those whose visitor is asked."""
    wanted = _at_office(select(Petition), staff).where(~_HAS_TIME)
    pages = pages_of(session.scalar(select(func.count()).select_from(wanted.subquery())) or 0, size)
    page = min(page, pages)
    return _page(session, wanted.order_by(Petition.state == WAITING_VISITOR), page, size), page, pages


def pages_of(count: int, size: int | None = None) -> int:
    return max(1, -(-count // (size or PAGE)))


def _at_office(stmt: Select[Any], staff: Staff) -> Select[Any]:
    office = select(Department.id).where(Department.is_office)
    return access.visible(stmt.where(Petition.department_id.in_(office), Petition.state.in_(OPEN)), staff)


def _page(session: Session, wanted: Select[Any], page: int, size: int) -> list[Petition]:
    wanted = wanted.order_by(Petition.urgency != URGENT, Petition.due_at, Petition.received_at, Petition.id)
    named = wanted.options(selectinload(Petition.visitor), selectinload(Petition.type))
    return list(session.scalars(named.limit(size).offset((page - 1) * size)))
