from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from core.staff.models import Staff
from reception import access
from reception.duplicates import rules
from reception.duplicates.rules import Matter
from reception.parties.models import PetitionParty
from reception.parties.rules import PETITIONER
from reception.petitions import states
from reception.petitions.models import Petition, PetitionType
from reception.petitions.rules import SECRET

LOOKED_AT = 60  # of one person's open petitions, the latest


@dataclass(frozen=True, slots=True)
class Likely:
    """An open petition that may be the same matter, with the reasons (keys of rules.REASONS)."""

    petition: Petition
    points: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """That this person stands in an open petition which the clerk may not see."""

    petition_id: str
    person_id: str


def likely(
    session: Session,
    staff: Staff,
    *,
    people: set[str],
    type_id: str,
    subject: str,
    body: str,
    now: datetime,
    leave_out: str = "",
    limit: int = 5,
) -> list[Likely]:
    """Open petitions of these visitors that look like this one, the likeliest first. No stranger's is looked at.

    Only what `staff` may see: whoever types any person's number beside any type would else be told who has what.
    """
    if not people:
        return []
    beside = select(PetitionParty.petition_id).where(PetitionParty.visitor_id.in_(people))
    theirs = select(Petition).where(
        or_(Petition.visitor_id.in_(people), Petition.id.in_(beside)),
        Petition.state.in_(states.OPEN),
        Petition.id != leave_out,
    )
    rows = session.scalars(
        access.visible(theirs, staff)
        .options(selectinload(Petition.type), selectinload(Petition.centre), selectinload(Petition.visitor))
        .order_by(Petition.received_at.desc())
        .limit(LOOKED_AT)
    ).all()
    if not rows:
        return []
    others = _people(session, [row.id for row in rows])
    new = Matter(frozenset(people), type_id, _group(session, type_id), f"{subject} {body}", now)
    found = []
    for row in rows:
        old = Matter(
            frozenset({row.visitor_id, *others.get(row.id, ())}),
            row.type_id,
            row.type.parent_id or row.type_id,
            f"{row.subject} {row.body}",
            row.received_at,
        )
        points, reasons = rules.likeness(new, old)
        if points >= rules.POSSIBLE:
            found.append(Likely(row, points, reasons))
    return sorted(found, key=lambda one: -one.points)[:limit]


def elsewhere(session: Session, staff: Staff, *, people: set[str]) -> list[Elsewhere]:
    """Which of these visitors have an open petition that `staff` may not see: enough to ask them, and no more.

    Any such petition, whether it looks like this one or not: were it told of alike ones only, its type could be found
    out by trying all. Of secret ones not even this is told: whoever is threatened may be threatened by someone who asks
    here. If one is entered a second time, those who may see it find both.
    """
    if not people:
        return []
    open_ = Petition.state.in_(states.OPEN), Petition.confidentiality != SECRET
    first = select(Petition.id, Petition.visitor_id).where(Petition.visitor_id.in_(people), *open_)
    beside = (
        select(Petition.id, PetitionParty.visitor_id)
        .join(PetitionParty, PetitionParty.petition_id == Petition.id)
        .where(PetitionParty.visitor_id.in_(people), PetitionParty.role == PETITIONER, *open_)
    )
    rows = {tuple(row) for wanted in (first, beside) for row in session.execute(access.hidden(wanted, staff))}
    return [Elsewhere(petition_id, person_id) for petition_id, person_id in sorted(rows)]


def _group(session: Session, type_id: str) -> str:
    kind = session.get(PetitionType, type_id) if type_id else None
    return (kind.parent_id or kind.id) if kind is not None else ""


def _people(session: Session, ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    wanted = select(PetitionParty.petition_id, PetitionParty.visitor_id).where(PetitionParty.petition_id.in_(ids))
    for petition_id, visitor_id in session.execute(wanted):
        found.setdefault(petition_id, []).append(visitor_id)
    return found
