"""From a text as people write it to a command. Pure.

Understood are the words of `words.WORDS`, whatever the spelling of hamza, ة and ى, with Arabic-Indic digits, with or
without the article, with courtesies before and after, and with one slip of the thumb in a word of five letters or more.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.text import latin_digits, search_form
from messaging.inbound import words
from messaging.inbound.words import FILLERS, UNKNOWN, WORDS

SAFE_TO_GUESS = frozenset(WORDS) - {words.STOP, words.START, words.YES, words.NO, words.ARABIC, words.ENGLISH}
"""A slip is forgiven where the answer can be undone or is asked again: STOP is meant only when it is written."""
SHORTEST_GUESS = 5

DIALOGUE = timedelta(minutes=30)  # how long a question waits for its answer
HELP_AGAIN = timedelta(hours=24)  # who was told once what can be sent is not told with every text
MOST, WITHIN = 12, timedelta(hours=1)  # texts of one number that are answered

ASK_CANCEL, ASK_CITY, ASK_OFFER, ASK_EITHER = "cancel?", "city?", "offer?", "offer or cancel?"
QUESTIONS = (ASK_CANCEL, ASK_CITY, ASK_OFFER, ASK_EITHER)

_CASE = re.compile(r"(?<!\d)(\d{2})\s*[-‑–—/]?\s*(\d{6})(?!\d)")
_EXACT = {form: name for name, forms in WORDS.items() for form in (search_form(form) for form in forms) if form}
_LONGEST = max(len(form.split()) for form in _EXACT)


@dataclass(frozen=True, slots=True)
class Command:
    """`name` is one of `words`; `case` a case number in it (`48-000123`), `rest` the words that are none of either."""

    name: str
    case: str = ""
    rest: str = ""


def parse(text: str) -> Command:
    """What is meant. A bare case number asks for its status; a bare question mark for help."""
    plain = latin_digits(text)
    found = _CASE.search(plain)
    case = f"{found.group(1)}-{found.group(2)}" if found else ""
    left = plain[: found.start()] + " " + plain[found.end() :] if found else plain
    form = search_form(left)
    if not form:
        if case:
            return Command(words.STATUS, case)
        return Command(words.HELP if re.search(r"[?؟]", text) else words.EMPTY)
    told = form.split()
    name, rest = _leading(told)
    if name is None:
        kept = [word for word in told if word not in FILLERS]
        name, rest = _leading(kept) if kept else (words.HELP, [])
    if name is None:
        return Command(words.STATUS, case, form) if case else Command(UNKNOWN, rest=form)
    if name == words.LANGUAGE and rest:
        name = _EXACT.get(_bare(rest[0]), name)
        name = name if name in (words.ARABIC, words.ENGLISH) else words.LANGUAGE
    return Command(name, case, " ".join(word for word in rest if word not in FILLERS))


def too_many(count: int) -> bool:
    return count > MOST


def window(started: datetime | None, count: int, *, now: datetime) -> tuple[datetime, int]:
    """The running hour's beginning and how many texts it has with this one."""
    if started is None or now - started >= WITHIN:
        return now, 1
    return started, count + 1


def still_asked(question: str, expires_at: datetime | None, *, now: datetime) -> str:
    """The open question of a dialogue; none once its time has passed."""
    return question if question in QUESTIONS and expires_at is not None and now < expires_at else ""


def asked_at(expires_at: datetime) -> datetime:
    return expires_at - DIALOGUE


def helped_lately(helped_at: datetime | None, *, now: datetime) -> bool:
    return helped_at is not None and now - helped_at < HELP_AGAIN


def _leading(told: list[str]) -> tuple[str | None, list[str]]:
    """The longest command at the beginning, exact before guessed."""
    for size in range(min(_LONGEST, len(told)), 0, -1):
        for form in (" ".join(told[:size]), " ".join(_bare(word) for word in told[:size])):
            if form in _EXACT:
                return _EXACT[form], told[size:]
    if told and (guess := _guessed(_bare(told[0]))):
        return guess, told[1:]
    return None, told


def _bare(word: str) -> str:
    return word.removeprefix("ال") if len(word) > 4 and word not in _EXACT else word


def _guessed(word: str) -> str | None:
    """The one command that a single slip away from `word` could be."""
    if len(word) < SHORTEST_GUESS:
        return None
    near = {
        name
        for form, name in _EXACT.items()
        if name in SAFE_TO_GUESS and " " not in form and len(form) >= SHORTEST_GUESS and one_slip(word, form)
    }
    return near.pop() if len(near) == 1 else None


def one_slip(one: str, other: str) -> bool:
    """Whether a letter too many, too few, wrong, or two swapped is all that parts them (Damerau 1964)."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    left, right = one[start:], other[start:]
    if len(left) == len(right):
        return left[1:] == right[1:] or (left[:2] == right[:2][::-1] and left[2:] == right[2:])
    longer, shorter = (left, right) if len(left) > len(right) else (right, left)
    return longer[1:] == shorter
