from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.calendar import local_day
from core.errors import Mistake
from core.events import emit
from queueing.opening import rules
from queueing.opening.events import OpeningChanged
from queueing.opening.models import ClosedDay, OpeningHours
from queueing.opening.rules import Hours, Opening


def hours_of(session: Session, centre_id: str) -> dict[str, Any]:
    """Empty where no hours are set: the centre receives at any time."""
    row = session.get(OpeningHours, centre_id)
    return dict(row.hours) if row else {}


def closed_days(session: Session, centre_id: str, *, since: date) -> list[ClosedDay]:
    """From `since` on, in order."""
    query = select(ClosedDay).where(ClosedDay.centre_id == centre_id, ClosedDay.day >= since)
    return list(session.scalars(query.order_by(ClosedDay.day)))


def opening(session: Session, centre_id: str, *, zone: str, now: datetime, hours: Hours | None = None) -> Opening:
    """Whether the centre receives now. `hours` are a service's own; without them (or empty) the centre's hold."""
    return rules.opening(
        hours or hours_of(session, centre_id), _closed(session, centre_id, zone=zone, now=now), zone=zone, now=now
    )


def next_opening(
    session: Session, centre_id: str, *, zone: str, now: datetime, hours: Hours | None = None
) -> datetime | None:
    """When the doors open next, later than `now`."""
    closed = _closed(session, centre_id, zone=zone, now=now)
    return rules.next_opening(hours or hours_of(session, centre_id), closed, zone=zone, now=now)


def set_hours(session: Session, centre_id: str, hours: Hours, *, now: datetime) -> OpeningHours:
    """Raises Mistake for spans that make no day. Who holds a ticket keeps it: hours are asked when one is taken."""
    row = session.get(OpeningHours, centre_id) or OpeningHours(centre_id=centre_id)
    row.hours = rules.checked(hours)
    session.add(row)
    emit(session, OpeningChanged(centre_id), now=now)
    session.flush()
    return row


def close_on(
    session: Session, centre_id: str, day: date, *, name_ar: str, name_en: str, zone: str, now: datetime
) -> ClosedDay:
    """Raises Mistake for a day that is over. A day that was closed already takes the new name."""
    if day < local_day(now, zone):
        raise Mistake("This day has passed.", field="day")
    row = session.get(ClosedDay, (centre_id, day)) or ClosedDay(centre_id=centre_id, day=day)
    row.name_ar, row.name_en = name_ar, name_en
    session.add(row)
    emit(session, OpeningChanged(centre_id), now=now)
    session.flush()
    return row


def open_again_on(session: Session, centre_id: str, day: date, *, now: datetime) -> None:
    session.execute(delete(ClosedDay).where(ClosedDay.centre_id == centre_id, ClosedDay.day == day))
    emit(session, OpeningChanged(centre_id), now=now)


def _closed(session: Session, centre_id: str, *, zone: str, now: datetime) -> Collection[date]:
    today = local_day(now, zone)
    until = today + timedelta(days=rules.LOOK_AHEAD)
    return set(
        session.scalars(
            select(ClosedDay.day).where(
                ClosedDay.centre_id == centre_id, ClosedDay.day >= today, ClosedDay.day <= until
            )
        )
    )
