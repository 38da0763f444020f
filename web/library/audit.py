"""The audit of the archive: what the database says there is, against what lies on the disk."""

from dataclasses import dataclass
from functools import partial

from sqlalchemy import select

from core import clock
from core.db import Database
from core.language import N_
from core.settings import Settings
from recordings.archive.models import Recording
from recordings.archive.states import DESTROYED, SETTLED
from recordings.proof import service
from recordings.proof.models import Check, SignedManifest
from recordings.proof.pieces import Progress, silent
from recordings.proof.rules import UNSIGNED
from recordings.proof.verify import DESTROYED as KEY_DESTROYED
from recordings.proof.verify import HARMLESS, NO_MANIFEST, REMOVED, REWRAPPED, Report
from recordings.proof.verify import size_of as bytes_of
from recordings.rotation import unopenable
from web.keys import key_ring, public_keys
from web.proof import OnRecord, examine, result_of
from web.storage import bucket_of, check_store

KEY = "key"
GONE, NEVER, ORPHAN, STORE = "folder missing", "never verified", "orphan", "store"
SENTENCES = {
    GONE: N_("The recording's folder is missing."),
    UNSIGNED: N_("The recording is not signed."),
    NEVER: N_("The recording has never been verified."),
    ORPHAN: N_("A folder of which the archive knows nothing."),
    STORE: N_("{file} in the store: {other}."),
    KEY: N_("{file}: its key does not open with the keys that are here."),
}
SUMMARY = N_("{count} recordings looked at, {problems} problems found.")
_MILD = frozenset({UNSIGNED, NEVER, ORPHAN})


@dataclass(frozen=True, slots=True)
class Problem:
    """A `kind` of `SENTENCES`, or of a finding with its file and range."""

    recording_id: str
    kind: str
    file: str = ""
    start: int = 0
    end: int = 0
    other: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    said: OnRecord
    verified: bool
    settled: bool


def listed(db: Database) -> list[Row]:
    """Every recording of the database, oldest first."""
    with db.read() as session:
        checked = set(session.scalars(select(Check.recording_id).where(Check.verdict.is_not(None)).distinct()))
        rows = session.execute(select(Recording.id, Recording.state).order_by(Recording.started_at, Recording.id))
        return [Row(OnRecord.of(session, id_), id_ in checked, state in SETTLED | {DESTROYED}) for id_, state in rows]


def unsigned(db: Database) -> list[str]:
    """Settled recordings that were never signed."""
    signed = select(SignedManifest.recording_id)
    with db.read() as session:
        query = select(Recording.id).where(Recording.state.in_(SETTLED), Recording.id.not_in(signed))
        return list(session.scalars(query.order_by(Recording.started_at)))


def size_of(settings: Settings, row: Row) -> int:
    folder = settings.recordings_dir / row.said.recording_id
    return bytes_of(folder) if row.settled and folder.is_dir() else 0


def run(
    settings: Settings, db: Database, rows: list[Row], *, quick: bool, progress: Progress
) -> tuple[list[Problem], int]:
    """(problems, recordings looked at). A thorough look is kept with each recording; a quick one reads no media."""
    keys, problems, bucket, ring = public_keys(settings), [], bucket_of(settings), key_ring(settings)
    settled = [row for row in rows if row.settled]
    for row in settled:
        folder = settings.recordings_dir / row.said.recording_id
        if not folder.is_dir():
            problems.append(Problem(row.said.recording_id, GONE))
            continue
        again = partial(OnRecord.now, db, row.said.recording_id)
        report = examine(folder, row.said, keys, silent if quick else progress, read=not quick, again=again)
        if quick:
            progress(1)
        else:
            with db.write() as session:
                service.checked(session, row.said.recording_id, **result_of(report), now=clock.now())
        problems += _problems(row, report, quick=quick)
        problems += [Problem(row.said.recording_id, KEY, path.name) for path in unopenable(folder, ring)]
        if bucket is not None:
            found = check_store(settings, db, bucket, row.said.recording_id)
            problems += [Problem(row.said.recording_id, STORE, file, other=problem) for file, problem in found]
    return problems + _orphans(settings, db), len(settled)


def exit_code(problems: list[Problem]) -> int:
    """As of `verify`: 1 where something was altered or is missing, 3 where it is only not proven, else 0."""
    if any(problem.kind not in _MILD | HARMLESS for problem in problems):
        return 1
    return 3 if problems else 0


def _problems(row: Row, report: Report, *, quick: bool) -> list[Problem]:
    """A key wrapped anew is none, as long as it opens, and what was destroyed by decision is none: `examine` knows."""
    id_ = row.said.recording_id
    found = [
        Problem(id_, finding.kind, finding.file, finding.start, finding.end, finding.other)
        for finding in report.findings
        if finding.kind not in (NO_MANIFEST, REWRAPPED, KEY_DESTROYED, REMOVED)
    ]
    if report.verdict == UNSIGNED:
        found.append(Problem(id_, UNSIGNED))
    elif quick and not row.verified:
        found.append(Problem(id_, NEVER))
    return found


def _orphans(settings: Settings, db: Database) -> list[Problem]:
    if not settings.recordings_dir.is_dir():
        return []
    names = [place.name for place in settings.recordings_dir.iterdir() if not place.name.startswith(".")]
    with db.read() as session:
        known = set(session.scalars(select(Recording.id)))
    return [Problem(name, ORPHAN) for name in sorted(names) if name not in known]
