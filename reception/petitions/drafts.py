"""Unsent intake forms. A draft belongs to the person who writes it; nobody else reads it.

One thing makes it another's: the visitor goes on to another counter. Whoever serves the ticket then may take over what
was written for it.
"""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core import audit
from core.errors import NotFound
from queueing.tickets.models import Counter, Ticket
from reception.files.models import Attachment
from reception.petitions.models import PetitionDraft

_MOST = 20_000  # letters of one value: more than any field of the form takes


def save(
    session: Session, draft_id: str, *, values: dict[str, str], staff_id: str, ticket_id: str | None, now: datetime
) -> PetitionDraft:
    """Keep what was typed. Raises NotFound for somebody else's draft."""
    draft = session.get(PetitionDraft, draft_id)
    if draft is None:
        draft = PetitionDraft(id=draft_id, staff_id=staff_id)
        session.add(draft)
    elif draft.staff_id != staff_id:
        raise NotFound("There is no such draft.")
    draft.ticket_id = ticket_id or draft.ticket_id
    draft.values = {key: value[:_MOST] for key, value in values.items()}
    draft.changed_at = now
    session.flush()
    return draft


def get(session: Session, draft_id: str, *, staff_id: str) -> PetitionDraft | None:
    found = session.get(PetitionDraft, draft_id)
    return found if found is not None and found.staff_id == staff_id else None


def of_staff(session: Session, staff_id: str) -> list[PetitionDraft]:
    """This person's drafts, the latest first."""
    return list(
        session.scalars(
            select(PetitionDraft)
            .where(PetitionDraft.staff_id == staff_id)
            .order_by(PetitionDraft.changed_at.desc())
            .limit(20)
        )
    )


def of_ticket(session: Session, ticket_id: str, *, staff_id: str) -> PetitionDraft | None:
    return session.scalar(
        select(PetitionDraft).where(PetitionDraft.ticket_id == ticket_id, PetitionDraft.staff_id == staff_id).limit(1)
    )


def left_at_another_counter(session: Session, ticket_id: str, *, staff_id: str) -> PetitionDraft | None:
    """What a colleague began for the visitor whom this person serves now, if anything was left unsent."""
    ticket = session.get(Ticket, ticket_id)
    counter = session.get(Counter, ticket.counter_id) if ticket is not None and ticket.counter_id else None
    if counter is None or counter.staff_id != staff_id:
        return None
    return session.scalar(
        select(PetitionDraft)
        .where(PetitionDraft.ticket_id == ticket_id, PetitionDraft.staff_id != staff_id)
        .order_by(PetitionDraft.changed_at.desc())
        .limit(1)
    )


def take_over(session: Session, ticket_id: str, *, staff_id: str, now: datetime) -> PetitionDraft:
    """Go on with it, papers and all. Raises NotFound unless this person serves the visitor."""
    draft = left_at_another_counter(session, ticket_id, staff_id=staff_id)
    if draft is None:
        raise NotFound("There is no such draft.")
    session.execute(
        update(Attachment)
        .where(Attachment.draft_id == draft.id, Attachment.uploaded_by == draft.staff_id)
        .values(uploaded_by=staff_id)
    )
    audit.note(session, "take over", "petition draft", draft.id, now=now, detail={"from": draft.staff_id})
    draft.staff_id, draft.changed_at = staff_id, now
    session.flush()
    return draft


def discard(session: Session, draft_id: str, *, staff_id: str) -> None:
    session.execute(delete(PetitionDraft).where(PetitionDraft.id == draft_id, PetitionDraft.staff_id == staff_id))


def discard_older(session: Session, *, before: datetime) -> None:
    """Forget forms that were never sent (their papers: files.service.discard_older)."""
    session.execute(delete(PetitionDraft).where(PetitionDraft.changed_at < before))
