"""Where exports meet the worker: the job that makes a film, the lane it runs in, and the end of films past their date.

A film of an hour takes minutes, and texts must not wait for it: exports have a lane of their own beside the worker's
loop, one at a time for each worker process.
"""

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.jobs import Handler
from core.settings import Settings
from core.sweeping import read_first
from recordings.export import proof, rules, service
from recordings.export.making import Made, NotMade, Stopped, destroy, make, named_problems
from recordings.export.models import Export
from recordings.export.service import MAKE
from recordings.export.states import MAKING
from recordings.keys import UnsafeKeyFile
from recordings.proof.compose import instant
from recordings.proof.service import manifest_of
from recordings.signing import NoSigningKey
from recordings.storage.away import coming
from recordings.storage.bucket import BucketError
from web.exports.film import facts_of, film_of
from web.keys import key_ring, signer
from web.static_files import VENDOR
from web.storage import here
from web.worker import Sweep, Worker

log = structlog.get_logger()
FONTS = VENDOR["ibm-plex-sans-arabic"]
ASK_EVERY_S = 1.0  # is it still wanted, is there still room?
TELL_EVERY_S = 2.0
TIDY_EVERY_S = 10.0


class Interrupted(Exception):
    """The worker is being stopped: another one, or the next, makes the film."""


class ExportLane(Worker):
    """Makes films and does nothing else."""

    def step(self) -> bool:
        return self._run_job()


def make_lane(settings: Settings, db: Database, stop: threading.Event) -> ExportLane:
    return ExportLane(db=db, reactions={}, handlers={MAKE: export_handler(settings, db, stop)}, stop=stop)


def start_lane(settings: Settings, db: Database, stop: threading.Event) -> threading.Thread:
    """Beside the worker's own loop, until `stop`."""
    thread = threading.Thread(target=make_lane(settings, db, stop).run, name="exports", daemon=True)
    thread.start()
    return thread


def export_handler(settings: Settings, db: Database, stop: threading.Event | None = None) -> Handler:
    """The job: a recording's sealed sides → one sealed film."""
    keyring = key_ring(settings)

    def act(payload: dict[str, Any]) -> Made | NotMade | None:
        export_id = payload["export_id"]
        with db.write() as session:
            if not service.begin(session, export_id, now=clock.now()):
                return None
        with db.read() as session:
            facts = facts_of(session, export_id, zone=settings.timezone)
            target = settings.exports_dir / session.get_one(Export, export_id).file
        began = time.monotonic()
        try:
            settings.exports_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            _bring(settings, db, facts.recording_id, facts.duration)
            watching = Watching(db, export_id, settings.exports_dir, facts.duration, stop or threading.Event())
            made = make(film_of(facts, settings, keyring), keyring, target, fonts=FONTS, watch=watching)
        except Stopped:
            return None
        except NotMade as problem:
            if stop is not None and stop.is_set():  # a service manager ends ffmpeg together with us
                raise Interrupted from problem
            log.warning("export not made", export_id=export_id, problem=str(problem))
            return problem
        took = time.monotonic() - began
        log.info("export made", export_id=export_id, seconds=round(took, 1), times=round(facts.duration / took, 2))
        return made

    def record(session: Session, payload: dict[str, Any], result: Made | NotMade | None, now: datetime) -> None:
        if isinstance(result, Made):
            said = _signed(settings, session, payload["export_id"], result, now)
            service.finish(session, payload["export_id"], size=result.size, sha256=result.sha256, proof=said, now=now)
        elif isinstance(result, NotMade):
            service.fail(session, payload["export_id"], result.problem, now=now)

    def gave_up(session: Session, payload: dict[str, Any], error: str, now: datetime) -> None:
        service.fail(session, payload["export_id"], rules.OTHER, now=now)

    return Handler(act=act, record=record, gave_up=gave_up, tries=5)


def _bring(settings: Settings, db: Database, recording_id: str, duration: float) -> None:
    """Its files are here, and there is room for the film. Raises NotMade where the store or the disk forbids it."""
    try:
        with named_problems():
            folder = settings.recordings_dir / recording_id
            shared = folder.is_dir() and folder.stat().st_dev == settings.exports_dir.stat().st_dev
            if not rules.fits(_free(settings.exports_dir) - (coming(folder) if shared else 0), duration):
                raise NotMade(rules.DISK_FULL)
            here(settings, recording_id, db=db)
    except BucketError as error:
        raise NotMade(rules.STORE, str(error)) from error


def _signed(settings: Settings, session: Session, export_id: str, made: Made, now: datetime) -> str:
    """What the film is, signed. Without a key the film is given out all the same: its hash stands in the trail."""
    export = session.get_one(Export, export_id)
    vouched = manifest_of(session, export.recording_id)
    fields = {
        "export": export.id,
        "recording": export.recording_id,
        "manifest": vouched.sha256 if vouched else None,
        "media_type": rules.MEDIA_TYPES[export.format],
        "size": made.size,
        "sha256": made.sha256,
        "made_at": instant(now),
    }
    try:
        return proof.sign(fields, signer(settings))
    except (NoSigningKey, UnsafeKeyFile) as error:
        log.warning("a film is not signed", export_id=export_id, problem=str(error))
        return ""


class Watching:
    """Stops a making that nobody wants any more, that takes too long, hangs, or leaves meetings too little room."""

    def __init__(
        self,
        db: Database,
        export_id: str,
        folder: Path,
        duration: float,
        stop: threading.Event,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db, self._export_id, self._folder, self._stop = db, export_id, folder, stop
        self._monotonic = monotonic
        self._limit = rules.time_limit(duration).total_seconds()
        self._began = self._moved = self._asked = self._told = monotonic()
        self._share = 0.0
        self._percent = 0

    def __call__(self, share: float) -> None:
        now = self._monotonic()
        if self._stop.is_set():
            raise Interrupted
        if share > self._share:
            self._share, self._moved = share, now
        if now - self._began > self._limit:
            raise NotMade(rules.TOO_LONG)
        if now - self._moved > rules.STALLED.total_seconds():
            raise NotMade(rules.HUNG)
        if now - self._asked >= ASK_EVERY_S:
            self._asked = now
            self._ask(now, min(99, int(share * 100)))

    def _ask(self, now: float, percent: int) -> None:
        if _free(self._folder) < rules.MARGIN_BYTES:
            raise NotMade(rules.DISK_FULL)
        if percent != self._percent and now - self._told >= TELL_EVERY_S:
            self._told, self._percent = now, percent
            with self._db.write() as session:
                wanted = service.advance(session, self._export_id, percent, now=clock.now())
        else:
            with self._db.read() as session:
                wanted = session.get_one(Export, self._export_id).state == MAKING
        if not wanted:
            raise Stopped


def sweep_exports(settings: Settings) -> Sweep:
    """End what has come to its end, and destroy the files that nobody may fetch any more."""
    last = [-TIDY_EVERY_S]

    def sweep(session: Session, now: datetime) -> None:
        for export in service.expire_due(session, now=now):
            destroy(settings.exports_dir / export.file)
        if time.monotonic() - last[0] < TIDY_EVERY_S or not settings.exports_dir.is_dir():
            return
        last[0] = time.monotonic()
        there = [path.name for path in settings.exports_dir.iterdir() if ".sealed" in path.name]
        names = {name.removesuffix(".unfinished") for name in there}
        for name in names - service.wanted_files(session, names):
            destroy(settings.exports_dir / name)

    return read_first(sweep)


def _free(folder: Path) -> int:
    free = os.statvfs(folder)
    return free.f_bavail * free.f_frsize
