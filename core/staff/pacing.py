"""How fast passwords may be tried: by name, by address, and by the devices that people use.

A name that nobody has is paced like a real one, so the answer tells nothing. An address is paced as well, for whoever
tries many names from it. A browser that somebody has signed in with before is paced by itself: neither a stranger who
guesses at the minister's name nor one behind the office's own address keeps its people out (device cookies, OWASP).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import Mistake
from core.staff import rules
from core.staff.models import SignInDevice, SignInPace
from core.staff.rules import DEVICE_KEPT, NAME_PACE, SOURCE_PACE

SWEPT = 200  # rows that say nothing any more, taken away by each sign-in


@dataclass(frozen=True, slots=True)
class Lane:
    """Where this try counts: in a row held under lock and, from a device that isn't known, in its address's too."""

    row: SignInPace
    source: str = ""


def enter(session: Session, name: str, staff_id: str | None, *, address: str, device: str, now: datetime) -> Lane:
    """Raises Mistake while no more may be tried. An address is only looked at here: what many at once tried beyond its
    measure is counted all the same, and waited for."""
    if staff_id and device and session.get(SignInDevice, (_hash(device), staff_id)):
        lane = Lane(_locked(session, f"device:{_hash(device)}:{staff_id}", now=now))
    else:
        source = f"address:{rules.source_of(address)}" if address else ""
        seen = session.get(SignInPace, source) if source else None
        if seen and not SOURCE_PACE.may_try(seen.free_at, now=now):
            raise _too_many()
        lane = Lane(_locked(session, _of_name(name), now=now), source)
    if not NAME_PACE.may_try(lane.row.free_at, now=now):
        raise _too_many()
    return lane


def wrong(session: Session, lane: Lane, *, now: datetime) -> None:
    lane.row.free_at = NAME_PACE.after_wrong(lane.row.free_at, now=now)
    if lane.source:
        row = _locked(session, lane.source, now=now)
        row.free_at = SOURCE_PACE.after_wrong(row.free_at, now=now)
    session.flush()


def right(session: Session, lane: Lane) -> None:
    """The address's wrong tries stay: who guesses at others' names can't wash them off with an own one."""
    session.delete(lane.row)
    session.flush()


def know_device(session: Session, staff_id: str, device: str, *, now: datetime) -> None:
    session.merge(SignInDevice(device_hash=_hash(device), staff_id=staff_id, at=now))


def paused(session: Session, username: str, *, now: datetime) -> bool:
    """Whether sign-in with this name waits, but on the person's own devices."""
    row = session.get(SignInPace, _of_name(username))
    return row is not None and not NAME_PACE.may_try(row.free_at, now=now)


def forget(session: Session, staff_id: str, username: str) -> None:
    """A new first password: the pause ends, and whoever holds a device of theirs begins as a stranger."""
    session.execute(delete(SignInPace).where(SignInPace.key == _of_name(username)))
    session.execute(delete(SignInDevice).where(SignInDevice.staff_id == staff_id))


def sweep(session: Session, *, now: datetime) -> None:
    """Rows under somebody's lock are left for the next time: two who sweep wait for nobody."""
    over = select(SignInPace.key).where(SignInPace.free_at < now).limit(SWEPT).with_for_update(skip_locked=True)
    if keys := session.scalars(over).all():
        session.execute(delete(SignInPace).where(SignInPace.key.in_(keys)))
    session.execute(delete(SignInDevice).where(SignInDevice.at < now - DEVICE_KEPT))


def _locked(session: Session, key: str, *, now: datetime) -> SignInPace:
    wanted = select(SignInPace).where(SignInPace.key == key).with_for_update().execution_options(populate_existing=True)
    if (row := session.scalar(wanted)) is not None:
        return row
    try:
        with session.begin_nested():
            session.add(SignInPace(key=key, free_at=now))
    except IntegrityError:  # a rival's first try
        pass
    return session.scalars(wanted).one()


def _too_many() -> Mistake:
    return Mistake("Too many attempts. Please try again in a few minutes.", field="password")


def _of_name(name: str) -> str:
    return f"name:{_hash(name.strip().lower())}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
