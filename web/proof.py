"""Where proof meets the archive: witnessing live journals, signing what was closed, checking what was signed."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.errors import NotFound
from core.events import OutboxEvent, name_of
from core.jobs import MEDIA, READING, Handler
from core.settings import Settings
from core.sweeping import gated
from reception.petitions.models import Petition
from recordings.archive.models import Recording
from recordings.archive.states import DESTROYED
from recordings.proof import manifest, service
from recordings.proof.compose import Facts, Film, Person, Witnessed, sign_recording
from recordings.proof.pieces import Progress, silent
from recordings.proof.rules import FAILED, WITNESS_EVERY_S
from recordings.proof.verify import BEFORE, HARMLESS, REMOVED, Finding, Report, size_of, verify
from recordings.proof.verify import DESTROYED as KEY_DESTROYED
from recordings.sealed_log import Head
from recordings.signing import PublicKeys
from video.meetings.events import RecordingLost
from video.meetings.models import Meeting
from video.meetings.rules import VISITOR
from web.keys import key_ring, public_keys, signer
from web.storage import here

log = structlog.get_logger()
TELL_EVERY_S = 2.0  # how often a running check says how far it is

MISPLACED = "misplaced"  # the manifest, sound as it is, belongs to another recording than the archive's row
OUTDATED = "not on record"  # the manifest is not the one that the archive saw signed last
UNDECIDED = (
    "destroyed undecided"  # a key, or a whole file, is gone as by a destruction that the archive knows nothing of
)


class Journal(Protocol):
    @property
    def head(self) -> Head: ...


class Witnesses:
    """Tells the database every two seconds how far the live journals of this process have come.

    One thread for all of them, which ends when none is left. A database that does not answer is asked again; the call
    never notices.
    """

    def __init__(self, db: Database, *, every: float = WITNESS_EVERY_S) -> None:
        self._db, self._every = db, every
        self._journals: dict[str, Journal] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def watch(self, recording_id: str, journal: Journal) -> None:
        with self._lock:
            self._journals[recording_id] = journal
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="witness", daemon=True)
                self._thread.start()

    def forget(self, recording_id: str) -> None:
        with self._lock:
            self._journals.pop(recording_id, None)

    def tell(self) -> None:
        with self._lock:
            heads = {recording_id: journal.head for recording_id, journal in self._journals.items()}
        if heads:
            with self._db.write() as session:
                service.witness(session, heads, now=clock.now())

    def _run(self) -> None:
        while True:
            time.sleep(self._every)
            with self._lock:
                if not self._journals:
                    self._thread = None
                    return
            try:
                self.tell()
            except Exception as error:
                log.warning("live recordings not witnessed", error=str(error))


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What the archive says of a recording: its newest manifest (`sha256` is empty where it saw none signed), and
    whether its destruction was decided and begun."""

    recording_id: str
    sha256: str
    destroyed: bool = False

    @classmethod
    def of(cls, session: Session, recording_id: str) -> "OnRecord":
        row = service.manifest_of(session, recording_id)
        state = session.scalar(select(Recording.state).where(Recording.id == recording_id))
        return cls(recording_id, row.sha256 if row else "", state == DESTROYED)

    @classmethod
    def now(cls, db: Database, recording_id: str) -> "OnRecord":
        with db.read() as session:
            return cls.of(session, recording_id)


def sign_handler(settings: Settings, db: Database) -> Handler:
    """The job: hash what lies in the recording's folder, and sign what it is."""

    def act(payload: dict[str, Any]) -> dict[str, Any]:
        return sign(settings, db, payload["recording_id"])

    def record(session: Session, payload: dict[str, Any], result: dict[str, Any], _now: datetime) -> None:
        service.signed(session, payload["recording_id"], **result)

    def gave_up(session: Session, payload: dict[str, Any], error: str, now: datetime) -> None:
        service.not_signed(session, payload["recording_id"], error, now=now)

    return Handler(act=act, record=record, gave_up=gave_up, thread=MEDIA)


def sweep_forgotten() -> Callable[[Session, datetime], None]:
    """At the start and once an hour: what was recorded before there were manifests gets its own."""
    last: list[datetime] = []

    def sweep(session: Session, now: datetime) -> None:
        if last and now - last[-1] < timedelta(hours=1):
            return
        last[:] = [now]
        service.sign_forgotten(session, now=now)

    return gated(sweep, lambda now: not last or now - last[-1] >= timedelta(hours=1))


def sign(settings: Settings, db: Database, recording_id: str, progress: Progress = silent) -> dict[str, Any]:
    """Write the recording's manifest; returns what `service.signed` is to keep.

    Raises Altered rather than sign a second time for what is not what was signed the first time.
    """
    folder = here(settings, recording_id, db=db)
    with db.read() as session:
        facts, said = facts_of(session, recording_id), OnRecord.of(session, recording_id)
    key, now = signer(settings), clock.now()
    revision, replaces = _follows(folder, said, public_keys(settings))
    facts = replace(facts, revision=revision, replaces=replaces)
    data = sign_recording(
        folder,
        facts,
        key_ring(settings),
        key,
        software=f"majlis {version('majlis')}",
        now=now,
        progress=progress,
    )
    digest = hashlib.sha256(data).hexdigest()
    return {"revision": facts.revision, "sha256": digest, "key": key.fingerprint, "signed_at": now}


class Altered(Exception):
    """A new manifest would make an altered recording look sound."""


def _follows(folder: Path, said: OnRecord, keys: PublicKeys) -> tuple[int, str]:
    """(revision, hash of the manifest before it) for a new manifest. Raises Altered.

    The one before it is the one on record: a chain over those that were written and never told of would end, at the
    second of them, in one that nobody knows. Its revision counts them all the same, for its list of names to have a
    file of its own.
    """
    place = folder / manifest.NAME
    if not place.exists():
        if said.sha256:
            raise Altered("the manifest that was signed before is missing")
        return 1, ""
    report = examine(folder, said, keys)
    for finding in report.findings:
        unrecorded = finding.kind == OUTDATED and report.manifest and report.manifest["replaces"] == said.sha256
        if not unrecorded and finding.kind not in (*HARMLESS, BEFORE):  # unrecorded: we were killed just behind it
            raise Altered(f"{finding.kind}: {finding.file}, bytes {finding.start} to {finding.end}")
    if report.manifest is None:
        raise Altered("the manifest is broken")
    return int(report.manifest["revision"]) + 1, said.sha256


def facts_of(session: Session, recording_id: str) -> Facts:
    """Raises NotFound."""
    row = session.get(Recording, recording_id)
    if row is None:
        raise NotFound
    meeting = session.get(Meeting, row.meeting_id)
    petition = session.get(Petition, row.petition_id)
    witness = service.witnessed(session, recording_id)
    return Facts(
        recording_id=row.id,
        meeting_id=row.meeting_id,
        petition_id=row.petition_id,
        case_number=petition.case_number if petition else "",
        started_at=row.started_at,
        closed_at=row.closed_at,
        people=_people(meeting) if meeting else (),
        films=tuple(
            Film(Path(r.path).name, r.participant_id, r.width, r.height, tuple((k, a, b) for k, a, b in r.gaps))
            for r in row.renditions
        ),
        alarms=tuple(_alarms(session, row)),
        witness=Witnessed(witness.frames, witness.size, witness.head, witness.at) if witness else None,
    )


def _people(meeting: Meeting) -> tuple[Person, ...]:
    return tuple(
        Person(
            p.id,
            p.role,
            p.name_ar,
            p.name_en,
            staff_id=p.staff_id or "",
            visitor_id=meeting.visitor_id if p.role == VISITOR else "",
        )
        for p in meeting.participants
    )


def _alarms(session: Session, row: Recording) -> Iterator[tuple[datetime, str]]:
    """When the watchdog said that this recording was lost: the outbox has it, with its time."""
    until = (row.closed_at or row.started_at) + timedelta(minutes=1)
    rows = session.scalars(
        select(OutboxEvent)
        .where(
            OutboxEvent.name == name_of(RecordingLost),
            OutboxEvent.occurred_at >= row.started_at,
            OutboxEvent.occurred_at <= until,
        )
        .order_by(OutboxEvent.id)
    )
    for event in rows:
        if event.payload.get("meeting_id") == row.meeting_id:
            yield event.occurred_at, str(event.payload.get("why", ""))


def examine(
    folder: Path,
    said: OnRecord,
    keys: PublicKeys,
    progress: Progress = silent,
    *,
    read: bool = True,
    again: Callable[[], OnRecord] | None = None,
) -> Report:
    """`verify`, and what only the archive can tell: that the manifest is the newest of this very recording, and that
    what was destroyed was to be.

    `again` asks the archive once more: what takes an hour to read may be destroyed meanwhile, rightly.
    """
    report = verify(folder, keys, progress, read=read)
    gone = any(finding.kind in (KEY_DESTROYED, REMOVED) for finding in report.findings)
    if gone and not said.destroyed and (again is None or not again().destroyed):
        report.findings[:] = [_undecided(finding) for finding in report.findings]
    report.findings[:0] = _compared(folder, said, report)
    return report


def _undecided(finding: Finding) -> Finding:
    return replace(finding, kind=UNDECIDED) if finding.kind in (KEY_DESTROYED, REMOVED) else finding


def _compared(folder: Path, said: OnRecord, report: Report) -> list[Finding]:
    place = folder / manifest.NAME
    if not place.exists():
        return [Finding("missing", manifest.NAME)] if said.sha256 else []
    data = place.read_bytes()
    if report.manifest and report.manifest.recording_id != said.recording_id:
        return [Finding(MISPLACED, manifest.NAME, 0, len(data), report.manifest.recording_id)]
    if report.manifest and hashlib.sha256(data).hexdigest() != said.sha256:
        return [Finding(OUTDATED, manifest.NAME, 0, len(data), str(report.manifest.fields["signed_at"]))]
    return []


def result_of(report: Report) -> dict[str, Any]:
    """A report as `service.checked` keeps it."""
    return {
        "verdict": report.verdict,
        "findings": [asdict(finding) for finding in report.findings[:100]],
        "read": report.checked,
    }


def check_handler(settings: Settings, db: Database) -> Handler:
    """The job: read a recording against its manifest, and say now and then how far it is."""

    def act(payload: dict[str, Any]) -> dict[str, Any]:
        folder = settings.recordings_dir / payload["recording_id"]

        def asked() -> OnRecord:
            return OnRecord.now(db, payload["recording_id"])

        with _telling(db, payload["check_id"], size_of(folder) if folder.is_dir() else 0) as progress:
            return result_of(examine(folder, asked(), public_keys(settings), progress, again=asked))

    def record(session: Session, payload: dict[str, Any], result: dict[str, Any], now: datetime) -> None:
        service.checked(session, payload["recording_id"], check_id=payload["check_id"], **result, now=now)

    def gave_up(session: Session, payload: dict[str, Any], error: str, now: datetime) -> None:
        problem = {"kind": "unreadable", "file": "", "start": 0, "end": 0, "other": error[:200]}
        service.checked(
            session,
            payload["recording_id"],
            check_id=payload["check_id"],
            verdict=FAILED,
            findings=[problem],
            read=0,
            now=now,
        )

    return Handler(act=act, record=record, gave_up=gave_up, tries=2, thread=READING)


@contextmanager
def _telling(db: Database, check_id: str, total: int) -> Iterator[Progress]:
    done, told = 0, time.monotonic()

    def progress(read: int) -> None:
        nonlocal done, told
        done += read
        if total and time.monotonic() - told >= TELL_EVERY_S:
            told = time.monotonic()
            with db.write() as session:
                service.advance(session, check_id, min(99, done * 100 // total), now=clock.now())

    yield progress
