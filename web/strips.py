"""Where strips meet the worker: the jobs that list a recording's marks and draw its line of time, in their own lane.

Meetings come first: the lane's thread runs at the lowest priority, and texts don't wait for it.
"""

import contextlib
import os
import threading
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.db import Database
from core.jobs import Handler
from core.settings import Settings
from recordings.archive import service as archive
from recordings.archive.states import READY
from recordings.proof.manifest import JOURNAL
from recordings.strip import files, making, service
from recordings.strip.making import Source
from web.keys import key_ring
from web.storage import here
from web.worker import Worker

LOWEST = 19
DRAWING = "drawing"


class Interrupted(Exception):
    """The worker is being stopped: another one, or the next, draws it."""


class StripLane(Worker):
    """Draws strips and does nothing else."""

    def run(self) -> None:
        with contextlib.suppress(AttributeError, OSError):  # Linux: a thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)
        super().run()

    def step(self, thread: str | None = None) -> bool:
        return self._run_job(thread)


def make_strips(settings: Settings, db: Database, stop: threading.Event) -> StripLane:
    handlers = {service.LIST: list_handler(settings, db), service.DRAW: draw_handler(settings, db, stop)}
    return StripLane(db=db, reactions={}, handlers=handlers, stop=stop)


def start_strips(settings: Settings, db: Database, stop: threading.Event) -> threading.Thread:
    """Beside the worker's own loop, until `stop`."""
    thread = threading.Thread(target=make_strips(settings, db, stop).run, name="strips", daemon=True)
    thread.start()
    return thread


def list_handler(settings: Settings, db: Database) -> Handler:
    """The job: the journal's marks → a small sealed file."""
    keyring = key_ring(settings)

    def act(payload: dict[str, Any]) -> bool:
        with db.read() as session:
            recording = archive.get(session, payload["recording_id"])
            if recording.state != READY:
                return False
            journal = settings.recordings_dir / recording.journal
        here(settings, payload["recording_id"], JOURNAL, db=db)
        marks = making.read_marks(journal, payload["recording_id"], keyring)
        files.write_marks(journal.parent, marks, keyring)
        return True

    def record(session: Session, payload: dict[str, Any], result: bool, now: datetime) -> None:
        if result:
            service.listed(session, payload["recording_id"], now=now)

    return Handler(act=act, record=record, tries=3)  # marks first: drawing an hour must not keep them waiting


def draw_handler(settings: Settings, db: Database, stop: threading.Event | None = None) -> Handler:
    """The job: the sealed sides → curve and stills, sealed."""
    keyring = key_ring(settings)

    def ask() -> None:
        if stop is not None and stop.is_set():
            raise Interrupted

    def act(payload: dict[str, Any]) -> bool:
        with db.read() as session:
            recording = archive.get(session, payload["recording_id"])
            if recording.state != READY or not recording.renditions:
                return False
            folder, duration = settings.recordings_dir / recording.id, recording.duration_s or 0.0
            sides = [
                Source(
                    id=one.id,
                    path=settings.recordings_dir / one.path,
                    width=one.width,
                    height=one.height,
                    has_audio=one.has_audio,
                    has_video=one.has_video,
                    gaps=one.gaps,
                )
                for one in recording.renditions
            ]
        here(settings, payload["recording_id"], db=db)
        strip = making.draw(sides, duration, keyring, owner=payload["recording_id"], ask=ask)
        files.write_strip(folder, strip, keyring)
        return True

    def record(session: Session, payload: dict[str, Any], result: bool, now: datetime) -> None:
        if result:
            service.drawn(session, payload["recording_id"], now=now)

    return Handler(act=act, record=record, tries=3, thread=DRAWING)
