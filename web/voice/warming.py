"""Clips made before they are needed: the numbers that will be called next, while nobody waits for them.

Runs beside the worker. A clip that isn't there when its call comes is made then, in tenths of a second, while the chime
rings: warming only spares the hall that moment. Where web and worker have no folder in common it does no harm.
"""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.calendar import local_day
from core.db import Database
from core.settings import Settings
from queueing.tickets import states
from queueing.tickets.models import Counter, ServicePoint, Ticket, TicketSeries
from reception.centres.service import centres
from web.voice.clips import Voice, voice_of
from web.voice.phrases import LANGUAGES, Phrase, of_counter, of_label

log = structlog.get_logger()
EVERY_S = 20.0
BREATH_S = 0.1  # at least, between two clips
BREATHS = 3.0  # times what the clip took: a core is for the calls of today, not for those of tomorrow
MOST_AT_ONCE = 200
UNUSED = timedelta(days=90)


def start_warming(settings: Settings, db: Database, stop: threading.Event) -> threading.Thread:
    """A thread of its own, which ends with the worker; whatever fails in it is logged and waited out."""
    voice = voice_of(settings)

    def run() -> None:
        while not stop.is_set():
            try:
                _round(voice, settings, db, stop)
            except Exception as error:
                log.warning("voice: clips could not be made ahead", error=str(error))
            stop.wait(EVERY_S)

    thread = threading.Thread(target=run, name="voice", daemon=True)
    thread.start()
    return thread


def likely(session: Session, zone: str, ahead: int, *, now: datetime) -> Iterator[Phrase]:
    """What will be said soon: the counters, those who wait, and `ahead` numbers of each letter that come next."""
    day = local_day(now, zone)
    for centre in centres(session):
        numbers = session.scalars(select(Counter.number).where(Counter.centre_id == centre.id)).all()
        waiting = session.scalars(
            select(Ticket.label)
            .where(Ticket.centre_id == centre.id, Ticket.state == states.WAITING, Ticket.expires_at > now)
            .order_by(Ticket.issued_at)
        ).all()
        points = session.scalars(select(ServicePoint).where(ServicePoint.centre_id == centre.id, ServicePoint.active))
        last = {p.letter: max(_last(session, centre.id, p.letter, day), p.first_number - 1) for p in points}
        coming = [f"{letter}{last[letter] + step}" for step in range(1, ahead + 1) for letter in last]
        for lang in LANGUAGES:
            yield from filter(None, (of_counter(lang, number) for number in numbers))
            yield from filter(None, (of_label(lang, label) for label in (*waiting, *coming)))


def _last(session: Session, centre_id: str, letter: str, day: object) -> int:
    return session.scalar(
        select(TicketSeries.last).where(
            TicketSeries.centre_id == centre_id, TicketSeries.day == day, TicketSeries.letter == letter
        )
    ) or 0  # fmt: skip


def _round(voice: Voice, settings: Settings, db: Database, stop: threading.Event) -> None:
    if not settings.voice_ahead:
        return
    with db.read() as session:
        coming = likely(session, settings.timezone, settings.voice_ahead, now=clock.now())
        wanted = [phrase for phrase in coming if voice.speaks(phrase.lang)]
    made = 0
    for phrase in wanted:
        if stop.is_set() or made >= MOST_AT_ONCE:
            return
        began = time.monotonic()
        if not voice.has(phrase) and voice.clip(phrase):
            made += 1
            stop.wait(max(BREATH_S, BREATHS * (time.monotonic() - began)))
    if made:
        log.info("voice: clips made ahead", count=made)
    _forget(voice)


def _forget(voice: Voice) -> None:
    """Clips that were made long ago go; one that is still said is made again."""
    before = time.time() - UNUSED.total_seconds()
    for path in voice.cache.glob("*"):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
