"""Leave to view: who holds it, given and taken back. `rules.leave_of` decides; here are its rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, exists, false, or_, select
from sqlalchemy.orm import Session, aliased

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.staff.models import Staff
from core.staff.rules import OFFICER
from recordings.archive import rules
from recordings.archive.events import LeaveTakenBack, RecordingGranted
from recordings.archive.models import Grant, Recording
from recordings.archive.rules import LONGEST_GRANT, TOOK_PART, VIEWERS, Viewer
from recordings.archive.states import DESTROYED


def viewer(session: Session, staff_id: str) -> Viewer | None:
    staff = session.get(Staff, staff_id)
    return Viewer(staff.id, staff.roles, staff.department_id, staff.active) if staff else None


def grants_of(session: Session, recording: Recording) -> list[Grant]:
    """Every leave there ever was that concerns it, its case's among them, earliest first."""
    concerned = or_(Grant.recording_id == recording.id, Grant.petition_id == recording.petition_id)
    return list(session.scalars(select(Grant).where(concerned).order_by(Grant.granted_at, Grant.id)))


def leave_of(session: Session, recording: Recording, staff_id: str, *, now: datetime) -> Grant | None:
    """The leave by which this person may view it now. Asked anew each time: it may have been taken back."""
    who = viewer(session, staff_id)
    return rules.leave_of(grants_of(session, recording), who, now=now) if who else None


def may_view(session: Session, recording: Recording, staff_id: str, *, now: datetime) -> bool:
    return leave_of(session, recording, staff_id, now=now) is not None


def may_give(session: Session, recording: Recording, staff_id: str) -> bool:
    who, grants = viewer(session, staff_id), grants_of(session, recording)
    at_work = select(Staff.id).where(Staff.id.in_(rules.hosts(grants)), Staff.active)
    return who is not None and rules.may_give(grants, who, hosts_at_work=list(session.scalars(at_work)))


def visible(stmt: Select[Any], who: Viewer, *, now: datetime) -> Select[Any]:
    """`stmt` (which selects from Recording) narrowed to what this person may view: `rules.leave_of` as a query."""
    if not who.active or not who.roles & VIEWERS:
        return stmt.where(false())
    roles = [Grant.role == role for role in sorted(who.roles & (VIEWERS - {OFFICER}))]
    if OFFICER in who.roles and who.department_id:
        roles.append(and_(Grant.role == OFFICER, Grant.department_id == who.department_id))
    given = or_(Grant.granted_by.is_(None), Grant.granted_by != who.id)
    mine = and_(given, or_(Grant.staff_id == who.id, and_(Grant.staff_id.is_(None), or_(false(), *roles))))
    host = and_(Grant.purpose == TOOK_PART, Grant.granted_by.is_(None), Grant.until.is_(None))
    open_ = and_(Grant.revoked_at.is_(None), or_(host, Grant.until > now))
    there = aliased(Grant)
    was_there = (
        exists()
        .where(
            there.recording_id == Recording.id,
            there.staff_id == Grant.granted_by,
            there.purpose == TOOK_PART,
            there.granted_by.is_(None),
        )
        .correlate(Recording, Grant)  # two levels up: by itself it would mean any recording
    )
    one = exists().where(Grant.recording_id == Recording.id, Grant.petition_id.is_(None), mine, open_)
    case = exists().where(Grant.petition_id == Recording.petition_id, mine, open_, was_there)
    return stmt.where(or_(one, case))


def give(
    session: Session,
    recording_id: str,
    *,
    purpose: str,
    by: str,
    until: datetime,
    now: datetime,
    staff_id: str | None = None,
    role: str | None = None,
    department_id: str | None = None,
    whole_case: bool = False,
) -> Grant:
    """Leave to view until `until`, to a person or a role. Raises NotFound unless `by` may give it; Mistake, Refused."""
    recording = session.get(Recording, recording_id)
    if recording is None or not may_give(session, recording, by):
        raise NotFound
    if recording.state == DESTROYED:
        raise Refused("This recording was destroyed: there is nothing left to view.")
    if not purpose.strip() or purpose.strip() == TOOK_PART:
        raise Mistake("Say what it is for.", field="purpose")
    if not now < until <= now + LONGEST_GRANT:
        raise Mistake("Choose a day within the next year.", field="until")
    _check_receiver(session, staff_id, role, department_id, by=by)
    if whole_case and by not in rules.hosts(grants_of(session, recording)):
        raise Refused("Only who took part can give leave for the whole case.")
    row = Grant(
        id=new_id(),
        recording_id=None if whole_case else recording.id,
        petition_id=recording.petition_id if whole_case else None,
        staff_id=staff_id,
        role=role,
        department_id=department_id,
        purpose=purpose,
        granted_by=by,
        granted_at=now,
        until=until,
    )
    session.add(row)
    detail = {"to": staff_id or role, "department": department_id, "purpose": purpose, "until": until.isoformat()}
    detail["case"] = row.petition_id
    audit.note(session, "grant", "recording", recording.id, now=now, detail={k: v for k, v in detail.items() if v})
    emit(session, RecordingGranted(recording.id, staff_id or ""), now=now)
    return row


def take_back(session: Session, grant_id: str, *, by: str, now: datetime) -> Grant:
    """At once, also for whoever is watching. Raises NotFound unless `by` gave it or could have."""
    row = session.scalar(select(Grant).where(Grant.id == grant_id).with_for_update())
    who = viewer(session, by)
    if row is None or who is None:
        raise NotFound
    about = _recordings(session, row)
    gives = any(may_give(session, recording, by) for recording in about)
    if not rules.may_take_back(row, who, gives=gives):
        raise NotFound
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = now, by
        for recording in about:
            detail = {"to": row.staff_id or row.role or "", "purpose": row.purpose}
            audit.note(session, "revoke", "recording", recording.id, now=now, detail=detail)
            emit(session, LeaveTakenBack(recording.id, row.staff_id or ""), now=now)
    return row


def mine(session: Session, staff_id: str, *, now: datetime) -> list[Grant]:
    """The leaves this person was given and holds now, the one that ends first first."""
    who = viewer(session, staff_id)
    if who is None:
        return []
    rows = session.scalars(
        select(Grant)
        .where(
            Grant.granted_by.is_not(None),
            Grant.revoked_at.is_(None),
            Grant.until > now,
            or_(Grant.staff_id == staff_id, Grant.role.in_(who.roles)),
        )
        .order_by(Grant.until)
    )
    return [row for row in rows if rules.is_for(row, who)]


def _recordings(session: Session, row: Grant) -> Sequence[Recording]:
    if row.petition_id is not None:
        of_case = select(Recording).where(Recording.petition_id == row.petition_id)
        return session.scalars(of_case.order_by(Recording.started_at)).all()
    return [session.get_one(Recording, row.recording_id)]


def _check_receiver(
    session: Session, staff_id: str | None, role: str | None, department_id: str | None, *, by: str
) -> None:
    if (staff_id is None) == (role is None):
        raise Mistake("Choose a person or a role.", field="to")
    if role is not None:
        if role not in VIEWERS or (role == OFFICER) != bool(department_id):
            raise Mistake("Choose a person or a role.", field="to")
        return
    if staff_id == by:
        raise Mistake("Nobody gives leave to themselves.", field="to")
    who = viewer(session, staff_id or "")
    if who is None or not who.active or not who.roles & VIEWERS:
        raise Mistake("This person can't be given leave.", field="to")
