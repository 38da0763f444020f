"""The check of a caller: what was said is compared here, and what is right is shown to nobody."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Refused
from reception.hotline import rules
from reception.hotline.models import CallerCheck
from reception.visitors.models import Visitor


def check(session: Session, visitor: Visitor, *, identity: str, called: str, staff_id: str, now: datetime) -> bool:
    """Whether the caller knew it. Raises Refused after too many wrong answers about this visitor, whoever asked."""
    session.execute(select(Visitor.id).where(Visitor.id == visitor.id).with_for_update())
    if locked(session, visitor.id, now=now):
        raise Refused("Too many wrong answers. Offer to call back on the number on file.")
    passed = rules.answers_fit(visitor.identity_number, visitor.phone, identity=identity, called=called)
    session.add(CallerCheck(id=new_id(), visitor_id=visitor.id, staff_id=staff_id, passed=passed, at=now))
    session.flush()
    audit.note(session, "check caller", "visitor", visitor.id, now=now, detail={"passed": passed})
    return passed


def checked_at(session: Session, visitor_id: str, *, staff_id: str, now: datetime) -> datetime | None:
    """When this agent's caller showed to be the visitor, if that still holds."""
    at = session.scalar(
        select(func.max(CallerCheck.at)).where(
            CallerCheck.visitor_id == visitor_id,
            CallerCheck.staff_id == staff_id,
            CallerCheck.passed,
            CallerCheck.at > now - rules.CHECK_HOLDS,
        )
    )
    return at if rules.still_checked(at, now=now) else None


def locked(session: Session, visitor_id: str, *, now: datetime) -> bool:
    return rules.locked(_wrong(session, visitor_id, now=now), now=now)


def tries_left(session: Session, visitor_id: str, *, now: datetime) -> int:
    return max(0, rules.TRIES - len(_wrong(session, visitor_id, now=now)))


def end(session: Session, *, staff_id: str, now: datetime) -> None:
    """The call is over: the next caller is somebody else, and is checked anew."""
    for row in session.scalars(
        select(CallerCheck).where(
            CallerCheck.staff_id == staff_id, CallerCheck.passed, CallerCheck.at > now - rules.CHECK_HOLDS
        )
    ):
        row.at = now - rules.CHECK_HOLDS


def _wrong(session: Session, visitor_id: str, *, now: datetime) -> list[datetime]:
    return list(
        session.scalars(
            select(CallerCheck.at).where(
                CallerCheck.visitor_id == visitor_id,
                CallerCheck.passed.is_(False),
                CallerCheck.at > now - rules.LOCKED_FOR,
            )
        )
    )
