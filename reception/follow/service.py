"""The door of the visitor's page. Tries are counted in a row under lock, so that many at once count as many."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from reception.follow import rules
from reception.follow.models import FollowDoor
from reception.petitions.models import Petition


def knock(session: Session, petition: Petition, *, typed: str, now: datetime) -> bool:
    """True where `typed` ends the phone number on file. During a pause nothing opens, the right digits neither.

    A wrong try is counted, not raised: it must be committed.
    """
    door = _locked(session, petition.id)
    if door.paused_until is not None and now < door.paused_until:
        return False
    right = rules.fits(petition.visitor.phone, typed)
    door.wrong = 0 if right else door.wrong + 1
    door.paused_until = rules.pause_after(door.wrong, now=now)
    audit.note(
        session, "open" if right else "refuse", "petition", petition.id, now=now, detail={"at": "follow-up page"}
    )
    return right


def paused_until(session: Session, petition_id: str, *, now: datetime) -> datetime | None:
    """The end of the running pause, if there is one."""
    door = session.get(FollowDoor, petition_id)
    return door.paused_until if door and door.paused_until and now < door.paused_until else None


def _locked(session: Session, petition_id: str) -> FollowDoor:
    wanted = (
        select(FollowDoor)
        .where(FollowDoor.petition_id == petition_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if (door := session.scalar(wanted)) is not None:
        return door
    try:
        with session.begin_nested():
            session.add(FollowDoor(petition_id=petition_id, wrong=0, paused_until=None))
    except IntegrityError:  # a rival's first try
        pass
    return session.scalars(wanted).one()
