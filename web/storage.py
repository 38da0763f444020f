"""Where storage meets worker, disk and bucket: what is signed goes there, is read back, and may then leave the disk."""

import hashlib
import shutil
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import exists, select

from core import clock
from core.db import Database
from core.jobs import Handler
from core.settings import Settings
from recordings import container
from recordings.archive import service as archive
from recordings.archive.models import Recording
from recordings.archive.states import READY, SETTLED
from recordings.container import KEY_SLOT
from recordings.proof import manifest
from recordings.proof.compose import instant
from recordings.proof.manifest import JOURNAL
from recordings.proof.pieces import NOTHING, FileChanged, take
from recordings.retention import service as retention
from recordings.retention.models import Hold
from recordings.storage import away, service
from recordings.storage.away import Away
from recordings.storage.bucket import CHANGED, DIFFERS, MISSING, UNREACHABLE, Bucket, BucketError, Place
from recordings.storage.models import StoredFile
from recordings.storage.rules import may_free
from recordings.storage.service import REMOVE, SEND, Found, Removed, Sent
from recordings.storage.states import BOTH, GOING, LOST, REMOTE, UPLOADING
from recordings.strip import service as strips
from recordings.strip.files import MARKS
from web.disk import spare
from web.retention import removal
from web.retention.words import NO_STORE
from web.worker import Worker

log = structlog.get_logger()
PLAN_EVERY_S, FREE_EVERY_S = 20.0, 60.0
TELL_EVERY_S = 2.0
PAST = GOING | {LOST}
"""What no hold can keep: it is to go, or the bucket has it no more."""
FILM = ".webm.sealed"


def bucket_of(settings: Settings) -> Bucket | None:
    """None where recordings stay in the local folder."""
    if not settings.storage_bucket:
        return None
    return Bucket(
        Place(
            bucket=settings.storage_bucket,
            endpoint=settings.storage_endpoint,
            region=settings.storage_region,
            prefix=settings.storage_prefix,
        )
    )


class StorageLane(Worker):
    """Sends and frees, and does nothing else: gigabytes keep no text waiting."""

    settings: Settings
    bucket: Bucket
    _holds: dict[tuple[str, str], bool]
    _locks: bool | None = None
    _planned = _freed = float("-inf")

    def step(self) -> bool:
        did = self._run_job()
        now = time.monotonic()
        if now - self._planned >= PLAN_EVERY_S:
            self._planned = now
            plan(self.settings, self.db)
        if now - self._freed >= FREE_EVERY_S:
            self._freed = now
            reconcile(self.settings, self.db)
            free(self.settings, self.db, self.bucket)
            self._follow_holds()
        return did

    def _follow_holds(self) -> None:
        try:
            if self._locks is None:
                self._locks = self.bucket.offers_lock()
            if self._locks:
                follow_holds(self.db, self.bucket, self._holds)
        except BucketError as error:
            log.warning("legal holds wait", problem=str(error))


def make_lane(settings: Settings, db: Database, bucket: Bucket, stop: threading.Event) -> StorageLane:
    away.say_place(settings.recordings_dir, bucket.place)
    lane = StorageLane(db=db, reactions={}, handlers={}, stop=stop)
    lane.handlers = {SEND: send_handler(settings, db, bucket), REMOVE: remove_handler(settings, db, bucket)}
    lane.settings, lane.bucket, lane._holds = settings, bucket, {}
    return lane


def start_storage(settings: Settings, db: Database, stop: threading.Event) -> threading.Thread | None:
    """Beside the worker's own loop, until `stop`. None where there is no bucket."""
    bucket = bucket_of(settings)
    if bucket is None:
        return None
    lane = make_lane(settings, db, bucket, stop)
    thread = threading.Thread(target=lane.run, name="storage", daemon=True)
    thread.start()
    return thread


def plan(settings: Settings, db: Database) -> int:
    """Have what was signed and is not in the bucket yet sent; returns how many files that are."""
    now, count = clock.now(), 0
    with db.read() as session:
        waiting = service.to_plan(session, since=now - timedelta(days=1))
    for recording_id in waiting:
        files = belonging(settings.recordings_dir / recording_id)
        with db.write() as session:
            count += service.plan(session, recording_id, files, now=now)
    return count


def belonging(folder: Path) -> list[Found]:
    """What of a recording belongs into the bucket: the manifest, what it names, and what was drawn from that."""
    place = folder / manifest.NAME
    try:
        data = place.read_bytes()
        _, fields = manifest.glance(data)
    except (OSError, manifest.ManifestBroken):
        return []
    found = [Found(str(e["file"]), int(e["size"]), str(e["sha256"])) for e in fields["files"]]
    named = {one.file for one in found} | {manifest.NAME}
    drawn = [path for path in folder.glob("*.sealed") if path.name not in named]
    found += [Found(path.name, path.stat().st_size) for path in drawn]
    found = [one for one in found if (folder / one.file).exists()]
    return [*found, Found(manifest.NAME, len(data), hashlib.sha256(data).hexdigest())]


def send_handler(settings: Settings, db: Database, bucket: Bucket) -> Handler:
    """The job: one file into the bucket, read back from there, locked where that is wanted."""

    def act(payload: dict[str, Any]) -> Sent | None:
        with db.write() as session:
            row = service.sending(session, payload["file_id"], now=clock.now())
            if row is None:
                return None
            session.flush()
            session.expunge(row)
        try:
            return _send(settings, db, bucket, row)
        except (BucketError, FileNotFoundError, PermissionError) as error:
            log.warning("not stored", recording_id=row.recording_id, file=row.file, problem=str(error))
            return Sent(problem=str(error))

    def record(session: Any, payload: dict[str, Any], result: Sent | None, now: datetime) -> None:
        if result is not None:
            service.sent(session, payload["file_id"], result, now=now)

    def gave_up(session: Any, payload: dict[str, Any], error: str, now: datetime) -> None:
        service.sent(session, payload["file_id"], Sent(problem=error), now=now)  # and it is tried again

    return Handler(act=act, record=record, gave_up=gave_up)


def _send(settings: Settings, db: Database, bucket: Bucket, row: StoredFile) -> Sent:
    path = settings.recordings_dir / row.recording_id / row.file
    blank = NOTHING if container.key_slot(path) is None else KEY_SLOT
    told, done = time.monotonic(), 0

    def began(upload: str) -> None:
        with db.write() as session:
            service.in_parts(session, row.id, upload)

    def progress(part: int) -> None:
        nonlocal told, done
        done += part
        if time.monotonic() - told >= TELL_EVERY_S:
            told = time.monotonic()
            with db.write() as session:
                service.advance(session, row.id, done)

    size, sha256, version = bucket.put(
        path, row.object_key, blank=blank, upload=row.upload, began=began, progress=progress
    )
    if row.sha256 and (size, sha256) != (row.size, row.sha256):
        bucket.remove(row.object_key, version)
        raise BucketError(CHANGED, row.file)
    if bucket.hash(row.object_key, version) != (size, sha256):
        bucket.remove(row.object_key, version)
        raise BucketError(DIFFERS, row.file)
    until = None
    with db.read() as session:
        wanted = session.get_one(StoredFile, row.id).state == UPLOADING
    if settings.storage_lock_days and wanted:  # only now: what is locked can't be corrected
        until = clock.now() + timedelta(days=settings.storage_lock_days)
        bucket.lock(row.object_key, version, until)
    return Sent(size=size, sha256=sha256, version=version, locked_until=until)


def remove_handler(settings: Settings, db: Database, bucket: Bucket) -> Handler:
    """The job: a destroyed recording's file goes out of the bucket, as soon as lock and store allow."""

    def act(payload: dict[str, Any]) -> Removed | None:
        with db.write() as session:
            row = service.removing(session, payload["file_id"])
            if row is None:
                return None
            session.flush()
            session.expunge(row)
        return take_out(settings, bucket, row)

    def record(session: Any, payload: dict[str, Any], result: Removed | None, now: datetime) -> None:
        if result is not None:
            service.removed(session, payload["file_id"], result, now=now)
            recording_id = session.get_one(StoredFile, payload["file_id"]).recording_id
            removal.certify(settings, session, recording_id, now=now)

    def gave_up(session: Any, payload: dict[str, Any], error: str, now: datetime) -> None:
        service.removed(session, payload["file_id"], Removed(problem=error), now=now)  # and it is tried again

    return Handler(act=act, record=record, gave_up=gave_up)


def take_out_now(settings: Settings, db: Database, recording_id: str) -> None:
    """While its certificate waits: one try for each file, no more once the store is silent. Their jobs go on later."""
    with db.read() as session:
        rows = service.left(session, recording_id)
        session.expunge_all()
    bucket, silent = bucket_of(settings), ""
    for row in rows:
        if bucket is None:
            outcome = Removed(problem=NO_STORE)
        elif silent:
            outcome = Removed(problem=silent)
        else:
            outcome = take_out(settings, bucket, row)
            silent = outcome.problem if outcome.problem.startswith(UNREACHABLE) else ""
        with db.write() as session:
            service.removed(session, row.id, outcome, now=clock.now(), ask=False)


def take_out(settings: Settings, bucket: Bucket, row: StoredFile) -> Removed:
    """One try. Never raises for a store that does not answer, refuses, or keeps it under a lock."""
    stub = away.stub_of(settings.recordings_dir / row.recording_id / row.file)
    try:
        until = bucket.clear(row.object_key)
        if until is None and stub.exists():
            away.say_removed(stub, instant(clock.now()))
    except (BucketError, container.SealBroken, OSError) as error:
        log.warning("not removed", recording_id=row.recording_id, file=row.file, problem=str(error))
        return Removed(problem=str(error))
    return Removed(locked_until=until)


def free(settings: Settings, db: Database, bucket: Bucket) -> int:
    """Let local copies go by the rule, those stored first first; returns how many went."""
    with db.read() as session:
        rows = [row for row in service.settled(session, BOTH) if row.file == JOURNAL or row.file.endswith(FILM)]
        session.expunge_all()
    rows = [row for row in rows if row.file != JOURNAL or _listed(settings, db, row.recording_id)]
    keep, count = timedelta(days=settings.storage_keep_days), 0
    for row in rows:
        cramped = shutil.disk_usage(settings.recordings_dir).free < settings.storage_keep_free
        if row.due_at is not None and row.due_at > clock.now():
            continue
        if row.stored_at is None or not may_free(row.stored_at, keep=keep, cramped=cramped, now=clock.now()):
            continue
        try:
            count += _free(settings, db, bucket, row)
        except (OSError, FileChanged) as error:
            log.warning("local copy stays", recording_id=row.recording_id, file=row.file, problem=str(error))
    return count


def _listed(settings: Settings, db: Database, recording_id: str) -> bool:
    """Its marks lie beside the journal, for page and search; else they are asked for, and the journal stays."""
    if (settings.recordings_dir / recording_id / MARKS).exists():
        return True
    with db.write() as session:
        recording = session.get_one(Recording, recording_id)
        if recording.state == READY:
            strips.ask(session, recording_id, now=clock.now())
        return recording.state != READY


def _free(settings: Settings, db: Database, bucket: Bucket, row: StoredFile) -> bool:
    """Reading it all takes minutes, so whether it may go is asked again at the end, where nobody can change it: what
    is tried again needs its journal, and a destruction finds either the file or what stays of it."""
    path = settings.recordings_dir / row.recording_id / row.file
    seen = _look(path)
    if seen is not None:  # else we were killed just behind it
        _same_everywhere(db, bucket, row, path)
    with db.write() as session:
        if archive.locked(session, row.recording_id).state not in SETTLED or _look(path) != seen:
            return False
        if not service.freed(session, row.id, now=clock.now()):
            return False
        if seen is not None:
            away.leave(path, Away(row.object_key, row.version, row.size, row.sha256))
    return True


def _look(path: Path) -> tuple[int, int] | None:
    """None where it is away. Another answer than before: it was written anew, or its key was."""
    if away.is_away(path):
        return None
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns


def _same_everywhere(db: Database, bucket: Bucket, row: StoredFile, path: Path) -> None:
    """Every byte, here and there, is what was stored and (where it was) signed: size and name are no proof of it.

    Read once more although it was when it was stored: weeks lie between, and behind this there is one copy. Raises
    BucketError: what differs here stays as it is, for somebody to look at; what differs there is sent again.
    """
    blank = NOTHING if container.key_slot(path) is None else KEY_SLOT
    here = take(path, blank=blank)
    if (here.size, here.sha256) != (row.size, row.sha256):
        raise BucketError(CHANGED, row.file)
    try:
        there = bucket.hash(row.object_key, row.version)
        problem = "" if there == (row.size, row.sha256) else DIFFERS
    except BucketError as error:
        if error.kind != MISSING:
            raise
        problem = MISSING
    if problem:
        with db.write() as session:
            service.missed(session, row.id, problem, now=clock.now())
        raise BucketError(problem, row.file)


def reconcile(settings: Settings, db: Database) -> None:
    """Files that were brought back, for a proof or an export, are here again."""
    with db.read() as session:
        rows = service.names_in(session, REMOTE, LOST)
    back = [id_ for id_, recording_id, file in rows if (settings.recordings_dir / recording_id / file).exists()]
    if not back:
        return
    with db.write() as session:
        for id_ in back:
            service.brought_back(session, id_, now=clock.now())


def check_store(settings: Settings, db: Database, bucket: Bucket, recording_id: str) -> list[tuple[str, str]]:
    """(file, problem) of what the bucket should have and has not, or not in its size; states follow."""
    problems = []
    with db.read() as session:
        rows = [
            (row.id, row.file, row.object_key, row.version, row.size, row.state)
            for row in service.of_recording(session, recording_id)
        ]
    for id_, file, key, version, size, state in rows:
        if state not in (BOTH, REMOTE, LOST):
            continue
        problem = ""
        try:
            if bucket.head(key, version).size != size:
                problem = DIFFERS
        except BucketError as error:
            problem = error.kind
        with db.write() as session:
            if problem in (MISSING, DIFFERS):
                service.missed(session, id_, problem, now=clock.now())
            elif not problem and state == LOST:
                service.found_again(session, id_)
        if problem:
            problems.append((file, problem))
    return problems


def here(settings: Settings, recording_id: str, only: str = "", *, db: Database | None = None) -> Path:
    """The recording's folder with its files (or one) in it; those in the bucket alone come back.

    Raises BucketError; OSError where the disk would then be too full for meetings (`disk.spare`): they come first.
    """
    folder = settings.recordings_dir / recording_id
    if folder.is_dir() and any(folder.glob(f"*{away.SUFFIX}")):
        away.bring_back(folder, only=only, room=spare(settings, db))
    return folder


def follow_holds(db: Database, bucket: Bucket, done: dict[tuple[str, str], bool]) -> int:
    """Legal holds of the archive are holds of the bucket's objects as well; `done` is what was seen or set before.

    Returns how many objects changed. One that the store lacks or refuses keeps none of the others waiting; while it
    does not answer at all, BucketError is raised.
    """
    wanted: dict[tuple[str, str], bool] = {}
    with db.read() as session:
        every = select(Recording).where(
            exists().where((Hold.recording_id == Recording.id) | (Hold.petition_id == Recording.petition_id))
        )
        for recording in session.scalars(every):
            held = retention.held(session, recording)
            rows = service.of_recording(session, recording.id)
            there = (row for row in rows if row.version and row.state not in PAST)
            wanted |= {(row.object_key, row.version): held for row in there}
    count, problems = 0, []
    for (key, version), held in wanted.items():
        if done.get((key, version)) == held:
            continue
        try:
            if bucket.head(key, version).hold != held:
                bucket.hold(key, version, held)
                count += 1
        except BucketError as error:
            if error.kind == UNREACHABLE:
                raise
            problems.append(str(error))
        else:
            done[key, version] = held
    if problems:  # one line, not one for each: they are tried again every minute
        log.warning("legal holds wait", objects=len(problems), problem=problems[0])
    return count
