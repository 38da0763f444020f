"""Types of petitions as the ministry changes them: each change is a version, and what was entered keeps its own."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.calendar import day_of
from core.db import new_id
from core.errors import Mistake, NotFound
from core.events import emit
from core.text import clean, latin_digits
from reception.petitions import rules
from reception.petitions.catalogue import DEEPEST
from reception.petitions.events import PetitionTypeChanged
from reception.petitions.models import PetitionType, PetitionTypeVersion

TEXT, NUMBER, DATE, CHOICE = "text", "number", "date", "choice"
ANSWERS = (TEXT, NUMBER, DATE, CHOICE)
MOST_ASKED = 12
ANSWER_MAX = 400
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
# What a version keeps. Names are there to be read later; `parent` so that a moved type is traced.
KEPT = (
    "name_ar", "name_en", "hint_ar", "hint_en", "icon", "parent_id", "place", "urgent_lane", "confidentiality", "days",
    "active", "fields", "papers", "steps", "reopen_days",
)  # fmt: skip


def get(session: Session, type_id: str) -> PetitionType:
    """Raises NotFound."""
    row = session.get(PetitionType, type_id)
    if row is None:
        raise NotFound("There is no such petition type.")
    return row


def create(session: Session, *, code: str, values: Mapping[str, Any], staff_id: str, now: datetime) -> PetitionType:
    """Raises Mistake for a code that is taken or can't be, and for values that can't be."""
    short = latin_digits(code).strip().lower()
    if not _CODE.fullmatch(short):
        raise Mistake("A code has 2 to 40 small Latin letters, digits or hyphens.", field="code")
    if session.scalar(select(PetitionType.id).where(PetitionType.code == short)):
        raise Mistake("This code is taken.", field="code")
    row = PetitionType(id=new_id(), code=short, version=1, **_checked(session, None, values))
    session.add(row)
    session.flush()
    keep_version(session, row, by=staff_id, now=now)
    audit.note(session, "create", "petition type", row.id, now=now, detail={"code": row.code})
    emit(session, PetitionTypeChanged(type_id=row.id, version=1), now=now)
    return row


def change(
    session: Session, type_id: str, *, version: int, values: Mapping[str, Any], staff_id: str, now: datetime
) -> PetitionType:
    """A new version, unless nothing changed. `version` is the one that was read: raises Mistake if there is a newer."""
    wanted = select(PetitionType).where(PetitionType.id == type_id).with_for_update()
    row = session.scalar(wanted.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("There is no such petition type.")
    if row.version != version:
        raise Mistake("A colleague has changed this type meanwhile. Look at it again, then change it.", field="")
    checked = _checked(session, row, values)
    changed = sorted(name for name, value in checked.items() if getattr(row, name) != value)
    if not changed:
        return row
    if session.get(PetitionTypeVersion, (row.id, row.version)) is None:  # it was there before versions were kept
        keep_version(session, row, by=None, now=now)
    for name in changed:
        setattr(row, name, checked[name])
    row.version += 1
    session.flush()
    keep_version(session, row, by=staff_id, now=now)
    audit.note(session, "change", "petition type", row.id, now=now, detail={"version": row.version, "fields": changed})
    emit(session, PetitionTypeChanged(type_id=row.id, version=row.version), now=now)
    return row


def keep_version(session: Session, row: PetitionType, *, by: str | None, now: datetime) -> None:
    values = {name: getattr(row, name) for name in KEPT}
    session.add(PetitionTypeVersion(type_id=row.id, version=row.version, values=values, since=now, by=by))
    session.flush()


def versions(session: Session, type_id: str) -> list[PetitionTypeVersion]:
    """The latest first."""
    wanted = select(PetitionTypeVersion).where(PetitionTypeVersion.type_id == type_id)
    return list(session.scalars(wanted.order_by(PetitionTypeVersion.version.desc())))


def answers(asked: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, str]:
    """What was answered to the type's own questions, cleaned. Raises Mistake at `detail_<code>`."""
    found = {}
    for question in asked:
        code, field = str(question["code"]), f"detail_{question['code']}"
        value = clean(given.get(code, ""))[:ANSWER_MAX]
        if not value:
            if question.get("required"):
                raise Mistake("This type asks for it. Please fill it in.", field=field)
            continue
        found[code] = _answer(question, value, field)
    return found


def _answer(question: Mapping[str, Any], value: str, field: str) -> str:
    kind = question.get("kind", TEXT)
    if kind == NUMBER:
        digits = latin_digits(value).replace(" ", "")
        if not re.fullmatch(r"\d{1,20}", digits):
            raise Mistake("Write digits only.", field=field)
        return digits
    if kind == DATE:
        try:
            return day_of(value).isoformat()
        except (ValueError, Mistake):
            raise Mistake("Write the day like 2026-09-23 or 1448/4/12.", field=field) from None
    if kind == CHOICE and value not in question.get("choices", ()):
        raise Mistake("Please choose one of the options.", field=field)
    return value


def _checked(session: Session, row: PetitionType | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Mistake."""
    found = {name: values[name] for name in KEPT if name in values}
    for name in ("name_ar", "name_en"):
        found[name] = clean(str(found.get(name, "")))
        if not found[name]:
            raise Mistake("Please fill this in.", field=name)
    if found["confidentiality"] not in rules.LEVELS:
        raise Mistake("Please choose one of the options.", field="confidentiality")
    if not 1 <= found["days"] <= 250:
        raise Mistake("Please enter a number from {low} to {high}.", field="days", low=1, high=250)
    found["fields"] = _asked(found.get("fields", []), field="fields")
    found["papers"] = _asked(found.get("papers", []), field="papers")
    found["parent_id"] = found.get("parent_id") or None
    _check_place(session, row, found["parent_id"])
    if row is not None and not found.get("active", True):
        below = select(PetitionType.id).where(PetitionType.parent_id == row.id, PetitionType.active)
        if session.scalar(below.limit(1)):
            raise Mistake("Types under it are in force. Retire or move them first.", field="active")
    return found


def _asked(rows: Sequence[Mapping[str, Any]], *, field: str) -> list[dict[str, Any]]:
    """Questions or papers: named in both languages, with a code each that stays the same."""
    if len(rows) > MOST_ASKED:
        raise Mistake("At most {most} here: every one costs the visitor time.", field=field, most=MOST_ASKED)
    found: list[dict[str, Any]] = []
    for n, given in enumerate(rows, start=1):
        ar, en = clean(str(given.get("label_ar", ""))), clean(str(given.get("label_en", "")))
        if not ar or not en:
            raise Mistake("Each needs its name in both languages.", field=field)
        code = str(given.get("code") or "") or _free_code(found, n, field)
        one: dict[str, Any] = {"code": code, "label_ar": ar, "label_en": en, "required": bool(given.get("required"))}
        if field == "fields":
            kind = given.get("kind", TEXT)
            if kind not in ANSWERS:
                raise Mistake("Please choose one of the options.", field=field)
            one["kind"] = kind
            if kind == CHOICE:
                choices = [clean(str(choice)) for choice in given.get("choices", ())]
                one["choices"] = [choice for choice in choices if choice]
                if len(one["choices"]) < 2:
                    raise Mistake("A choice needs at least two possibilities.", field=field)
        found.append(one)
    if len({one["code"] for one in found}) != len(found):
        raise Mistake("Two of these have the same code.", field=field)
    return found


def _free_code(found: Sequence[Mapping[str, Any]], n: int, field: str) -> str:
    known = {one["code"] for one in found}
    return next(code for k in range(n, n + 50) if (code := f"{field[0]}{k}") not in known)


def _check_place(session: Session, row: PetitionType | None, parent_id: str | None) -> None:
    """Under nothing, or a group that exists, is not the type itself nor under it, and not too deep."""
    at, depth = parent_id, 0
    while at is not None:
        parent = session.get(PetitionType, at)
        if parent is None:
            raise Mistake("Please choose one of the options.", field="parent")
        if row is not None and parent.id == row.id:
            raise Mistake("A type can't stand under itself.", field="parent")
        depth += 1
        if depth > DEEPEST:
            raise Mistake("The tree is at most {most} deep.", field="parent", most=DEEPEST)
        at = parent.parent_id


def next_place(session: Session, parent_id: str | None) -> int:
    """Behind those that are there."""
    return (session.scalar(select(func.max(PetitionType.place)).where(PetitionType.parent_id == parent_id)) or 0) + 1
