"""Decisions about petitions: the number, the way, the deadline, who may agree. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.calendar import at_local, hijri_of, local_day
from core.errors import Mistake
from core.staff.rules import AIDE, MANAGER, OFFICIAL, VERIFIER
from core.text import clean, search_form

# Numbers and deadlines belong to the ministry, not to a centre: one zone for all.
ZONE = "Asia/Riyadh"
WEEKEND = (4, 5)  # Monday is 0: Friday and Saturday
CLOSING_HOUR = 15

NORMAL, URGENT = "normal", "urgent"
OPEN_TO_STAFF, CONFIDENTIAL = "open", "confidential"

URGENT_DAYS = 2  # working days to the answer
CUSTODY_DAYS = 1  # working days in which a receiver confirms what was sent
URGENT_CUSTODY = timedelta(hours=2)

MAY_AGREE_TO_URGENCY = frozenset({VERIFIER, MANAGER, AIDE, OFFICIAL})

SUBJECT_MAX, BODY_MAX, TEXT_MAX = 160, 12_000, 4_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A routing rule as data. Empty `type_codes` is every type; None urgency is either."""

    id: str
    order: int
    type_codes: tuple[str, ...]
    urgency: str | None
    department_id: str


def route(codes: Sequence[str], urgency: str, rules: Sequence[Rule]) -> Rule | None:
    """The first rule, in its order, that names the type or one of its parents. `codes`: the type, then its parents."""
    for rule in sorted(rules, key=lambda r: (r.order, r.id)):
        if rule.urgency not in (None, urgency):
            continue
        if not rule.type_codes or set(rule.type_codes) & set(codes):
            return rule
    return None


def case_year(*, now: datetime, zone: str = ZONE) -> int:
    """The Hijri year in which a case is numbered: it turns at midnight of the ministry's zone."""
    return hijri_of(local_day(now, zone))[0]


def case_number(year: int, number: int) -> str:
    """`48-000123`: two digits of the Hijri year, then the count of the year."""
    return f"{year % 100:02d}-{number:06d}"


def working_days_after(start: datetime, days: int, *, zone: str = ZONE, weekend: tuple[int, ...] = WEEKEND) -> datetime:
    """Closing time of the `days`-th working day after the day of `start`."""
    day = local_day(start, zone)
    left = days
    while left > 0:
        day += timedelta(days=1)
        left -= day.weekday() not in weekend
    return at_local(day, CLOSING_HOUR, 0, zone)


def answer_due(urgency: str, type_days: int, *, now: datetime) -> datetime:
    return working_days_after(now, min(URGENT_DAYS, type_days) if urgency == URGENT else type_days)


def custody_due(urgency: str, *, now: datetime) -> datetime:
    return now + URGENT_CUSTODY if urgency == URGENT else working_days_after(now, CUSTODY_DAYS)


def due_after_waiting(due: datetime, asked_at: datetime, *, now: datetime) -> datetime:
    """A deadline that stood still while the visitor was asked moves by as long as that took."""
    return due + (now - asked_at)


def subject(text: str) -> str:
    kept = clean(text)
    if not kept:
        raise Mistake("Write in a few words what the petition asks for.", field="subject")
    if len(kept) > SUBJECT_MAX:
        raise Mistake("This is too long: {max} letters at most.", field="subject", max=SUBJECT_MAX)
    return kept


def body(text: str) -> str:
    kept = clean(text, lines=True)
    if len(kept) < 10:
        raise Mistake("Write down what the visitor asks for.", field="body")
    if len(kept) > BODY_MAX:
        raise Mistake("This is too long: {max} letters at most.", field="body", max=BODY_MAX)
    return kept


def words(text: str, *, field: str) -> str:
    """A reason, question, answer or note: never empty, since the next reader has nothing else. Raises Mistake."""
    kept = clean(text, lines=True)
    if not kept:
        raise Mistake("Write a few words: the next reader has nothing else.", field=field)
    if len(kept) > TEXT_MAX:
        raise Mistake("This is too long: {max} letters at most.", field=field, max=TEXT_MAX)
    return kept


def search_text(number: str, *texts: str) -> str:
    return search_form(" ".join((number, number.replace("-", ""), *texts)))
