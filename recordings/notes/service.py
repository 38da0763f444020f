"""Notes are behind the recording's own door: every verb asks whether `by` may view it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import NotFound
from core.events import emit
from recordings.archive.service import viewable
from recordings.notes import rules
from recordings.notes.events import NoteChanged, NoteDeleted, NoteRestored, NoteWritten
from recordings.notes.models import Note
from recordings.notes.states import KEPT, MACHINE


def write(session: Session, recording_id: str, *, at_s: float, text: str, by: str, now: datetime) -> Note:
    """Raises NotFound unless `by` may view the recording; Mistake for a text or place that is none."""
    recording = viewable(session, recording_id, by, now=now)
    note = Note(
        id=new_id(),
        recording_id=recording.id,
        at_s=rules.place(at_s, recording.duration_s or 0.0),
        text=rules.words(text),
        written_by=by,
        written_at=now,
    )
    session.add(note)
    session.flush()
    _tell(session, "write note", note, NoteWritten, now=now)
    return note


def change(session: Session, note_id: str, *, text: str, by: str, now: datetime) -> Note:
    """Raises NotFound, Refused for another's note, Mistake for an empty or too long text."""
    note = _own(session, note_id, by, now=now)
    note.state = MACHINE.next(note.state, "change")
    note.text, note.changed_at = rules.words(text), now
    _tell(session, "change note", note, NoteChanged, now=now)
    return note


def delete(session: Session, note_id: str, *, by: str, now: datetime) -> Note:
    """Gone from the page; `restore` brings it back for an hour. Raises NotFound, Refused."""
    note = _own(session, note_id, by, now=now)
    note.state, note.deleted_at = MACHINE.next(note.state, "delete"), now
    _tell(session, "delete note", note, NoteDeleted, now=now)
    return note


def restore(session: Session, note_id: str, *, by: str, now: datetime) -> Note:
    """Raises NotFound, Refused for another's note or when it was deleted too long ago."""
    note = _own(session, note_id, by, now=now)
    rules.check_restorable(note.deleted_at, now=now)
    note.state, note.deleted_at = MACHINE.next(note.state, "restore"), None
    _tell(session, "restore note", note, NoteRestored, now=now)
    return note


def of_recording(session: Session, recording_id: str) -> list[Note]:
    """In the order of their places; whoever shows them asks `viewable` first."""
    query = select(Note).where(Note.recording_id == recording_id, Note.state == KEPT)
    return list(session.scalars(query.order_by(Note.at_s, Note.written_at)))


def _own(session: Session, note_id: str, by: str, *, now: datetime) -> Note:
    note = session.scalar(select(Note).where(Note.id == note_id).with_for_update())
    if note is None:
        raise NotFound
    viewable(session, note.recording_id, by, now=now)
    rules.check_own(note.written_by, by)
    return note


def _tell(
    session: Session,
    action: str,
    note: Note,
    event: type[NoteWritten] | type[NoteChanged] | type[NoteDeleted] | type[NoteRestored],
    *,
    now: datetime,
) -> None:
    audit.note(session, action, "recording", note.recording_id, now=now, detail={"note": note.id})
    emit(session, event(note.id, note.recording_id), now=now)
