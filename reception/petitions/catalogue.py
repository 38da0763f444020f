"""The tree of petition types and the routing rules, as they stand in the database."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Mistake
from reception.petitions import rules
from reception.petitions.models import PetitionType, RoutingRule


@dataclass(slots=True)
class Branch:
    """A type with those under it; the leaves are what a petition is entered as."""

    type: PetitionType
    below: list["Branch"] = field(default_factory=list)

    def leaves(self) -> Iterator[PetitionType]:
        if not self.below:
            yield self.type
        for branch in self.below:
            yield from branch.leaves()


def tree(session: Session) -> list[Branch]:
    """The active types from the roots, in their places."""
    rows = session.scalars(
        select(PetitionType).where(PetitionType.active).order_by(PetitionType.place, PetitionType.code)
    ).all()
    branches = {row.id: Branch(row) for row in rows}
    roots = []
    for row in rows:
        if row.parent_id in branches:
            branches[row.parent_id].below.append(branches[row.id])
        elif row.parent_id is None:
            roots.append(branches[row.id])
    return roots


def leaf(session: Session, type_id: str) -> PetitionType:
    """A type that a petition may be entered as. Raises Mistake for none, a retired one or one with types under it."""
    found = session.get(PetitionType, type_id) if type_id else None
    if found is None or not found.active:
        raise Mistake("Choose the type first: it decides where the petition goes.", field="type")
    if session.scalar(select(PetitionType.id).where(PetitionType.parent_id == found.id, PetitionType.active).limit(1)):
        raise Mistake("This is a group of types: choose one under it.", field="type")
    return found


def by_code(session: Session, code: str) -> PetitionType:
    """Raises Mistake."""
    found = session.scalar(select(PetitionType).where(PetitionType.code == code))
    if found is None:
        raise Mistake("There is no petition type “{code}”.", field="type", code=code)
    return found


def codes(session: Session, kind: PetitionType) -> list[str]:
    """The type's code, then its parents': rules that name a parent hold for all under it."""
    found = [kind.code]
    seen = {kind.id}
    above = kind.parent_id
    while above is not None and above not in seen:
        seen.add(above)
        parent = session.get(PetitionType, above)
        if parent is None:
            break
        found.append(parent.code)
        above = parent.parent_id
    return found


def route(session: Session, kind: PetitionType, urgency: str) -> RoutingRule | None:
    """The routing rule that holds for this type and urgency."""
    rows = {
        row.id: row
        for row in session.scalars(select(RoutingRule).where(RoutingRule.active).order_by(RoutingRule.order))
    }
    known = [
        rules.Rule(row.id, row.order, tuple(row.type_codes), row.urgency, row.department_id) for row in rows.values()
    ]
    chosen = rules.route(codes(session, kind), urgency, known)
    return rows[chosen.id] if chosen else None
