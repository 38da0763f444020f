"""Will the disk take what is being recorded? Asked when a meeting goes live, on pages, by doctor and worker."""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.events import emit
from core.settings import Settings
from core.sweeping import gated
from recordings.archive.events import RecordingTriedAgain
from recordings.archive.models import Recording
from recordings.archive.states import FAILED, MACHINE
from recordings.storage.bucket import UNREACHABLE
from recordings.storage.rules import RESERVE, Span, low, needed
from video.meetings.models import Meeting
from video.meetings.states import LIVE

log = structlog.get_logger()
NEXT_MEETING = timedelta(minutes=30)
SAY_EVERY = timedelta(minutes=10)
NO_ROOM = ("[Errno 28]", "[Errno 30]", "[Errno 122]")
"""Disk full, read-only, quota spent: reasons that go away by themselves once somebody makes room."""
PASSING = (*NO_ROOM, UNREACHABLE)
"""So does the silence of the store in which a journal lies."""


@dataclass(frozen=True, slots=True)
class Room:
    """In bytes: what is free, and what the meetings that go on take to their end."""

    free: int
    need: int

    @property
    def fits(self) -> bool:
        return self.free >= self.need

    @property
    def low(self) -> bool:
        return low(self.free, self.need)

    @property
    def free_gib(self) -> int:
        return self.free // 1024**3

    @property
    def need_gib(self) -> int:
        return -(-self.need // 1024**3)


def room(settings: Settings, session: Session, *, now: datetime, meeting_id: str = "", reserve: int = RESERVE) -> Room:
    """For those that are live and `meeting_id`, which is about to be; without it for one more of half an hour."""
    query = select(Meeting.id, Meeting.ends_at, Meeting.live_at, Meeting.state)
    rows = session.execute(query.where(or_(Meeting.state == LIVE, Meeting.id == meeting_id))).all()
    spans = [Span(row.ends_at, row.live_at if row.state == LIVE else None) for row in rows]
    if not any(row.id == meeting_id for row in rows):
        spans.append(Span(now + NEXT_MEETING))
    return Room(free_bytes(settings.recordings_dir), needed(spans, reserve=reserve, now=now))


def spare(settings: Settings, db: Database | None = None) -> Callable[[int], None]:
    """For what is large and can wait: raises OSError where so many bytes more would take the room that meetings need.

    Without a database for one meeting of half an hour; its reason is one of those that go away by themselves.
    """

    def check(coming: int) -> None:
        now = clock.now()
        if db is None:
            need = needed([Span(now + NEXT_MEETING)], now=now)
        else:
            with db.read() as session:
                need = room(settings, session, now=now).need
        if free_bytes(settings.recordings_dir) - coming < need:
            raise OSError(errno.ENOSPC, "Meetings need the room that it would take")

    return check


def free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.absolute().parent
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def sweep_disk(settings: Settings) -> Callable[[Session, datetime], None]:
    """Says in the log that room gets short; and tries again what failed for a reason that passes."""
    said: list[datetime] = []

    def sweep(session: Session, now: datetime) -> None:
        if said and now - said[-1] < SAY_EVERY:
            return
        said[:] = [now]
        found = room(settings, session, now=now)
        if found.low:
            log.warning("the disk for recordings is getting full", free_gib=found.free_gib, need_gib=found.need_gib)
            return
        reasons = or_(*(Recording.problem.contains(reason, autoescape=True) for reason in PASSING))
        waiting = select(Recording).where(Recording.state == FAILED, reasons).with_for_update()
        for recording in session.scalars(waiting):  # locked: one that is being destroyed must not come back to life
            recording.state = MACHINE.next(recording.state, "try_again")
            emit(session, RecordingTriedAgain(recording.id, recording.meeting_id), now=now)

    return gated(sweep, lambda now: not said or now - said[-1] >= SAY_EVERY)
