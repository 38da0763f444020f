"""Who has shown to be the visitor, when a promised call is due, and how long a concern may wait. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.errors import Mistake
from core.language import N_
from core.text import latin_digits

DIGITS = 4
CHECK_HOLDS = timedelta(minutes=15)  # a call that lasts longer is checked again
TRIES = 3  # wrong answers about one visitor, whoever of the team asked,
LOCKED_FOR = timedelta(minutes=15)  # within and for this long
CALL_AHEAD = timedelta(days=14)

COMPLAINT, ESCALATION = "complaint", "escalation"
KINDS = (COMPLAINT, ESCALATION)
ABOUT = {
    "waiting": N_("Long waiting"),
    "conduct": N_("How staff behaved"),
    "delay": N_("No answer for a long time"),
    "wrong": N_("Wrong or missing information"),
    "place": N_("The place, or access to it"),
    "other": N_("Something else"),
}
DUE = {COMPLAINT: timedelta(hours=24), ESCALATION: timedelta(hours=4)}  # of working time
RING_FOR = timedelta(minutes=10)  # an announced call whose end nobody told


def answers_fit(identity_number: str, phone: str, *, identity: str, called: str) -> bool:
    """Whether the caller knew the last digits of both the identity number and the phone number on file."""
    said = [_digits(identity), _digits(called)]
    return all(len(one) == DIGITS for one in said) and said == [identity_number[-DIGITS:], phone[-DIGITS:]]


def locked(wrong: Sequence[datetime], *, now: datetime) -> bool:
    """After so many wrong answers nobody guesses on; `wrong` are their times."""
    return sum(now - at < LOCKED_FOR for at in wrong) >= TRIES


def still_checked(passed_at: datetime | None, *, now: datetime) -> bool:
    return passed_at is not None and now - passed_at < CHECK_HOLDS


def call_at(wished: datetime | None, *, now: datetime) -> datetime:
    """When a caller wants to be called. Raises Mistake for the past and for what is too far ahead."""
    if wished is None:
        return now
    if wished < now - timedelta(minutes=1):
        raise Mistake("This time has passed. Choose a later one.", field="call_at")
    if wished > now + CALL_AHEAD:
        raise Mistake("A call can be promised for the next {days} days.", field="call_at", days=CALL_AHEAD.days)
    return wished


def _digits(text: str) -> str:
    return "".join(sign for sign in latin_digits(text) if sign.isdigit())
