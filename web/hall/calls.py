"""The calls a hall has to announce: every call and recall of the last minute and a half, by the server's clock.

A screen announces each once, by its id. Whatever it missed while its line was broken is still here when it is back.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from queueing.tickets import states
from queueing.tickets.models import CallLog, Counter, Ticket
from web.voice.clips import Voice
from web.voice.phrases import LANGUAGES, of_counter, of_label

SPOKEN = timedelta(seconds=90)  # older calls are shown, not spoken
MOST = 60
_UNDONE = (states.WAITING, states.CANCELLED)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A call as the screen needs it to speak; `clips` are addresses by language, empty where nobody can say it."""

    log_id: str
    ticket_id: str
    label: str
    counter_id: str
    counter_number: int
    counter_name_ar: str
    counter_name_en: str
    section: str
    language: str
    at: datetime
    clips: dict[str, list[str]]

    def counter_name(self, lang: str) -> str:
        return self.counter_name_ar if lang == "ar" else self.counter_name_en


def to_announce(session: Session, centre_id: str, voice: Voice | None, *, now: datetime) -> list[Spoken]:
    """Oldest first. A call that was taken back, or went on to another counter, is no longer among them."""
    rows = session.execute(
        select(CallLog, Ticket, Counter)
        .join(Ticket, Ticket.id == CallLog.ticket_id)
        .join(Counter, Counter.id == CallLog.counter_id)
        .where(*_young(centre_id, now))
        .order_by(CallLog.at.desc(), CallLog.id.desc())
        .limit(MOST)
    ).all()
    return [
        Spoken(
            log_id=log.id,
            ticket_id=ticket.id,
            label=ticket.label,
            counter_id=counter.id,
            counter_number=counter.number,
            counter_name_ar=counter.name_ar,
            counter_name_en=counter.name_en,
            section=ticket.section,
            language=ticket.language,
            at=log.at,
            clips=clips_of(voice, ticket.label, counter.number),
        )
        for log, ticket, counter in reversed(rows)
    ]


def ids_to_announce(session: Session, centre_id: str, *, now: datetime) -> list[str]:
    """What a screen asks every few seconds, whatever its socket says: is there a call that I don't know?"""
    ids = select(CallLog.id).join(Ticket, Ticket.id == CallLog.ticket_id).where(*_young(centre_id, now))
    return list(session.scalars(ids.order_by(CallLog.at.desc(), CallLog.id.desc()).limit(MOST)))


def _young(centre_id: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        CallLog.centre_id == centre_id,
        CallLog.at > now - SPOKEN,
        Ticket.counter_id == CallLog.counter_id,
        Ticket.state.not_in(_UNDONE),
    )


def clips_of(voice: Voice | None, label: str, counter_number: int) -> dict[str, list[str]]:
    if voice is None:
        return {}
    said = {}
    for lang in LANGUAGES:
        clips = [voice.address(of_label(lang, label)), voice.address(of_counter(lang, counter_number))]
        if all(clips):
            said[lang] = [clip for clip in clips if clip]
    return said


def sections_matter(sections: Collection[str]) -> bool:
    """Where there is but one section, naming it is noise."""
    return len(sections) > 1
