"""Decisions about petitions: the number, the way, the deadline, who may agree. Pure."""

from datetime import datetime, timedelta

from core.calendar import hijri_of, local_day
from core.errors import Mistake
from core.language import N_
from core.staff.rules import AIDE, MANAGER, OFFICIAL, VERIFIER
from core.text import clean, search_form

# Numbers and deadlines belong to the ministry, not to a centre: one zone for all.
ZONE = "Asia/Riyadh"

NORMAL, URGENT = "normal", "urgent"
OPEN_TO_STAFF, CONFIDENTIAL, SECRET = "open", "confidential", "secret"
LEVELS = (OPEN_TO_STAFF, CONFIDENTIAL, SECRET)

URGENT_DAYS = 2  # working days to the answer
URGENT_CUSTODY = timedelta(hours=2)  # by the clock on the wall: the urgent lane does not rest at night

# What a department may decide.
OUTCOMES = {
    "granted": N_("Granted"),
    "partly": N_("Granted in part"),
    "refused": N_("Refused"),
    "informed": N_("Answered with information"),
    "not_ours": N_("Another authority is competent"),
}

MAY_AGREE_TO_URGENCY = frozenset({VERIFIER, MANAGER, AIDE, OFFICIAL})

SUBJECT_MAX, BODY_MAX, TEXT_MAX = 160, 12_000, 4_000


def case_year(*, now: datetime, zone: str = ZONE) -> int:
    """The Hijri year in which a case is numbered: it turns at midnight of the ministry's zone."""
    return hijri_of(local_day(now, zone))[0]


def case_number(year: int, number: int) -> str:
    """`48-000123`: two digits of the Hijri year, then the count of the year."""
    return f"{year % 100:02d}-{number:06d}"


def may_reopen(settled_at: datetime, days: int, *, now: datetime) -> bool:
    """A settled case is taken up again within its type's window; afterwards the matter is entered anew."""
    return now <= settled_at + timedelta(days=days)


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
