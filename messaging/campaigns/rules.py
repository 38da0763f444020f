"""Who a campaign may be sent to, and what it takes. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from core.errors import Mistake
from core.language import LANGUAGES, N_
from core.text import clean
from messaging.rules import MOST_PARTS, can_be_written_to, segments
from messaging.wording.rules import written

MOST = 100_000  # recipients of one campaign
PORTION = 250  # texts written at a time
AHEAD = 1000  # texts of a campaign that wait to leave: what a pause can't hold back is no more than this

NO_NUMBER, STOPPED, NO_WISH, UNVERIFIED = "no number", "stopped", "no wish", "unverified"
WHY = {
    NO_NUMBER: N_("no complete phone number"),
    STOPPED: N_("has asked for no texts"),
    NO_WISH: N_("has not asked for campaigns"),
    UNVERIFIED: N_("number not verified"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known of a number that a campaign means."""

    number: str
    language: str
    owner_id: str | None
    verified: bool
    stopped_at: datetime | None
    campaigns_at: datetime | None
    of_pilot: bool = False  # a member of our own staff who tries things out for the others


def why_not(wish: Wish) -> str:
    """Why nothing may be sent there; empty when it may."""
    if not can_be_written_to(wish.number):
        return NO_NUMBER
    if wish.stopped_at is not None:
        return STOPPED
    if wish.of_pilot:
        return ""
    if not wish.verified:
        return UNVERIFIED
    return "" if wish.campaigns_at is not None else NO_WISH


def words(given: Mapping[str, str]) -> dict[str, str]:
    """The texts as they are kept. Raises Mistake at the language that can't be sent."""
    kept = {}
    for language in LANGUAGES:
        text = written(given.get(language, ""), field=language)
        if not text:
            raise Mistake("Please fill this in.", field=language)
        if (count := segments(text).count) > MOST_PARTS:
            raise Mistake(
                "At its longest this takes {n} parts; {most} are allowed.", field=language, n=count, most=MOST_PARTS
            )
        kept[language] = text
    return kept


def name(text: str) -> str:
    kept = clean(text)[:120]
    if not kept:
        raise Mistake("Please fill this in.", field="name")
    return kept


def parts(given: Mapping[str, str], languages: Iterable[str]) -> int:
    """Parts of all texts together, one for each language in `languages`."""
    each = {language: segments(text).count for language, text in given.items()}
    return sum(each[language] for language in languages)
