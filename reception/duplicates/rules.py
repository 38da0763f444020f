"""How much two petitions look like one matter, and why one may think so. Pure; said in words, never a bare score."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.language import N_
from core.text import search_form

SAME_PERSON, SAME_TYPE, SAME_GROUP, ALIKE, VERY_ALIKE, RECENT = (
    "same_person", "same_type", "same_group", "alike", "very_alike", "recent",
)  # fmt: skip
REASONS = {
    SAME_PERSON: N_("the same person"),
    SAME_TYPE: N_("the same type"),
    SAME_GROUP: N_("a type of the same group"),
    ALIKE: N_("similar words"),
    VERY_ALIKE: N_("almost the same words"),
    RECENT: N_("entered this week"),
}
WEIGHTS = {SAME_PERSON: 30, SAME_TYPE: 30, SAME_GROUP: 12, ALIKE: 20, VERY_ALIKE: 45, RECENT: 10}
POSSIBLE = 60  # from here on it is shown; the same person with the same type is always shown
WEEK = timedelta(days=7)
_ALIKE, _VERY_ALIKE = 0.28, 0.6
_COMMON = frozenset(
    "في من على عن الى او و ان هذا هذه التي الذي قد لا ما لم لن كل مع بعد قبل بين "  # noqa: SIM905 - read as a line
    "the of to and in for a is on my".split()
)


@dataclass(frozen=True, slots=True)
class Matter:
    """What is compared: who stands in it (ids of visitors), its type and group, its words, since when."""

    people: frozenset[str]
    type_id: str
    group_id: str
    words: str
    at: datetime


def likeness(new: Matter, old: Matter) -> tuple[int, tuple[str, ...]]:
    """Points, and the reasons that gave them. Nothing but the same people makes a duplicate: of a stranger, 0."""
    if not new.people & old.people:
        return 0, ()
    reasons = [SAME_PERSON]
    if new.type_id and new.type_id == old.type_id:
        reasons.append(SAME_TYPE)
    elif new.group_id and new.group_id == old.group_id:
        reasons.append(SAME_GROUP)
    shared = overlap(new.words, old.words)
    if shared >= _VERY_ALIKE:
        reasons.append(VERY_ALIKE)
    elif shared >= _ALIKE:
        reasons.append(ALIKE)
    if timedelta() <= new.at - old.at < WEEK:
        reasons.append(RECENT)
    return sum(WEIGHTS[reason] for reason in reasons), tuple(reasons)


def overlap(one: str, other: str) -> float:
    """Share of what two texts have in common (Jaccard over runs of four letters within words, spelling made one).

    Runs of letters rather than words: الكفالة, كفالتي and بالكفالة have most of theirs in common.
    """
    first, second = _runs(one), _runs(other)
    if len(first) < 4 or len(second) < 4:
        return 0.0
    return len(first & second) / len(first | second)


def _runs(text: str) -> frozenset[str]:
    words = [word for word in search_form(text[:4000]).split() if word not in _COMMON and len(word) > 2]
    return frozenset(word[n : n + 4] for word in words for n in range(max(1, len(word) - 3)))
