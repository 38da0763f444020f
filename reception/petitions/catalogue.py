"""The tree of petition types and the routing rules, as they stand in the database."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Mistake
from core.text import search_form
from reception.petitions.models import Petition, PetitionType, PetitionTypeVersion, RoutingRule
from reception.routing import rules as routing
from reception.routing.rules import Case, Rule

DEEPEST = 4  # groups above one another


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


@dataclass(frozen=True, slots=True)
class Terms:
    """What a version of a type says: working days, who reads it, what intake asks for."""

    days: int
    confidentiality: str
    urgent_lane: bool
    fields: list[dict[str, Any]]
    papers: list[dict[str, Any]]
    steps: dict[str, Any]
    reopen_days: int

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Terms":
        return cls(**{name: values[name] for name in cls.__slots__})


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


def leaves(session: Session) -> dict[str, frozenset[str]]:
    """For every code the codes of the types under it that petitions are entered as (itself, if there is none)."""
    rows = session.scalars(select(PetitionType)).all()
    below: dict[str | None, list[PetitionType]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)

    def under(row: PetitionType, depth: int = 0) -> frozenset[str]:
        found = below.get(row.id, []) if depth < DEEPEST + 1 else []
        return frozenset().union(*(under(child, depth + 1) for child in found)) if found else frozenset((row.code,))

    return {row.code: under(row) for row in rows}


def terms(session: Session, petition: Petition) -> Terms:
    """What the petition's type asked for and promised when it was entered."""
    kind = petition.type
    if kind.version != petition.type_version:
        kept = session.get(PetitionTypeVersion, (kind.id, petition.type_version))
        if kept is not None:
            return Terms.of(kept.values)
    return Terms(
        kind.days, kind.confidentiality, kind.urgent_lane, kind.fields, kind.papers, kind.steps, kind.reopen_days
    )


def case_of(session: Session, petition: Petition) -> Case:
    """What the routing rules look at."""
    return Case(
        codes=tuple(codes(session, petition.type)),
        urgency=petition.urgency,
        centre=petition.centre.code,
        confidentiality=petition.confidentiality,
        text=search_form(f"{petition.subject} {petition.body}"),
    )


def as_rule(row: RoutingRule) -> Rule:
    return Rule(
        id=row.id,
        order=row.order,
        type_codes=tuple(row.type_codes),
        urgency=row.urgency,
        department_id=row.department_id,
        centre_codes=tuple(row.centre_codes or ()),
        keywords=tuple(row.keywords or ()),
        confidentiality=row.confidentiality,
        from_department_id=row.from_department_id,
    )


def way(session: Session, petition: Petition) -> list[RoutingRule]:
    """The routing rules that hold for the petition, one leading to the next; the last one names where it goes."""
    wanted = select(RoutingRule).where(RoutingRule.active).order_by(RoutingRule.order)
    rows = {row.id: row for row in session.scalars(wanted)}
    found = routing.chain(case_of(session, petition), [as_rule(row) for row in rows.values()])
    return [rows[rule.id] for rule in found]
