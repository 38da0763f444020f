"""Where a petition stands in the words of a text, which centre a text names, and in which language to answer. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from core.text import search_form
from reception.petitions import states

# What came of a text; the words for screens stand in web/messages/titles.py.
STOPPED, STARTED, LANGUAGE, HELPED, TOO_MANY, IGNORED = (
    "stopped",
    "started",
    "language",
    "helped",
    "too many",
    "ignored",
)
STATUS, NO_CASE, UNVERIFIED = "status", "no case", "unverified"
CONFIRMED, ASKED_CANCEL, CANCELLED, KEPT, LINK, NO_APPOINTMENT = (
    "confirmed", "asked to cancel", "cancelled", "kept", "link", "no appointment",
)  # fmt: skip
ACCEPTED, DECLINED, NO_OFFER = "accepted", "declined", "no offer"
ASKED_OFFER, ASKED_WHICH, ASKED_EITHER = "asked about the offer", "asked which", "asked: offer or cancel"
CENTRE, ASKED_CITY, CALL, NOT_UNDERSTOOD = "centre", "asked for the city", "call", "not understood"

READ_IN = timedelta(minutes=1)  # a text that left later may lie unread while its number answers an older one

_WORKING = {"ar": "قيد الدراسة لدى الجهة المختصة", "en": "the department is at work on it"}
STATUS_WORDS: Mapping[str, Mapping[str, str]] = {
    states.RECEIVED: {"ar": "وصلنا وهو قيد الإحالة", "en": "received, about to be sent on"},
    states.RETURNED: {"ar": "ينقصه شيء، فراجعوا مركزكم", "en": "something is missing, please see your centre"},
    states.ROUTED: {"ar": "أُحيل إلى الجهة المختصة", "en": "sent to the department"},
    states.TO_OFFICE: {"ar": "رُفع إلى مكتب معالي الوزير", "en": "sent to the Minister's office"},
    states.REOPENED: {"ar": "أُعيد فتحه لدى الجهة المختصة", "en": "taken up again by the department"},
    states.ACKNOWLEDGED: {"ar": "تسلّمته الجهة المختصة", "en": "the department has it in hand"},
    states.IN_PROGRESS: _WORKING,
    states.WAITING_VISITOR: {
        "ar": "ننتظر منكم معلومة، والسؤال في صفحة طلبكم",
        "en": "waiting for your answer to a question",
    },
    states.DECIDED: {"ar": "صدر القرار، ويُعدّ الرد عليه", "en": "decided, the answer is being prepared"},
    states.ANSWERED: {"ar": "صدر الرد عليه", "en": "answered"},
    states.CLOSED: {"ar": "اكتمل وأُغلق", "en": "complete and closed"},
}


class Place(Protocol):
    code: str
    name_ar: str
    name_en: str
    place_ar: str
    place_en: str


P = TypeVar("P", bound=Place)


def status_words(state: str, lang: str) -> str:
    return STATUS_WORDS.get(state, _WORKING)[lang]


def language(text: str, *wishes: str | None) -> str:
    """What the number or its owner wished for, else the script of the text itself."""
    for wish in wishes:
        if wish in ("ar", "en"):
            return wish
    return "en" if re.search(r"[A-Za-z]", text) and not re.search(r"[\u0600-\u06ff]", text) else "ar"


def meant(standing: Sequence[str], out: Mapping[str, datetime], *, at: datetime) -> str | None:
    """The one of the `standing` offers that a “yes” or “no” of `at` answers; None where there is a doubt.

    `out` is when the texts of offers left, of those too that stand no more: who was offered one time alone means that
    one, however quick the answer; else it must have been there long enough to be read.
    """
    readable = {offer: left for offer, left in out.items() if left < at}
    found = [offer for offer in standing if offer in readable]
    if len(found) != 1:
        return None
    return found[0] if len(readable) == 1 or at - readable[found[0]] >= READ_IN else None


def named_place(said: str, places: Iterable[P]) -> P | None:
    """The one place whose name or address has a word of `said`; None where none has, or several."""
    wanted = {_bare(word) for word in search_form(said).split() if len(word) > 2} - _COMMON
    if not wanted:
        return None
    found = [place for place in places if wanted & _words(place)]
    found = found or [place for place in places if any(_alike(one, other) for one in wanted for other in _words(place))]
    return found[0] if len(found) == 1 else None


_COMMON = frozenset({"مركز", "مدينه", "منطقه", "centre", "center", "city", "region", "طريق", "شارع", "road", "street"})


def short_names(names: list[str]) -> list[str]:
    """What tells them apart: the words that all begin or end with are left out: each of them costs room in a text."""
    told = [name.split() for name in names]
    while len(told) > 1 and all(len(one) > 1 and one[0] == told[0][0] for one in told):
        told = [one[1:] for one in told]
    while len(told) > 1 and all(len(one) > 1 and one[-1] == told[0][-1] for one in told):
        told = [one[:-1] for one in told]
    return [" ".join(one) for one in told]


def _alike(one: str, other: str) -> bool:
    """`ساحل` is meant by `ساحليه`, `coast` by `coastal`."""
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= 4 and longer.startswith(shorter)


def _bare(word: str) -> str:
    return word.removeprefix("ال") if len(word) > 4 else word


def _words(place: Place) -> set[str]:
    said = f"{place.code} {place.name_ar} {place.name_en} {place.place_ar} {place.place_en}"
    return {_bare(word) for word in search_form(said).split()} - _COMMON
