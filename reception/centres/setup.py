"""Setting up centres and departments. Nothing is deleted: what is closed keeps its past."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from queueing.appointments.models import Slot
from queueing.tickets import states as ticket_states
from queueing.tickets.models import Counter, Ticket
from reception.centres import rules
from reception.centres.models import Centre, Department
from reception.directives.models import Directive
from reception.directives.states import FULFILLED, WITHDRAWN
from reception.petitions.models import Petition, RoutingRule
from reception.petitions.states import OPEN


def every_centre(session: Session) -> list[Centre]:
    """Those at work first."""
    return list(session.scalars(select(Centre).order_by(Centre.active.desc(), Centre.code)))


def every_department(session: Session) -> list[Department]:
    """The minister's office first, closed ones last."""
    order = (Department.active.desc(), Department.is_office.desc(), Department.code)
    return list(session.scalars(select(Department).order_by(*order)))


def departments_at_work(session: Session) -> list[Department]:
    return [department for department in every_department(session) if department.active]


def centre(session: Session, centre_id: str) -> Centre:
    """Raises NotFound. A closed-down centre is found too."""
    found = session.get(Centre, centre_id)
    if found is None:
        raise NotFound("There is no such centre.")
    return found


def department(session: Session, department_id: str) -> Department:
    """Raises NotFound."""
    found = session.get(Department, department_id)
    if found is None:
        raise NotFound("There is no such department.")
    return found


def add_centre(
    session: Session,
    *,
    code: str,
    name_ar: str,
    name_en: str,
    place_ar: str,
    place_en: str,
    sections: Collection[str],
    video_hall: bool,
    now: datetime,
) -> Centre:
    """Raises Mistake for an unfit code or one in use."""
    code = rules.code(code)
    if session.scalar(select(Centre.id).where(Centre.code == code)):
        raise Mistake("This code is in use.", field="code")
    row = Centre(
        id=new_id(),
        code=code,
        name_ar=name_ar,
        name_en=name_en,
        place_ar=place_ar,
        place_en=place_en,
        sections=rules.sections(sections),
        video_hall=video_hall,
    )
    session.add(row)
    session.flush()
    audit.note(session, "create", "centre", row.id, now=now, detail={"code": code})
    return row


def change_centre(
    session: Session,
    centre_id: str,
    *,
    name_ar: str,
    name_en: str,
    place_ar: str,
    place_en: str,
    sections: Collection[str],
    video_hall: bool,
    active: bool,
    now: datetime,
) -> Centre:
    """Raises Refused for closing down a centre that people sit in or are expected at."""
    row = centre(session, centre_id)
    if row.active and not active:
        _need_empty(session, row, now=now)
    values = {
        "name_ar": name_ar,
        "name_en": name_en,
        "place_ar": place_ar,
        "place_en": place_en,
        "sections": rules.sections(sections),
        "video_hall": video_hall,
        "active": active,
    }
    _change(session, row, "centre", values, now=now)
    return row


def add_department(session: Session, *, code: str, name_ar: str, name_en: str, now: datetime) -> Department:
    """Raises Mistake for an unfit code or one in use."""
    code = rules.code(code)
    if session.scalar(select(Department.id).where(Department.code == code)):
        raise Mistake("This code is in use.", field="code")
    row = Department(id=new_id(), code=code, name_ar=name_ar, name_en=name_en)
    session.add(row)
    session.flush()
    audit.note(session, "create", "department", row.id, now=now, detail={"code": code})
    return row


def change_department(
    session: Session, department_id: str, *, name_ar: str, name_en: str, active: bool, now: datetime
) -> Department:
    """Raises Refused for closing a department that still has work or is still sent some."""
    row = department(session, department_id)
    if row.active and not active:
        _need_idle(session, row)
    _change(session, row, "department", {"name_ar": name_ar, "name_en": name_en, "active": active}, now=now)
    return row


def _change(session: Session, row: Centre | Department, kind: str, values: dict[str, object], *, now: datetime) -> None:
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        audit.note(session, "change", kind, row.id, now=now, detail={"fields": changed})


def _need_empty(session: Session, row: Centre, *, now: datetime) -> None:
    if session.scalar(select(Counter.id).where(Counter.centre_id == row.id, Counter.open).limit(1)):
        raise Refused("A counter of this centre is open. Close the counters first.")
    here = select(Ticket.id).where(Ticket.centre_id == row.id, Ticket.state.in_(ticket_states.IN_CENTRE))
    if session.scalar(here.where(Ticket.expires_at > now).limit(1)):
        raise Refused("Visitors are waiting in this centre. Let their turns end first.")
    expected = select(Slot.id).where(Slot.centre_id == row.id, Slot.taken > 0, Slot.starts_at > now)
    if session.scalar(expected.limit(1)):
        raise Refused("Appointments are booked in this centre's hall. Move them first.")


def _need_idle(session: Session, row: Department) -> None:
    if row.is_office:
        raise Refused("The minister's office can't be closed.")
    if session.scalar(select(RoutingRule.id).where(RoutingRule.department_id == row.id, RoutingRule.active).limit(1)):
        raise Refused("Routing rules still send petitions to this department.")
    waiting = select(func.count()).select_from(Petition).where(Petition.department_id == row.id)
    if count := session.scalar(waiting.where(Petition.state.in_(OPEN))):
        raise Refused("This department still has open petitions ({count}). Refer them to another first.", count=count)
    orders = select(Directive.id).where(Directive.department_id == row.id)
    if session.scalar(orders.where(Directive.state.not_in((FULFILLED, WITHDRAWN))).limit(1)):
        raise Refused("A directive is still with this department.")
