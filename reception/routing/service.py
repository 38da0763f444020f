"""Rules as an administrator changes them: checked, tried on past petitions, saved as they were tried."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.language import Named
from core.staff.models import Staff
from core.staff.rules import AIDE, OFFICER, OFFICIAL
from core.text import clean, search_form
from reception.centres.models import Centre, Department
from reception.petitions import catalogue
from reception.petitions import rules as petition_rules
from reception.petitions.events import RoutingChanged
from reception.petitions.models import Petition, PetitionType, RoutingRule
from reception.routing import rules
from reception.routing.rules import Case, Rule

TRIED_ON = 500  # past petitions, the latest
SHOWN = 20
STEP = 10
NEW = "new"


@dataclass(frozen=True, slots=True)
class Move:
    """A past petition that would go elsewhere. `where` it lies (or ended) in truth."""

    case_number: str
    type_id: str
    received_at: datetime
    was: str | None
    would: str | None
    where: str | None


@dataclass(slots=True)
class Trial:
    """What the change would have done to past petitions. `right`: it sends them where people sent them in the end."""

    looked: int = 0
    decided: int = 0  # by the rule itself
    moves: list[Move] = field(default_factory=list)
    ways: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    right: int = 0
    wrong: int = 0

    @property
    def moved(self) -> int:
        return sum(self.ways.values())


def get(session: Session, rule_id: str) -> RoutingRule:
    """Raises NotFound."""
    row = session.get(RoutingRule, rule_id)
    if row is None:
        raise NotFound("There is no such rule.")
    return row


def listed(session: Session) -> list[RoutingRule]:
    """Those in force in their order, then the others."""
    return list(session.scalars(select(RoutingRule).order_by(RoutingRule.active.desc(), RoutingRule.order)))


def checked(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a rule from what was entered. Raises Mistake."""
    target = _department(session, values.get("department_id"), "department")
    if target is None or not target.active:
        raise Mistake("Choose the department.", field="department")
    source = _department(session, values.get("from_department_id"), "from_department")
    if source is not None and source.id == target.id:
        raise Mistake("It would stay where it is. Choose another department.", field="department")
    known = set(session.scalars(select(PetitionType.code)))
    centres = set(session.scalars(select(Centre.code)))
    types = [code for code in values.get("type_codes", ()) if code in known]
    regions = [code for code in values.get("centre_codes", ()) if code in centres]
    urgency, secrecy = values.get("urgency") or None, values.get("confidentiality") or None
    if urgency not in (None, petition_rules.NORMAL, petition_rules.URGENT):
        raise Mistake("Please choose one of the options.", field="urgency")
    if secrecy is not None and secrecy not in petition_rules.LEVELS:
        raise Mistake("Please choose one of the options.", field="confidentiality")
    reasons = {name: clean(str(values.get(name, ""))) for name in ("reason_ar", "reason_en")}
    for name, reason in reasons.items():
        if not reason:
            raise Mistake("Say why: the reason stands in the story of every petition it sends.", field=name)
    return {
        "department_id": target.id,
        "from_department_id": source.id if source else None,
        "officer_id": _officer(session, values.get("officer_id"), target),
        "type_codes": types,
        "centre_codes": regions,
        "keywords": rules.keywords(str(values.get("keywords", ""))),
        "urgency": urgency,
        "confidentiality": secrecy,
        "active": bool(values.get("active", True)),
        **reasons,
    }


def after(session: Session, columns: Mapping[str, Any], *, rule_id: str | None, before: str = "") -> list[Rule]:
    """All rules in force as they would stand with this one changed or added, in front of `before` (else last).

    Raises Mistake when they could lead a petition in a circle.
    """
    present = [catalogue.as_rule(row) for row in listed(session) if row.active and row.id != rule_id]
    if columns["active"]:
        place = next((n for n, rule in enumerate(present) if rule.id == before), len(present))
        present.insert(place, _rule(rule_id or NEW, columns))
    found = [replace(rule, order=(n + 1) * STEP) for n, rule in enumerate(present)]
    if round_trip := rules.circle(found, catalogue.leaves(session)):
        names = {row.id: row for row in session.scalars(select(Department))}
        path = [names[rule.from_department_id or ""] for rule in [*round_trip, round_trip[0]]]
        way = Named(" ← ".join(row.name_ar for row in path), " → ".join(row.name_en for row in path))
        raise Mistake(
            "These rules lead in a circle: {way}. Change one of them first.",
            field="department",
            way=way,
        )
    return found


def try_out(session: Session, proposed: Sequence[Rule], *, rule_id: str | None, most: int = TRIED_ON) -> Trial:
    """Send the latest petitions on their way once more, by the rules in force and by the proposed ones."""
    present = [catalogue.as_rule(row) for row in listed(session) if row.active]
    kinds = {row.id: tuple(catalogue.codes(session, row)) for row in session.scalars(select(PetitionType))}
    centres = {row.id: row.code for row in session.scalars(select(Centre))}
    columns = (
        Petition.case_number, Petition.type_id, Petition.urgency, Petition.centre_id, Petition.confidentiality,
        Petition.subject, Petition.body, Petition.department_id, Petition.received_at,
    )  # fmt: skip
    trial = Trial()
    for row in session.execute(select(*columns).order_by(Petition.received_at.desc()).limit(most)):
        case = Case(
            codes=kinds[row.type_id],
            urgency=row.urgency,
            centre=centres.get(row.centre_id, ""),
            confidentiality=row.confidentiality,
            text=search_form(f"{row.subject} {row.body}"),
        )
        was, would = rules.chain(case, present), rules.chain(case, proposed)
        trial.looked += 1
        trial.decided += any(rule.id == (rule_id or NEW) for rule in would)
        ends = (was[-1].department_id if was else None, would[-1].department_id if would else None)
        if ends[0] == ends[1]:
            continue
        trial.ways[ends] += 1
        trial.right += ends[1] == row.department_id
        trial.wrong += ends[0] == row.department_id
        if len(trial.moves) < SHOWN:
            trial.moves.append(Move(row.case_number, row.type_id, row.received_at, *ends, row.department_id))
    return trial


def mark(proposed: Sequence[Rule], columns: Mapping[str, Any]) -> str:
    """Tells what was tried from everything else: the rule's columns, and how all rules then stand."""
    told = json.dumps([dict(columns), [repr(rule) for rule in proposed]], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()


def save(
    session: Session, values: Mapping[str, Any], *, rule_id: str | None, before: str = "", tried: str, now: datetime
) -> RoutingRule:
    """Save what was tried. Raises Refused where anything has changed since the trial, Mistake as `checked` does."""
    session.execute(select(RoutingRule.id).with_for_update())  # who changes the order changes all of them
    columns = checked(session, values)
    proposed = after(session, columns, rule_id=rule_id, before=before)
    if tried != mark(proposed, columns):
        raise Refused("Try it on past petitions first: something has changed since the last trial.")
    row = get(session, rule_id) if rule_id else RoutingRule(id=new_id(), order=0)
    was = {name: getattr(row, name) for name in columns} if rule_id else {}
    for name, value in columns.items():
        setattr(row, name, value)
    row.changed_at = now
    session.add(row)
    session.flush()
    for rule in proposed:
        session.get_one(RoutingRule, row.id if rule.id == NEW else rule.id).order = rule.order
    session.flush()
    changed = sorted(name for name, value in columns.items() if was.get(name) != value)
    audit.note(session, "change" if rule_id else "create", "routing rule", row.id, now=now, detail={"fields": changed})
    emit(session, RoutingChanged(rule_id=row.id), now=now)
    return row


def _rule(rule_id: str, columns: Mapping[str, Any]) -> Rule:
    return Rule(
        id=rule_id,
        order=0,
        type_codes=tuple(columns["type_codes"]),
        urgency=columns["urgency"],
        department_id=columns["department_id"],
        centre_codes=tuple(columns["centre_codes"]),
        keywords=tuple(columns["keywords"]),
        confidentiality=columns["confidentiality"],
        from_department_id=columns["from_department_id"],
    )


def _department(session: Session, department_id: object, field_: str) -> Department | None:
    if not department_id:
        return None
    found = session.get(Department, str(department_id))
    if found is None:
        raise Mistake("Choose the department.", field=field_)
    return found


def _officer(session: Session, staff_id: object, department: Department) -> str | None:
    """A person at work in the department who may hold a case. Raises Mistake."""
    if not staff_id:
        return None
    person = session.get(Staff, str(staff_id))
    fitting = {AIDE, OFFICIAL} if department.is_office else {OFFICER}
    here = person is not None and (department.is_office or person.department_id == department.id)
    if person is None or not person.active or not here or not person.roles & fitting:
        raise Mistake("Choose an officer of this department.", field="officer")
    return person.id
