"""The one door to recorded pictures and sound: `watch` a side, `look` at another piece, `fetch` a film to take away.

Each decides by `archive.rules`, leaves its row, and opens the file with its key in one write transaction: what can't be
noted is not opened, whoever asks. Only the bytes of a file that lies in the store are asked for behind it. A file whose
header names another recording is not opened, wherever it lies.

While bytes flow the decision is asked again each second and before each further part of the recording, so a leave that
is taken back ends what it began.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit import AuditEntry
from core.errors import Fault, NotFound
from recordings.archive import leave, views
from recordings.archive.models import Grant, Recording, Rendition
from recordings.archive.rules import SPAN_S
from recordings.archive.states import READY
from recordings.container import FILE, Header, KeyDestroyed, NotSealed, SealBroken, Unfinished, decode_header
from recordings.export import rules as export_rules
from recordings.export import service as exports
from recordings.export.models import Export
from recordings.journal_records import Mark
from recordings.keys import KeyRefused, KeyRing
from recordings.ranges import ByteRange, read_range
from recordings.sealed import SealedReader
from recordings.storage.away import open_sealed, read_stub, stub_of
from recordings.strip.files import MARKS, marks_of

log = structlog.get_logger()
ONE_VIEW = timedelta(hours=1)  # ranges asked for so long after a download's beginning still belong to it
ASK_EVERY = timedelta(seconds=1)

Write = Callable[[], AbstractContextManager[Session]]
"""Opens a write transaction in the name of the one who asks (`session.info` says who)."""
Clock = Callable[[], datetime]


@dataclass
class Opened:
    """A sealed file in the hands of one person. `read` gives it out as long as that person may have it."""

    sealed: SealedReader
    still: Callable[[float, float], None]  # (from, to) seconds: notes them; raises NotFound when it is over
    duration: float
    clock: Clock

    @property
    def size(self) -> int:
        return self.sealed.size

    def read(self, part: ByteRange) -> Iterator[bytes]:
        """The part's bytes; ends early when the leave does. Seconds are told by the share of bytes, to about SPAN_S."""
        at, asked = part.start, self.clock()
        noted = -1.0  # seconds up to which this reading was noted
        with self.sealed:
            for block in read_range(self.sealed, part):
                start, end = self._second(at), self._second(at + len(block))
                if end > noted or self.clock() - asked >= ASK_EVERY:
                    try:
                        noted = max(noted, min(end + SPAN_S, self.duration) if noted >= 0 else end)
                        self.still(start, noted)
                    except NotFound:
                        log.info("a leave ended while its holder watched")
                        return
                    asked = self.clock()
                yield block
                at += len(block)

    def close(self) -> None:
        self.sealed.close()

    def _second(self, at: int) -> float:
        return self.duration * at / self.size if self.size else 0.0


def watch(
    write: Write, staff_id: str, rendition_id: str, *, folder: Path, keyring: KeyRing, clock: Clock, first: bool
) -> Opened:
    """One participant's picture and sound, for someone who may view them. Raises NotFound to all others.

    `first`: asked for from its beginning. A range from the second byte on leaves its trace as well.
    """

    def find(session: Session) -> _Piece:
        row = session.get(Rendition, rendition_id)
        if row is None:
            raise NotFound
        return _Piece(row.recording_id, folder / row.path, row.participant_id, row.duration_s)

    return _open(write, staff_id, find, keyring, clock, anew=first)


def look(
    write: Write, staff_id: str, recording_id: str, file: str, *, folder: Path, keyring: KeyRing, clock: Clock
) -> Opened:
    """Another sealed file of the recording, by its plain name: its strip of pictures, say, or what was typed in it."""
    if "/" in file or file.startswith("."):
        raise NotFound
    piece = _Piece(recording_id, folder / recording_id / file, file.removesuffix(".sealed"), 0.0)
    return _open(write, staff_id, lambda _session: piece, keyring, clock, anew=False)


def search(
    write: Write,
    staff_id: str,
    recording_ids: Iterable[str],
    matches: Callable[[Mark], bool],
    *,
    folder: Path,
    keyring: KeyRing,
    clock: Clock,
) -> dict[str, Mark]:
    """Which of these recordings hold a written line that matches, and the first one; only those one may view count.

    That it is searched is noted before a key is used, and each recording in which something was found.
    """
    with write() as session:
        audit.note(session, "search", "recording", "-", now=clock())
        who = leave.viewer(session, staff_id)
        wanted = select(Recording.id).where(Recording.id.in_(list(recording_ids)), Recording.state == READY)
        allowed = list(session.scalars(leave.visible(wanted, who, now=clock()))) if who is not None else []
    found = {}
    for recording_id in allowed:
        try:
            with _its_own(open_sealed(folder / recording_id / MARKS, keyring), recording_id) as sealed:
                hit = next((mark for mark in marks_of(sealed) if mark.kind == "text" and matches(mark)), None)
        except (OSError, KeyDestroyed, KeyRefused, SealBroken, Unfinished, NotSealed, Fault, ValueError):
            continue  # not listed yet, damaged, or its store is silent: its page says so
        if hit is not None:
            found[recording_id] = hit
    with write() as session:
        for recording_id in found:
            audit.note(session, "find", "recording", recording_id, now=clock(), detail={"in": "text"})
    return found


def fetch(
    write: Write, staff_id: str, export_id: str, *, folder: Path, keyring: KeyRing, clock: Clock, first: bool
) -> tuple[Export, Opened]:
    """The film made for this person. Raises NotFound for everybody else, before and after its time.

    Each download leaves its audit row, and so does a range that belongs to none.
    """
    with write() as session:
        now = clock()
        export = exports.fetched(session, export_id, staff_id, now=now)
        if first or not _downloaded(session, staff_id, export, since=now - export_rules.DOWNLOADS_APART):
            detail = {"export": export.id, "sha256": export.sha256 or ""}
            audit.note(session, "download", "recording", export.recording_id, now=now, detail=detail)
        session.flush()
        try:
            sealed = _its_own(SealedReader(folder / export.file, keyring), export.recording_id)
        except (FileNotFoundError, KeyDestroyed):
            raise Fault("The file of this export is missing. Cancel it and ask again.") from None

    def still(_start: float, _end: float) -> None:
        with write() as session:
            exports.fetched(session, export_id, staff_id, now=clock())

    return export, Opened(sealed, still, export.recording.duration_s or 0.0, clock)


def downloads(session: Session, export: Export) -> list[AuditEntry]:
    """Every fetching of the film, earliest first."""
    rows = select(AuditEntry).where(AuditEntry.subject_id == export.recording_id, AuditEntry.action == "download")
    return [row for row in session.scalars(rows.order_by(AuditEntry.at)) if row.detail.get("export") == export.id]


@dataclass(frozen=True, slots=True)
class _Piece:
    recording_id: str
    path: Path
    what: str
    duration: float


def _open(
    write: Write, staff_id: str, find: Callable[[Session], _Piece], keyring: KeyRing, clock: Clock, *, anew: bool
) -> Opened:
    sealed: SealedReader | None = None
    try:
        with write() as session:
            piece, now = find(session), clock()
            recording, by = _decided(session, piece.recording_id, staff_id, now=now, lock=True)
            view = views.begin(session, recording, staff_id, by, what=piece.what, anew=anew, now=now).id
            try:
                sealed = _at_hand(piece, keyring)  # the key, in the transaction that keeps the trace
            except (FileNotFoundError, KeyDestroyed):
                raise NotFound from None
        if sealed is None:  # a store that is slow or silent keeps nobody else from writing
            try:
                sealed = _its_own(open_sealed(piece.path, keyring), piece.recording_id)
            except (FileNotFoundError, KeyDestroyed):
                raise NotFound from None
    except BaseException:
        if sealed is not None:
            sealed.close()
        raise

    def still(start: float, end: float) -> None:
        with write() as session:
            now = clock()
            _decided(session, piece.recording_id, staff_id, now=now, lock=False)
            if piece.duration:
                views.extend(session, view, start, end, duration=piece.duration, now=now)

    return Opened(sealed, still, piece.duration, clock)


def _at_hand(piece: _Piece, keyring: KeyRing) -> SealedReader | None:
    """The file, where it lies here. Else None, and its header, which is here, has been found to be this recording's and
    to have a key that opens. Raises FileNotFoundError, KeyDestroyed, SealBroken."""
    try:
        return _its_own(SealedReader(piece.path, keyring), piece.recording_id)
    except FileNotFoundError:
        head, _away = read_stub(stub_of(piece.path))
    header = decode_header(head, kind=FILE)
    _check_owner(header, piece.recording_id)
    header.data_key(keyring)
    return None


def _its_own(sealed: SealedReader, recording_id: str) -> SealedReader:
    """One key ring opens them all: a film that was put into another's place would play there. Raises SealBroken."""
    try:
        _check_owner(sealed.header, recording_id)
    except SealBroken:
        sealed.close()
        raise
    return sealed


def _check_owner(header: Header, recording_id: str) -> None:
    if header.owner != recording_id:
        raise SealBroken(f"a file of {header.owner} lies in the place of one of {recording_id}")


def _decided(
    session: Session, recording_id: str, staff_id: str, *, now: datetime, lock: bool
) -> tuple[Recording, Grant]:
    """With `lock` a destruction waits for us, or we for it."""
    query = select(Recording).where(Recording.id == recording_id).execution_options(populate_existing=True)
    recording = session.scalar(query.with_for_update(of=Recording) if lock else query)
    by = leave.leave_of(session, recording, staff_id, now=now) if recording is not None else None
    if recording is None or by is None or recording.state != READY:
        raise NotFound
    return recording, by


def _downloaded(session: Session, staff_id: str, export: Export, *, since: datetime) -> bool:
    return any(row.at > since and row.actor_id == staff_id for row in downloads(session, export))
