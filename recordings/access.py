"""The one door to recorded pictures and sound. Every way to bytes of a recording goes through `open_rendition`."""

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from core import audit
from core.errors import NotFound
from core.staff.models import Staff
from recordings.archive import service
from recordings.archive.models import Rendition
from recordings.archive.states import READY
from recordings.keys import KeyRing
from recordings.sealed import SealedReader


def open_rendition(
    session: Session, staff: Staff, rendition_id: str, *, folder: Path, keyring: KeyRing, now: datetime, first: bool
) -> SealedReader:
    """The sealed file of a rendition, opened for someone who holds a grant. Raises NotFound otherwise.

    `first` is the request of the beginning, which leaves the audit row of a view; later ranges do not.
    """
    rendition = session.get(Rendition, rendition_id)
    if rendition is None:
        raise NotFound
    recording = service.viewable(session, rendition.recording_id, staff.id, now=now)
    if recording.state != READY:
        raise NotFound
    if first:
        audit.note(session, "view", "recording", recording.id, now=now, detail={"side": rendition.role})
    return SealedReader(folder / rendition.path, keyring)
