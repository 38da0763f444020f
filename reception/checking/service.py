from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.errors import Refused
from core.events import emit
from core.staff.models import Staff
from reception.checking import rules
from reception.checking.events import CheckLeft, CheckTaken
from reception.checking.models import VerificationClaim
from reception.deadlines.models import Clock
from reception.deadlines.rules import CHECK
from reception.petitions.models import Petition


def take(session: Session, petition: Petition, *, staff_id: str, now: datetime) -> VerificationClaim:
    """Have the case in hand for a while, and lay down any other. Of two who reach for it at once one gets it.

    Raises Refused to the other.
    """
    for other in session.scalars(
        select(Petition)
        .join(VerificationClaim, VerificationClaim.petition_id == Petition.id)
        .where(VerificationClaim.staff_id == staff_id, Petition.id != petition.id)
    ).all():
        leave(session, other, staff_id=staff_id, now=now)
    fresh = now + rules.HOLD
    took = session.scalar(
        update(VerificationClaim)
        .where(
            VerificationClaim.petition_id == petition.id,
            (VerificationClaim.staff_id == staff_id) | (VerificationClaim.until <= now),
        )
        .values(staff_id=staff_id, until=fresh)
        .returning(VerificationClaim)
        .execution_options(synchronize_session="fetch")
    )
    if took is None:
        took = VerificationClaim(petition_id=petition.id, staff_id=staff_id, until=fresh)
        try:
            with session.begin_nested():
                session.add(took)
        except IntegrityError:
            raise Refused("A colleague has this case in hand already. Take the next one.") from None
    audit.note(session, "take", "verification", petition.id, now=now)
    emit(session, CheckTaken(petition_id=petition.id, centre_id=petition.centre_id, staff_id=staff_id), now=now)
    return took


def leave(session: Session, petition: Petition, *, staff_id: str, now: datetime) -> None:
    """Lay it down: decided, or left for somebody else."""
    gone = session.execute(
        delete(VerificationClaim).where(
            VerificationClaim.petition_id == petition.id, VerificationClaim.staff_id == staff_id
        )
    )
    if gone.rowcount:  # type: ignore[attr-defined]
        emit(session, CheckLeft(petition_id=petition.id, centre_id=petition.centre_id), now=now)


def held(session: Session, petition_ids: list[str], *, now: datetime) -> dict[str, Staff]:
    """Who has which of these cases in hand now."""
    rows = session.execute(
        select(VerificationClaim.petition_id, Staff)
        .join(Staff, Staff.id == VerificationClaim.staff_id)
        .where(VerificationClaim.petition_id.in_(petition_ids), VerificationClaim.until > now)
    )
    return {row[0]: row[1] for row in rows}


def due(session: Session, petition_ids: list[str]) -> dict[str, datetime]:
    """By when each of these must have been checked, on working time."""
    rows = session.execute(
        select(Clock.petition_id, Clock.due_at).where(
            Clock.petition_id.in_(petition_ids), Clock.step == CHECK, Clock.ended_at.is_(None)
        )
    )
    return {row[0]: row[1] for row in rows}


def mine(session: Session, *, staff_id: str, now: datetime) -> str | None:
    """The case that this verifier has in hand, if any."""
    return session.scalar(
        select(VerificationClaim.petition_id)
        .where(VerificationClaim.staff_id == staff_id, VerificationClaim.until > now)
        .order_by(VerificationClaim.until.desc())
        .limit(1)
    )
