"""Unsent intake forms. A draft belongs to the person who writes it; nobody else reads it."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.errors import NotFound
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


def discard(session: Session, draft_id: str, *, staff_id: str) -> None:
    session.execute(delete(PetitionDraft).where(PetitionDraft.id == draft_id, PetitionDraft.staff_id == staff_id))


def discard_older(session: Session, *, before: datetime) -> None:
    """Forget forms that were never sent (their papers: files.service.discard_older)."""
    session.execute(delete(PetitionDraft).where(PetitionDraft.changed_at < before))
