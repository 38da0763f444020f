"""The one door to recorded pictures and sound: `open_rendition` to watch, `open_export` to take a film away."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit import AuditEntry
from core.errors import Fault, NotFound
from core.staff.models import Staff
from recordings.archive import service
from recordings.archive.models import Rendition
from recordings.archive.states import READY
from recordings.export import rules as export_rules
from recordings.export import service as exports
from recordings.export.models import Export
from recordings.keys import KeyRing
from recordings.sealed import SealedReader

ONE_VIEW = timedelta(hours=1)  # ranges asked for so long after a view's beginning still belong to it


def open_rendition(
    session: Session, staff: Staff, rendition_id: str, *, folder: Path, keyring: KeyRing, now: datetime, first: bool
) -> SealedReader:
    """The sealed file of a rendition, opened for someone who holds a grant. Raises NotFound otherwise.

    The request of the beginning (`first`) leaves the audit row of a view. A later range belongs to that view if there
    was one within the hour; else it leaves a row itself, so that nobody reads from the second byte on unseen.
    """
    rendition = session.get(Rendition, rendition_id)
    if rendition is None:
        raise NotFound
    recording = service.viewable(session, rendition.recording_id, staff.id, now=now)
    if recording.state != READY:
        raise NotFound
    if first or not _viewed(session, staff, rendition, since=now - ONE_VIEW):
        audit.note(session, "view", "recording", recording.id, now=now, detail=_detail(rendition))
    return SealedReader(folder / rendition.path, keyring)


def open_export(
    session: Session, staff: Staff, export_id: str, *, folder: Path, keyring: KeyRing, now: datetime, first: bool
) -> tuple[Export, SealedReader]:
    """The film made for this person, opened. Raises NotFound for everybody else, before and after its time.

    Each download leaves its audit row, and so does a range that belongs to none (see `open_rendition`).
    """
    export = exports.fetched(session, export_id, staff.id, now=now)
    if first or not _downloaded(session, staff, export, since=now - export_rules.DOWNLOADS_APART):
        detail = {"export": export.id, "sha256": export.sha256 or ""}
        audit.note(session, "download", "recording", export.recording_id, now=now, detail=detail)
    try:
        return export, SealedReader(folder / export.file, keyring)
    except FileNotFoundError:
        raise Fault("The file of this export is missing. Cancel it and ask again.") from None


def downloads(session: Session, export: Export) -> list[AuditEntry]:
    """Every fetching of the film, earliest first."""
    rows = select(AuditEntry).where(AuditEntry.subject_id == export.recording_id, AuditEntry.action == "download")
    return [row for row in session.scalars(rows.order_by(AuditEntry.at)) if row.detail.get("export") == export.id]


def _downloaded(session: Session, staff: Staff, export: Export, *, since: datetime) -> bool:
    return any(row.at > since and row.actor_id == staff.id for row in downloads(session, export))


def _detail(rendition: Rendition) -> dict[str, str]:
    return {"side": rendition.role, "participant": rendition.participant_id}


def _viewed(session: Session, staff: Staff, rendition: Rendition, *, since: datetime) -> bool:
    views = select(AuditEntry.detail).where(
        AuditEntry.subject_id == rendition.recording_id,
        AuditEntry.actor_id == staff.id,
        AuditEntry.action == "view",
        AuditEntry.at > since,
    )
    return _detail(rendition) in session.scalars(views)
