"""What happened when in a recording: the list that a viewer jumps by, and what was written, as lines."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.language import N_
from core.text import isolated, search_form
from recordings.journal_records import Mark
from web.exports import words
from web.exports.film import switched_off, why_dark

ORDER, MARK, CAME, LEFT, GAP, LOST, BROKEN = "order", "mark", "came", "left", "gap", "lost", "broken"
ICONS = {
    ORDER: "order",
    MARK: "mark",
    CAME: "door",
    LEFT: "sign-out",
    GAP: "video-off",
    LOST: "warning",
    BROKEN: "warning",
}
SAID = {
    MARK: N_("A marked moment"),
    CAME: N_("{name} came in"),
    LEFT: N_("{name} left"),
    LOST: N_("Part of the record is missing here"),
    BROKEN: N_("The recording broke off here"),
}
BEFORE_S = 15.0  # an order opens so long before its mark
SHORTEST_GAP_S = 3.0  # a shorter one is drawn, and not listed
MOST_GAPS = 40
HOUSEKEEPING = frozenset({"started", "ended", "connected", "disconnected", "left", "media", "text", "journal.lost"})

Say = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Chapter:
    """`start` is where a press on it begins to play; `at` where it stands on the line of time."""

    kind: str
    at: float
    start: float
    text: str
    href: str = ""

    @property
    def icon(self) -> str:
        return ICONS[self.kind]


@dataclass(frozen=True, slots=True)
class SideFacts:
    participant_id: str
    name: str
    has_video: bool
    gaps: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line of real-time text. `end` is when the caption goes; `key` is what a search looks in."""

    at: float
    end: float
    name: str
    text: str
    key: str


def chapters(
    sides: Iterable[SideFacts],
    marks: Sequence[Mark],
    names: Mapping[str, str],
    orders: Iterable[tuple[float, str, str]],
    duration: float,
    say: Say,
    *,
    broken: bool = False,
) -> list[Chapter]:
    """`orders` are (second, words, address); `broken`: the meeting went on when this ended. In the order of time."""
    found = [Chapter(ORDER, at, max(at - BEFORE_S, 0.0), text, href) for at, text, href in orders]
    found += _people(marks, names, say)
    for mark in marks:
        if mark.kind == "journal.lost":
            found.append(Chapter(LOST, mark.at, max(mark.at - 2, 0.0), say(SAID[LOST])))
        elif mark.kind not in HOUSEKEEPING:
            words_ = mark.data.get("text")
            text = words_ if isinstance(words_, str) and words_.strip() else say(SAID[MARK])
            found.append(Chapter(MARK, mark.at, max(mark.at - 2, 0.0), text))
    gaps = [gap for side in sides for gap in _gaps(side, marks, duration, say)]
    longest = sorted(gaps, key=lambda gap: gap[0], reverse=True)[:MOST_GAPS]
    found += [chapter for _, chapter in longest]
    if broken:
        found.append(Chapter(BROKEN, duration, max(duration - BEFORE_S, 0.0), say(SAID[BROKEN])))
    return sorted(found, key=lambda chapter: chapter.at)


def _people(marks: Sequence[Mark], names: Mapping[str, str], say: Say) -> list[Chapter]:
    """The first coming of each, and each leaving; broken lines are gaps, not comings and goings."""
    found, there = [], set()
    for mark in marks:
        who = str(mark.data.get("participant"))
        if who not in names:
            continue
        if mark.kind == "connected" and who not in there:
            there.add(who)
            found.append(Chapter(CAME, mark.at, mark.at, say(SAID[CAME]).format(name=isolated(names[who]))))
        elif mark.kind == "left" and who in there:
            there.discard(who)
            found.append(
                Chapter(LEFT, mark.at, max(mark.at - 2, 0.0), say(SAID[LEFT]).format(name=isolated(names[who])))
            )
    return found


def _gaps(side: SideFacts, marks: Sequence[Mark], duration: float, say: Say) -> list[tuple[float, Chapter]]:
    """(length, chapter) of each stretch without picture or sound that is worth a line of its own."""
    found = []
    pictures = [(a, b) for kind, a, b in side.gaps if kind == "video"]
    for kind, start, end in side.gaps:
        inner = start >= 0.05 and end <= duration - 0.05
        if end - start < SHORTEST_GAP_S or (kind == "video" and not side.has_video) or start < 0.05:
            continue
        if kind == "audio" and (not inner or any(a <= start + 1 and end - 1 <= b for a, b in pictures)):
            continue  # told by the picture's gap, or by leaving
        off = switched_off(marks, side.participant_id, kind, start + 0.5)
        if kind == "video":
            why = say(why_dark(start, end, duration, off))
        else:
            why = say(words.MICROPHONE_OFF if off else words.NO_SOUND)
        found.append((end - start, Chapter(GAP, start, max(start - 2, 0.0), f"{isolated(side.name)}: {why}")))
    return found


def spoken(marks: Iterable[Mark], names: Mapping[str, str]) -> list[Spoken]:
    """What was typed and sent. A caption stays as long as it takes to read, 3 to 9 seconds."""
    lines = []
    for mark in marks:
        text = mark.data.get("text")
        if mark.kind == "text" and isinstance(text, str) and text.strip():
            name = names.get(str(mark.data.get("participant")), "—")
            stays = min(max(3.0, 1.5 + len(text) / 14), 9.0)
            lines.append(Spoken(mark.at, mark.at + stays, name, text, search_form(f"{name} {text}")))
    return lines
