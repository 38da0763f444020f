"""When a centre receives: a reading of its working calendar, of which there is but one (`core.workdays`)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from core.events import emit
from core.workdays import service as workdays
from core.workdays.models import Holiday
from core.workdays.rules import CLOSURE
from queueing.opening import rules
from queueing.opening.events import OpeningChanged
from queueing.opening.rules import Hours, Opening


def hours_of(session: Session, centre_id: str) -> dict[str, Any]:
    """Empty where no hours are set: the centre receives at any time."""
    row = workdays.hours_of(session, centre_id)
    return dict(row.week) if row else {}


def ramadan_of(session: Session, centre_id: str) -> dict[str, Any]:
    """Empty where Ramadan has no hours of its own."""
    row = workdays.hours_of(session, centre_id)
    return dict(row.ramadan) if row else {}


def closed_days(session: Session, centre_id: str, *, since: date) -> list[Holiday]:
    """Holidays of the ministry and of the centre that end on `since` or later, in order."""
    return workdays.holidays(session, since=since, centre_id=centre_id)


def opening(session: Session, centre_id: str, *, zone: str, now: datetime, hours: Hours | None = None) -> Opening:
    """Whether the centre receives now. `hours` are a service's own; without them (or empty) the centre's hold."""
    week, ramadan = _hours(session, centre_id, hours)
    closed = workdays.calendar_for(session, zone=zone, centre_id=centre_id).closed
    return rules.opening(week, closed, zone=zone, now=now, ramadan=ramadan)


def next_opening(
    session: Session, centre_id: str, *, zone: str, now: datetime, hours: Hours | None = None
) -> datetime | None:
    """When the doors open next, later than `now`."""
    week, ramadan = _hours(session, centre_id, hours)
    closed = workdays.calendar_for(session, zone=zone, centre_id=centre_id).closed
    return rules.next_opening(week, closed, zone=zone, now=now, ramadan=ramadan)


def set_hours(
    session: Session, centre_id: str, hours: Hours, *, now: datetime, ramadan: Hours | None = None
) -> dict[str, Any]:
    """The week as it is now. Raises Mistake for spans that make no day.

    Who holds a ticket keeps it: hours are asked when one is taken.
    """
    row = workdays.set_hours(session, hours, ramadan, now=now, centre_id=centre_id)
    emit(session, OpeningChanged(centre_id), now=now)
    return dict(row.week) if row else {}


def close_on(
    session: Session, centre_id: str, day: date, *, name_ar: str, name_en: str, zone: str, now: datetime
) -> Holiday:
    """Raises Mistake for a day that is over. A day that was closed already takes the new name."""
    for row in workdays.holidays(session, since=day, until=day, centre_id=centre_id):
        if row.centre_id == centre_id and row.first_day == row.last_day:
            row.name_ar, row.name_en = name_ar, name_en
            return row
    row = workdays.declare_holiday(
        session,
        first_day=day,
        last_day=day,
        name_ar=name_ar,
        name_en=name_en,
        kind=CLOSURE,
        centre_id=centre_id,
        zone=zone,
        now=now,
    )
    emit(session, OpeningChanged(centre_id), now=now)
    return row


def open_again_on(session: Session, centre_id: str, day: date, *, zone: str, now: datetime) -> None:
    """Take back what closes this centre alone on this day; a holiday of the whole ministry stands."""
    for row in workdays.holidays(session, since=day, until=day, centre_id=centre_id):
        if row.centre_id == centre_id:
            workdays.withdraw_holiday(session, row.id, zone=zone, now=now)
            emit(session, OpeningChanged(centre_id), now=now)


def _hours(session: Session, centre_id: str, own: Hours | None) -> tuple[Hours, Hours | None]:
    """A service's own hours hold all the year."""
    if own:
        return own, None
    row = workdays.hours_of(session, centre_id)
    return (dict(row.week), dict(row.ramadan)) if row else ({}, {})
