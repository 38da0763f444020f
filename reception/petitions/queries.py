"""Lists of petitions for the desks. Each narrows by access.visible; each ends in an index of the table."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, selectinload

from core.staff.models import Staff
from core.text import search_form
from reception import access
from reception.centres.models import Department
from reception.petitions import states
from reception.petitions.models import Opinion, Petition, PetitionNote, Referral, UrgentProposal, Verification

TO_CONFIRM, AT_WORK, ASKED, SETTLED = "to-confirm", "at-work", "asked", "settled"
LATE = "late"  # of all shelves, what is past its deadline
OPINIONS = "opinions"  # asked of this department; the cases lie with others
SHELVES: dict[str, tuple[str, ...]] = {
    TO_CONFIRM: states.AWAITING_CUSTODY,
    AT_WORK: (states.ACKNOWLEDGED, states.IN_PROGRESS, states.DECIDED),
    ASKED: (states.WAITING_VISITOR,),
    SETTLED: states.SETTLED,
}
# What runs against its deadline: while a visitor is asked it stands still.
RUNNING = (*states.AWAITING_CUSTODY, states.ACKNOWLEDGED, states.IN_PROGRESS, states.DECIDED)


def _with_names(stmt: Select[Petition]) -> Select[Petition]:
    return stmt.options(
        selectinload(Petition.visitor),
        selectinload(Petition.type),
        selectinload(Petition.centre),
        selectinload(Petition.department),
    )


def _matching(stmt: Select[Petition], text: str) -> Select[Petition]:
    for word in search_form(text).split()[:6]:
        stmt = stmt.where(Petition.search_text.contains(word, autoescape=True))
    return stmt


def inbox(
    session: Session, staff: Staff, *, shelf: str, text: str = "", page: int = 1, size: int = 25, now: datetime
) -> tuple[list[Petition], int]:
    """The department's cases on one shelf, and how many pages there are. Urgent ones first, then by deadline."""
    here = _late(now) if shelf == LATE else (Petition.state.in_(SHELVES[shelf]),)
    wanted = access.held(select(Petition).where(*here), staff)
    wanted = _matching(wanted, text)
    count = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    if shelf == SETTLED:
        wanted = wanted.where(Petition.settled_at.is_not(None)).order_by(Petition.settled_at.desc())
    else:
        wanted = wanted.order_by((Petition.urgency == "urgent").desc(), Petition.due_at, Petition.id)
    pages = max(1, -(-count // size))
    page = min(max(page, 1), pages)
    return list(session.scalars(_with_names(wanted).limit(size).offset((page - 1) * size))), pages


def shelf_counts(session: Session, staff: Staff) -> dict[str, int]:
    """How many lie on each shelf of the department."""
    rows = session.execute(access.held(select(Petition.state, func.count()).group_by(Petition.state), staff))
    by_state: dict[str, int] = {row[0]: row[1] for row in rows}
    return {shelf: sum(by_state.get(state, 0) for state in wanted) for shelf, wanted in SHELVES.items()}


def opinions_asked(session: Session, staff: Staff, *, limit: int = 50) -> list[tuple[Opinion, Petition]]:
    """What is asked of the department while the cases lie with others; the most pressing first."""
    wanted = (
        select(Opinion, Petition)
        .join(Petition, Petition.id == Opinion.petition_id)
        .where(Opinion.department_id == staff.department_id, Opinion.state == states.ASKED)
        .options(selectinload(Petition.visitor), selectinload(Petition.type), selectinload(Petition.department))
        .order_by((Petition.urgency == "urgent").desc(), Opinion.due_at)
    )
    return [(row[0], row[1]) for row in session.execute(access.visible(wanted, staff).limit(limit))]


def opinions_count(session: Session, department_id: str | None) -> int:
    mine = (Opinion.department_id == department_id, Opinion.state == states.ASKED)
    return session.scalar(select(func.count(Opinion.id)).where(*mine)) or 0


def overdue(session: Session, staff: Staff, *, now: datetime) -> int:
    """How many of the department's open cases are past their deadline."""
    return session.scalar(access.held(select(func.count(Petition.id)).where(*_late(now)), staff)) or 0


def _late(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Petition.state.in_(RUNNING), Petition.due_at < now


def to_verify(session: Session, staff: Staff, *, limit: int = 50) -> list[Petition]:
    """What waits for this person: the centre's cases that are unchecked, that no department has, or that somebody
    proposed as urgent; urgent and proposed first, then the oldest. Only open cases are read, by an index."""
    proposed = Petition.id.in_(select(UrgentProposal.petition_id).where(UrgentProposal.decided_at.is_(None)))
    open_here = (Petition.centre_id == staff.centre_id, Petition.state.in_(states.OPEN))
    waits = or_(Petition.verification == states.PENDING, Petition.state == states.RECEIVED, proposed)
    wanted = access.visible(select(Petition).where(*open_here, waits), staff).order_by(
        proposed.desc(), (Petition.urgency == "urgent").desc(), Petition.received_at
    )
    return list(session.scalars(_with_names(wanted).limit(limit)))


RETURNED, ASTRAY = "returned", "astray"
AT_THE_CENTRE = {RETURNED: states.RETURNED, ASTRAY: states.RECEIVED}


def at_the_centre(
    session: Session, staff: Staff, *, shelf: str = RETURNED, page: int = 1, size: int = 25
) -> tuple[list[Petition], int, int]:
    """The centre's cases that no department has: returned for completion, or refused and not sent on yet. The latest
    first, with how many there are and how many pages they fill."""
    here = (Petition.centre_id == staff.centre_id, Petition.state == AT_THE_CENTRE[shelf])
    count = session.scalar(access.visible(select(func.count(Petition.id)).where(*here), staff)) or 0
    pages = max(1, -(-count // size))
    page = min(max(page, 1), pages)
    wanted = access.visible(select(Petition).where(*here), staff).order_by(Petition.changed_at.desc(), Petition.id)
    return list(session.scalars(_with_names(wanted).limit(size).offset((page - 1) * size))), count, pages


def why_there(session: Session, petition_ids: list[str], *, shelf: str) -> dict[str, str]:
    """What was written when each came to lie at the centre: what is missing, or why the department refused it."""
    if shelf == RETURNED:
        said = select(PetitionNote.petition_id, PetitionNote.text).where(
            PetitionNote.petition_id.in_(petition_ids), PetitionNote.kind == "missing"
        )
        return {row[0]: row[1] for row in session.execute(said.order_by(PetitionNote.at))}
    refused = select(Referral.petition_id, Referral.refused).where(
        Referral.petition_id.in_(petition_ids), Referral.refused != ""
    )
    return {row[0]: row[1] for row in session.execute(refused.order_by(Referral.sent_at))}


def latest_refusal(session: Session, petition_id: str) -> tuple[Department, str] | None:
    """Who refused the case last, and why."""
    row = session.execute(
        select(Department, Referral.refused)
        .join(Referral, Referral.to_department_id == Department.id)
        .where(Referral.petition_id == petition_id, Referral.refused != "")
        .order_by(Referral.sent_at.desc())
        .limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def of_visitor(session: Session, staff: Staff, visitor_id: str, *, limit: int = 10) -> list[Petition]:
    """A visitor's petitions as far as this person may see them, the latest first."""
    wanted = access.visible(select(Petition).where(Petition.visitor_id == visitor_id), staff)
    return list(session.scalars(_with_names(wanted.order_by(Petition.received_at.desc()).limit(limit))))


def received_today(session: Session, staff: Staff, *, since: datetime, limit: int = 20) -> list[Petition]:
    """What this receptionist has entered since `since`, the latest first."""
    wanted = select(Petition).where(Petition.received_by == staff.id, Petition.received_at >= since)
    return list(
        session.scalars(_with_names(access.visible(wanted, staff).order_by(Petition.received_at.desc()).limit(limit)))
    )


def notes(session: Session, petition_id: str) -> list[PetitionNote]:
    return list(
        session.scalars(
            select(PetitionNote).where(PetitionNote.petition_id == petition_id).order_by(PetitionNote.at.desc())
        )
    )


def latest_note(session: Session, petition_id: str, kind: str) -> PetitionNote | None:
    return session.scalar(
        select(PetitionNote)
        .where(PetitionNote.petition_id == petition_id, PetitionNote.kind == kind)
        .order_by(PetitionNote.at.desc())
        .limit(1)
    )


def referrals(session: Session, petition_id: str) -> list[Referral]:
    return list(session.scalars(select(Referral).where(Referral.petition_id == petition_id).order_by(Referral.sent_at)))


def latest_verification(session: Session, petition_id: str) -> Verification | None:
    return session.scalar(
        select(Verification).where(Verification.petition_id == petition_id).order_by(Verification.at.desc()).limit(1)
    )
