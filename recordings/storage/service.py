from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import jobs
from core.db import new_id
from core.events import emit
from recordings.archive.models import Recording
from recordings.archive.states import SETTLED
from recordings.proof.models import SignedManifest
from recordings.storage.events import (
    FileStored,
    LocalCopyFreed,
    ObjectLocked,
    ObjectRemoved,
    StoredFileLost,
    StoringFailed,
)
from recordings.storage.models import StoredFile
from recordings.storage.rules import GRACE, backoff, look_again
from recordings.storage.states import BOTH, DOOMED, GOING, LOST, MACHINE, REMOTE, TO_REMOVE, TO_SEND

SEND = "recordings.send"  # the job that puts one file into the bucket
REMOVE = "recordings.remove"  # the job that takes a destroyed recording's file out of it
LANE = 8


@dataclass(frozen=True, slots=True)
class Found:
    """A file that belongs into the bucket; `sha256` is empty where no manifest tells it."""

    file: str
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one try. With a `problem` it failed, and why."""

    size: int = 0
    sha256: str = ""
    version: str = ""
    locked_until: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Removed:
    """What came of one try to take a file out of the bucket: nothing is left, or a lock or a `problem` kept it."""

    locked_until: datetime | None = None
    problem: str = ""


def to_plan(session: Session, *, since: datetime) -> list[str]:
    """Signed recordings that may have files of which the bucket knows nothing: new ones, and those signed `since`."""
    planned = select(StoredFile.recording_id)
    query = (
        select(Recording.id)
        .join(SignedManifest, SignedManifest.recording_id == Recording.id)
        .where(Recording.state.in_(SETTLED))
        .where(Recording.id.not_in(planned) | (SignedManifest.signed_at >= since))
        .order_by(Recording.id)
        .distinct()
    )
    return list(session.scalars(query))


def plan(session: Session, recording_id: str, files: Iterable[Found], *, now: datetime) -> int:
    """Have what is new or was written anew sent soon; returns how many files that are."""
    known = {row.file: row for row in of_recording(session, recording_id)}
    count = 0
    for found in files:
        row = known.get(found.file)
        if row is None:
            row = StoredFile(
                id=new_id(),
                recording_id=recording_id,
                file=found.file,
                size=found.size,
                sha256=found.sha256,
                object_key=f"{recording_id}/{found.file}",
                version="",
                upload="",
            )
            session.add(row)
            session.flush()
        elif _same(row, found) or not MACHINE.allows(row.state, "change"):
            continue
        else:
            waits = row.state in TO_SEND  # its job is there, and takes the file as it is then
            row.state = MACHINE.next(row.state, "change")
            row.size, row.sha256, row.version, row.upload, row.sent = found.size, found.sha256, "", "", 0
            if waits:
                continue
        _ask(session, row, now, now)
        count += 1
    return count


def sending(session: Session, file_id: str, *, now: datetime) -> StoredFile | None:
    """A worker takes it up. None where there is nothing to send (any more)."""
    row = _locked(session, file_id)
    if row is not None and row.state in GOING:  # whoever was at it may have left something behind the remover
        _doom(session, row, now)
    if row is None or row.state not in TO_SEND:
        return None
    row.state, row.due_at = MACHINE.next(row.state, "send"), None
    row.tries += 1
    return row


def in_parts(session: Session, file_id: str, upload: str) -> None:
    """The transfer has begun: whoever goes on with it needs its name."""
    session.get_one(StoredFile, file_id).upload = upload


def advance(session: Session, file_id: str, sent: int) -> None:
    session.get_one(StoredFile, file_id).sent = sent


def sent(session: Session, file_id: str, outcome: Sent, *, now: datetime) -> None:
    """The end of one try. A failed one is tried again, however often: a stuck file would fill the disk in silence."""
    row = _locked(session, file_id)
    if row is None or not MACHINE.allows(row.state, "confirm"):  # written anew meanwhile: not what was sent
        if row is not None and row.state in TO_SEND:
            _ask(session, row, now + backoff(row.tries), now)
        elif row is not None and row.state in GOING:
            _doom(session, row, now)
        return
    if outcome.problem:
        row.state, row.problem = MACHINE.next(row.state, "fail"), outcome.problem[:500]
        _ask(session, row, now + backoff(row.tries), now)
        emit(session, StoringFailed(row.recording_id, row.file, row.problem), now=now)
        return
    row.state, row.problem, row.tries, row.upload = MACHINE.next(row.state, "confirm"), None, 0, ""
    row.size, row.sha256, row.version, row.sent = outcome.size, outcome.sha256, outcome.version, outcome.size
    row.stored_at, row.locked_until = now, outcome.locked_until
    emit(session, FileStored(row.recording_id, row.file), now=now)


def freed(session: Session, file_id: str, *, now: datetime) -> bool:
    """False where it is not to go (any more): what was brought back a moment ago is needed here."""
    row = _locked(session, file_id)
    if row is None or row.state != BOTH or (row.due_at is not None and row.due_at > now):
        return False
    row.state, row.freed_at = MACHINE.next(row.state, "free"), now
    emit(session, LocalCopyFreed(row.recording_id, row.file), now=now)
    return True


def brought_back(session: Session, file_id: str, *, now: datetime) -> None:
    """It lies here again, for somebody who needs it whole; the time for which local copies are kept begins anew."""
    row = _locked(session, file_id)
    if row is not None and MACHINE.allows(row.state, "bring_back"):
        row.state, row.freed_at, row.stored_at = MACHINE.next(row.state, "bring_back"), None, now
        row.due_at = now + GRACE


def missed(session: Session, file_id: str, problem: str, *, now: datetime) -> None:
    """The bucket has it no more, or not as it was. Sent again where it lies here; else it is lost until it is found."""
    row = _locked(session, file_id)
    if row is None or not MACHINE.allows(row.state, "miss"):
        return
    row.state, row.problem = MACHINE.next(row.state, "miss"), problem[:500]
    if row.state == LOST:
        emit(session, StoredFileLost(row.recording_id, row.file), now=now)
    else:
        row.version = ""
        _ask(session, row, now, now)


def found_again(session: Session, file_id: str) -> None:
    row = _locked(session, file_id)
    if row is not None and row.state == LOST:
        row.state, row.problem = MACHINE.next(row.state, "find"), None


def doom(session: Session, recording_id: str, *, now: datetime) -> None:
    """The recording is being destroyed: whatever the bucket has of it is to go, and nothing more is sent."""
    for row in of_recording(session, recording_id):
        row = _locked(session, row.id) or row
        if row.state not in GOING:
            _doom(session, row, now)


def removing(session: Session, file_id: str) -> StoredFile | None:
    """None where nothing is to be removed (any more)."""
    row = _locked(session, file_id)
    if row is None or row.state not in TO_REMOVE:
        return None
    row.tries += 1
    return row


def removed(session: Session, file_id: str, outcome: Removed, *, now: datetime, ask: bool = True) -> None:
    """The end of one try. What a lock or a failure kept is tried again, for ever. `ask`: no other job will do so."""
    row = _locked(session, file_id)
    if row is None or row.state not in TO_REMOVE:
        return
    if outcome.problem or outcome.locked_until:
        if outcome.locked_until:
            if row.state == DOOMED:
                emit(session, ObjectLocked(row.recording_id, row.file), now=now)
            row.state, row.locked_until = MACHINE.next(row.state, "lock"), outcome.locked_until
        row.problem = outcome.problem[:500] or None
        row.due_at = look_again(outcome.locked_until, row.tries, now=now)
        if ask:
            jobs.enqueue(session, REMOVE, {"file_id": row.id}, now=now, run_at=row.due_at, lane=LANE)
        return
    row.state, row.problem, row.due_at, row.version, row.upload = MACHINE.next(row.state, "remove"), None, None, "", ""
    emit(session, ObjectRemoved(row.recording_id, row.file), now=now)


def left(session: Session, recording_id: str) -> list[StoredFile]:
    """What the bucket still has of a destroyed recording."""
    return [row for row in of_recording(session, recording_id) if row.state in TO_REMOVE]


def of_recording(session: Session, recording_id: str) -> list[StoredFile]:
    query = select(StoredFile).where(StoredFile.recording_id == recording_id).order_by(StoredFile.file)
    return list(session.scalars(query))


def in_state(session: Session, *states: str) -> list[StoredFile]:
    """Those stored first come first."""
    return list(session.scalars(select(StoredFile).where(StoredFile.state.in_(states)).order_by(StoredFile.stored_at)))


def names_in(session: Session, *states: str) -> list[tuple[str, str, str]]:
    """(id, recording, file) of each in these states: an archive of years has tens of thousands of them."""
    query = select(StoredFile.id, StoredFile.recording_id, StoredFile.file).where(StoredFile.state.in_(states))
    return [tuple(row) for row in session.execute(query)]


def settled(session: Session, *states: str) -> list[StoredFile]:
    """As `in_state`, of recordings to whose files nothing is written any more."""
    query = select(StoredFile).join(Recording, Recording.id == StoredFile.recording_id)
    query = query.where(StoredFile.state.in_(states), Recording.state.in_(SETTLED))
    return list(session.scalars(query.order_by(StoredFile.stored_at)))


def counts(session: Session) -> dict[str, int]:
    """How many files are in which state (for `doctor` and pages)."""
    rows = session.execute(select(StoredFile.state, func.count()).group_by(StoredFile.state))
    return {row[0]: row[1] for row in rows}


def _same(row: StoredFile, found: Found) -> bool:
    if row.state == REMOTE or not found.sha256:
        return row.size == found.size or row.state in TO_SEND
    return row.sha256 == found.sha256


def _ask(session: Session, row: StoredFile, at: datetime, now: datetime) -> None:
    row.due_at = at
    jobs.enqueue(session, SEND, {"file_id": row.id}, now=now, run_at=at, lane=LANE)


def _doom(session: Session, row: StoredFile, now: datetime) -> None:
    row.state, row.problem, row.tries, row.due_at = MACHINE.next(row.state, "doom"), None, 0, now
    jobs.enqueue(session, REMOVE, {"file_id": row.id}, now=now, lane=LANE)


def _locked(session: Session, file_id: str) -> StoredFile | None:
    query = select(StoredFile).where(StoredFile.id == file_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))
