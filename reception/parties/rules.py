"""Who may act for whom, until when, and who is told. Pure."""

from dataclasses import dataclass
from datetime import date

from core.calendar import full_day
from core.errors import Mistake
from core.language import N_, Named
from core.text import clean, latin_digits

PETITIONER, AGENT = "petitioner", "agent"
FIRST_DAY, LAST_DAY = date(1940, 1, 1), date(2075, 12, 31)
MOST = 20  # more who ask for the same bring a list as a paper

POWERS = {
    "wakala": N_("power of attorney"),
    "guardian": N_("guardian of a minor"),
    "court": N_("decision of a court"),
    "lawyer": N_("lawyer's licence and mandate"),
    "embassy": N_("mandate of an embassy"),
}
RELATIONS = {
    "spouse": N_("spouse"),
    "child": N_("son or daughter"),
    "parent": N_("father or mother"),
    "sibling": N_("brother or sister"),
    "relative": N_("another relative"),
    "other": N_("not of the family"),
}
_TURNED = {"spouse": "spouse", "child": "parent", "parent": "child", "sibling": "sibling", "relative": "relative"}


@dataclass(frozen=True, slots=True)
class Power:
    """What an agent shows. `until` is the last day on which it counts; None has no end."""

    kind: str
    number: str
    until: date | None


def power(kind: str, number: str, until: str, *, today: date, proof: bool) -> Power:
    """A checked power to act. Raises Mistake: which kind, its number, its end, or the paper that shows it."""
    if kind not in POWERS:
        raise Mistake("Choose what lets this person act for the visitor.", field="agent_power")
    told = clean(number)[:60]
    if kind in ("wakala", "court", "lawyer") and not told:
        raise Mistake("Write the number of the document.", field="agent_number")
    end = day(until, field="agent_until")
    if end is not None and end < today:
        raise Mistake("This document ended on {day}: it lets nobody act any more.", field="agent_until", day=_said(end))
    if kind == "wakala" and end is None:
        raise Mistake("Write the day on which the power of attorney ends.", field="agent_until")
    if not proof:
        raise Mistake("Scan or add the document that lets this person act.", field="agent_proof")
    return Power(kind, told, end)


def day(text: str, *, field: str) -> date | None:
    """A day as a date field sends it; None for nothing. Raises Mistake."""
    given = latin_digits(text).strip()
    if not given:
        return None
    try:
        found = date.fromisoformat(given)
    except ValueError:
        raise Mistake("This is not a day.", field=field) from None
    if not FIRST_DAY <= found <= LAST_DAY:  # the tables of the Hijri calendar go little further
        raise Mistake("This is not a day.", field=field)
    return found


def _said(day: date) -> Named:
    return Named(full_day(day, "ar"), full_day(day, "en"))


def in_force(role: str, until: date | None, *, today: date) -> bool:
    """Whether the person still stands in the petition: an agent's power may have ended."""
    return role != AGENT or until is None or until >= today


def turned(relation: str) -> str:
    """What the other one is: a daughter's father. Empty where nothing follows."""
    return _TURNED.get(relation, "")
