"""What is added to a case without moving it: notes, papers, steps of its story that happened elsewhere."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import Mistake, Refused
from core.events import emit
from reception.files import service as files_service
from reception.petitions import custody, events, rules, states, story
from reception.petitions.models import Petition, PetitionNote


def written(
    session: Session, petition: Petition, kind: str, text: str, field: str, staff_id: str | None, now: datetime
) -> PetitionNote:
    """What a person wrote, kept; the caller tells the story. `field` is where a Mistake shows."""
    note = PetitionNote(
        id=new_id(),
        petition_id=petition.id,
        kind=kind,
        text=rules.words(text, field=field),
        staff_id=staff_id,
        department_id=petition.department_id,
        at=now,
    )
    session.add(note)
    return note


def add_note(
    session: Session, petition_id: str, *, text: str, kind: str = "note", staff_id: str, now: datetime
) -> PetitionNote:
    """A note among staff, or a department's opinion for the official. Changes no state."""
    if kind not in ("note", "opinion"):
        raise Mistake("Choose note or opinion.", field="kind")
    petition = custody.locked(session, petition_id)
    note = written(session, petition, kind, text, "text", staff_id, now)
    fields = story.named("department", petition.department or petition.centre)
    story.tell(session, petition, kind, now=now, by=staff_id, text=note.text, fields=fields)
    emit(
        session,
        events.NoteAdded(petition_id=petition.id, department_id=petition.department_id or ""),
        now=now,
    )
    return note


def add_paper(session: Session, petition_id: str, *, file_ids: list[str], staff_id: str, now: datetime) -> None:
    """Papers brought later: uploads of `staff_id` become part of the case."""
    petition = custody.locked(session, petition_id)
    if petition.state == states.CLOSED:
        raise Refused("The case is closed. Reopen it to add papers.")
    for paper in files_service.attach(session, file_ids, petition_id=petition.id, staff_id=staff_id):
        story.tell(session, petition, "paper", now=now, by=staff_id, fields={"name": paper.name})
    emit(
        session,
        events.NoteAdded(petition_id=petition.id, department_id=petition.department_id or ""),
        now=now,
    )


def record(
    session: Session,
    petition_id: str,
    kind: str,
    *,
    text: str = "",
    staff_id: str | None = None,
    fields: dict[str, str] | None = None,
    now: datetime,
) -> Petition:
    """A step of the story that happened elsewhere: appointment, meeting, directive, fulfilled, called, paper."""
    petition = custody.locked(session, petition_id)
    story.tell(session, petition, kind, now=now, by=staff_id, text=text, fields=fields or {})
    return petition
