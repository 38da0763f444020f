"""In a pilot, the numbers that get real texts."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core import audit
from core.errors import Mistake
from core.events import emit
from core.text import clean
from messaging.events import NumberAllowed, NumberDisallowed
from messaging.models import AllowedNumber, Dispatch, Message
from messaging.rules import can_be_written_to
from messaging.states import CREATED, HELD


def numbers(session: Session) -> list[AllowedNumber]:
    return list(session.scalars(select(AllowedNumber).order_by(AllowedNumber.added_at.desc(), AllowedNumber.number)))


def allow(session: Session, number: str, *, note: str, by: str, now: datetime) -> AllowedNumber:
    """From now on this number gets real texts, those held for it included. Raises Mistake for half a number."""
    if not can_be_written_to(number):
        raise Mistake("Please give the whole number, with country: +966…", field="number")
    row = session.get(AllowedNumber, number)
    if row is None:
        row = AllowedNumber(number=number, note=clean(note)[:200], added_by=by, added_at=now)
        session.add(row)
        audit.note(session, "allow", "number", number, now=now)
        emit(session, NumberAllowed(by=by), now=now)
    waiting = list(
        session.scalars(select(Dispatch.message_id).where(Dispatch.to_number == number, Dispatch.held.is_(True)))
    )
    session.execute(update(Dispatch).where(Dispatch.message_id.in_(waiting)).values(held=False, run_at=now))
    session.execute(update(Message).where(Message.id.in_(waiting), Message.state == HELD).values(state=CREATED))
    return row


def disallow(session: Session, number: str, *, by: str, now: datetime) -> None:
    if session.execute(delete(AllowedNumber).where(AllowedNumber.number == number)).rowcount:  # type: ignore[attr-defined]
        audit.note(session, "disallow", "number", number, now=now)
        emit(session, NumberDisallowed(by=by), now=now)
