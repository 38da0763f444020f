from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from reception.duplicates import rules
from reception.duplicates.rules import Matter
from reception.parties.models import PetitionParty
from reception.petitions import states
from reception.petitions.models import Petition, PetitionType

LOOKED_AT = 60  # of one person's open petitions, the latest


@dataclass(frozen=True, slots=True)
class Likely:
    """An open petition that may be the same matter, with the reasons (keys of rules.REASONS)."""

    petition: Petition
    points: int
    reasons: tuple[str, ...]


def likely(
    session: Session,
    *,
    people: set[str],
    type_id: str,
    subject: str,
    body: str,
    now: datetime,
    leave_out: str = "",
    limit: int = 5,
) -> list[Likely]:
    """Open petitions of these visitors that look like this one, the likeliest first. No stranger's is looked at."""
    if not people:
        return []
    beside = select(PetitionParty.petition_id).where(PetitionParty.visitor_id.in_(people))
    rows = session.scalars(
        select(Petition)
        .where(
            or_(Petition.visitor_id.in_(people), Petition.id.in_(beside)),
            Petition.state.in_(states.OPEN),
            Petition.id != leave_out,
        )
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


def _group(session: Session, type_id: str) -> str:
    kind = session.get(PetitionType, type_id) if type_id else None
    return (kind.parent_id or kind.id) if kind is not None else ""


def _people(session: Session, ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    wanted = select(PetitionParty.petition_id, PetitionParty.visitor_id).where(PetitionParty.petition_id.in_(ids))
    for petition_id, visitor_id in session.execute(wanted):
        found.setdefault(petition_id, []).append(visitor_id)
    return found
