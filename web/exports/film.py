"""What an export's film is to show, gathered from the archive, the journal and the case."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from core.calendar import local_day
from core.language import catalogue
from core.settings import Settings
from core.staff.models import Staff
from reception.petitions.models import Petition
from recordings.archive.models import Rendition
from recordings.export import rules
from recordings.export.making import NotMade, named_problems
from recordings.export.models import Export
from recordings.export.overlay import both_calendars
from recordings.export.plan import Film, Gap, Line, Side
from recordings.journal import JournalReader
from recordings.journal_records import Mark
from recordings.keys import KeyRing
from video.meetings.models import Meeting
from video.meetings.rules import AIDE, INTERPRETER, OFFICIAL, VISITOR
from web.exports import words
from web.render import HERE

ORDER = (OFFICIAL, AIDE, VISITOR, INTERPRETER)
"""Reading order on the film."""


@dataclass(frozen=True, slots=True)
class _Person:
    id: str
    role: str
    name: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows, so that the journal is read with no transaction open."""

    recording_id: str
    journal: str
    started_at: datetime
    duration: float
    case_number: str
    people: tuple[_Person, ...]
    films: tuple[Rendition, ...]
    requester: str
    purpose: str
    day: str
    lang: str
    format: str


def facts_of(session: Session, export_id: str, *, zone: str) -> Facts:
    export = session.get_one(Export, export_id)
    recording = export.recording
    meeting = session.get(Meeting, recording.meeting_id)
    petition = session.get(Petition, recording.petition_id)
    requester = session.get(Staff, export.asked_by)
    films = tuple(sorted(recording.renditions, key=lambda film: (_place(film.role), film.participant_id)))
    people = meeting.participants if meeting else []
    session.expunge_all()
    return Facts(
        recording_id=recording.id,
        journal=recording.journal,
        started_at=recording.started_at,
        duration=recording.duration_s or 0.0,
        case_number=petition.case_number if petition else "",
        people=tuple(_Person(p.id, p.role, p.name_ar if export.lang == "ar" else p.name_en) for p in people),
        films=films,
        requester=requester.name(export.lang) if requester else "—",
        purpose=export.purpose,
        day=both_calendars(local_day(export.asked_at, zone), export.lang),
        lang=export.lang,
        format=export.format,
    )


def film_of(facts: Facts, settings: Settings, keyring: KeyRing) -> Film:
    """Raises NotMade for a journal that can't be read: its marks belong to the film."""
    say = catalogue(facts.lang, HERE / "locale").gettext
    marks = marks_of(settings.recordings_dir / facts.journal, facts.recording_id, keyring)
    names = {person.id: person.name for person in facts.people}
    case = say(words.CASE).format(number=_apart(facts.case_number)) if facts.case_number else ""
    return Film(
        owner=facts.recording_id,
        sides=tuple(_side(film, facts, marks, settings.recordings_dir, say) for film in facts.films),
        duration=facts.duration,
        started_at=facts.started_at,
        zone=settings.timezone,
        lang=facts.lang,
        format=facts.format,
        head=case,
        stamp=say(words.STAMP).format(name=facts.requester, purpose=facts.purpose, day=facts.day),
        mark=(f"{facts.requester} · {facts.day}", _short(facts.purpose)),
        only_sound=say(words.ONLY_SOUND),
        lines=tuple(lines_of(marks, names)),
        title=case,
    )


def marks_of(journal: Path, recording_id: str, keyring: KeyRing) -> list[Mark]:
    with named_problems(), JournalReader(journal, keyring) as reader:
        if reader.meta.recording_id != recording_id:
            raise NotMade(rules.ALTERED, "the journal is that of another recording")
        deque(reader.raw(), maxlen=0)
        return reader.marks


def lines_of(marks: Iterable[Mark], names: dict[str, str]) -> list[Line]:
    """What was typed and sent; a correction of a line comes as the line once more, and is shown so."""
    return [
        Line(mark.at, names.get(str(mark.data.get("participant")), "—"), text)
        for mark in marks
        if mark.kind == "text" and isinstance(text := mark.data.get("text"), str) and text.strip()
    ]


def switched_off(marks: Iterable[Mark], participant: str, kind: str, at: float) -> bool:
    """Had this participant switched the camera ("video") or microphone ("audio") off at that time?"""
    state = True
    for mark in marks:
        if mark.at > at:
            break
        if mark.kind == "media" and mark.data.get("participant") == participant:
            state = mark.data.get(kind) is not False
    return not state


def why_dark(start: float, end: float, duration: float, off: bool) -> str:
    """The words for a gap in a picture."""
    if start < 0.05:
        return words.NOT_YET
    if off:
        return words.CAMERA_OFF
    return words.NO_LONGER if end > duration - 0.05 else words.INTERRUPTED


def _side(film: Rendition, facts: Facts, marks: Sequence[Mark], folder: Path, say: object) -> Side:
    assert callable(say)
    name = film.name(facts.lang)
    dark, silent = [], []
    for kind, start, end in film.gaps:
        off = switched_off(marks, film.participant_id, kind, start + 0.5)
        if kind == "video":
            dark.append(Gap(start, end, say(why_dark(start, end, facts.duration, off))))
        elif start >= 0.05 and end <= facts.duration - 0.05:
            silent.append(Gap(start, end, say(words.MICROPHONE_OFF if off else words.NO_SOUND)))
    return Side(
        path=folder / film.path,
        name=say(words.INTERPRETER).format(name=name) if film.role == INTERPRETER else name,
        has_video=film.has_video,
        has_audio=film.has_audio,
        dark=tuple(dark),
        silent=tuple(silent),
    )


def _place(role: str) -> int:
    return ORDER.index(role) if role in ORDER else len(ORDER)


def _apart(number: str) -> str:
    """In a run of its own, whatever the direction of the words around it (UAX #9: LRI, PDI)."""
    return f"\u2066{number}\u2069"


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
