"""Holidays declared and withdrawn, hours set; and the calendar of a place, read once in a transaction."""

from datetime import date, datetime, timedelta
from typing import Any, TypedDict, Unpack

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from core.calendar import local_day
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.workdays import rules
from core.workdays.events import HolidayDeclared, HolidayWithdrawn, WorkingHoursChanged
from core.workdays.models import Holiday, WorkingHours
from core.workdays.rules import Closed, WorkCalendar
from core.workdays.week import Hours, checked

MINISTRY = ""
_KEPT = "workdays"


def calendar_for(session: Session, *, zone: str, centre_id: str | None = None) -> WorkCalendar:
    """Working time of a centre or of the ministry. Kept until the transaction ends, so asking again costs nothing.

    A centre without hours of its own works when the ministry does; the ministry's holidays hold in every centre.
    """
    key = (zone, centre_id or MINISTRY)
    during, kept = session.info.get(_KEPT, (None, {}))
    if during is None or during != _transaction(session):
        kept = {}
    if key not in kept:
        kept[key] = _read(session, *key)
        session.info[_KEPT] = (_transaction(session), kept)
    found: WorkCalendar = kept[key]
    return found


def forget(session: Session) -> None:
    """Read it anew: after a lock, for which one may have waited until somebody else had set other hours."""
    session.info.pop(_KEPT, None)


def hours_of(session: Session, centre_id: str | None = None) -> WorkingHours | None:
    """The hours that were set for just this place; None where none were."""
    return session.get(WorkingHours, centre_id or MINISTRY)


def set_hours(
    session: Session, week: Hours, ramadan: Hours | None = None, *, now: datetime, centre_id: str | None = None
) -> WorkingHours | None:
    """Hours of the week and of Ramadan (without: as in the rest of the year). A centre's empty week gives its own up.

    Raises Mistake for spans that make no day, and for a ministry that never works.
    """
    place, days, fasting = centre_id or MINISTRY, checked(week), checked(ramadan or {}, prefix="ramadan")
    if place == MINISTRY and not days:
        raise Mistake("Give the hours of at least one day.", field="day_6")
    row = session.get(WorkingHours, place)
    if not days:
        if row is not None:
            session.delete(row)
            row = None
    else:
        row = row or WorkingHours(place=place)
        row.week, row.ramadan = dict[str, Any](days), dict[str, Any](fasting)
        session.add(row)
    session.flush()
    session.info.pop(_KEPT, None)
    emit(session, WorkingHoursChanged(place), now=now)
    return row


def holiday(session: Session, holiday_id: str) -> Holiday:
    """Raises NotFound, and for one that was withdrawn."""
    row = session.get(Holiday, holiday_id)
    if row is None or row.withdrawn_at is not None:
        raise NotFound("There is no such holiday.")
    return row


def holidays(
    session: Session, *, since: date | None = None, until: date | None = None, centre_id: str | None = None
) -> list[Holiday]:
    """What is declared for a centre, the ministry's holidays among it; without a centre, all that is declared."""
    query = _standing()
    if centre_id is not None:
        query = query.where(_holds_in(centre_id))
    if since is not None:
        query = query.where(Holiday.last_day >= since)
    if until is not None:
        query = query.where(Holiday.first_day <= until)
    return list(session.scalars(query.order_by(Holiday.first_day, Holiday.id)))


class Facts(TypedDict):
    """What is said of a holiday when it is declared or changed; both days are included."""

    first_day: date
    last_day: date
    name_ar: str
    name_en: str


def declare_holiday(
    session: Session, *, kind: str, zone: str, now: datetime, centre_id: str | None = None, **facts: Unpack[Facts]
) -> Holiday:
    """No work on these days. Raises Mistake for days that can't be (`rules.check_days`), Refused for the same again.

    Whoever offers times on them has to see to those: nothing else is touched here.
    """
    if kind not in rules.KINDS:
        raise Mistake("Please choose one of the options.", field="kind")
    rules.check_days(facts["first_day"], facts["last_day"], today=local_day(now, zone))
    same = _standing().where(Holiday.first_day == facts["first_day"], Holiday.last_day == facts["last_day"])
    if session.scalar(same.where(func.coalesce(Holiday.centre_id, MINISTRY) == (centre_id or MINISTRY)).limit(1)):
        raise Refused("These days are declared already.")
    row = Holiday(
        id=new_id(),
        centre_id=centre_id or None,
        kind=kind,
        **facts,
        declared_at=now,
        declared_by=session.info.get("actor_id"),
    )
    session.add(row)
    session.flush()
    session.info.pop(_KEPT, None)
    emit(session, HolidayDeclared(row.id, *_facts(row)), now=now)
    return row


def change_holiday(session: Session, holiday_id: str, *, zone: str, now: datetime, **facts: Unpack[Facts]) -> Holiday:
    """Other days or names; the moon was seen. Raises as `declare_holiday` does, and Mistake if what has begun moves."""
    row, today = _locked(session, holiday_id), local_day(now, zone)
    first_day, last_day = facts["first_day"], facts["last_day"]
    if row.first_day <= today and first_day != row.first_day:
        raise Mistake("This holiday has begun: its first day stands.", field="first_day")
    if (row.first_day, row.last_day) != (first_day, last_day):
        rules.check_days(first_day, last_day, today=today)
        emit(session, HolidayWithdrawn(row.id, *_facts(row)), now=now)
        row.first_day, row.last_day = first_day, last_day
        emit(session, HolidayDeclared(row.id, *_facts(row)), now=now)
    row.name_ar, row.name_en = facts["name_ar"], facts["name_en"]
    session.flush()
    session.info.pop(_KEPT, None)
    return row


def withdraw_holiday(session: Session, holiday_id: str, *, zone: str, now: datetime) -> Holiday:
    """Work goes on. Of one under way the days that are over stay what they were. Raises Refused once it has passed."""
    row, today = _locked(session, holiday_id), local_day(now, zone)
    if row.last_day < today:
        raise Refused("This holiday has passed.")
    emit(session, HolidayWithdrawn(row.id, *_facts(row)), now=now)
    if row.first_day < today:
        row.last_day = today - timedelta(days=1)
    else:
        row.withdrawn_at = now
    session.flush()
    session.info.pop(_KEPT, None)
    return row


def _read(session: Session, zone: str, place: str) -> WorkCalendar:
    query = select(WorkingHours).where(WorkingHours.place.in_({MINISTRY, place}))
    rows = {row.place: row for row in session.scalars(query.execution_options(populate_existing=True))}
    row = rows.get(place) or rows.get(MINISTRY)
    columns = (Holiday.first_day, Holiday.last_day, Holiday.id, Holiday.name_ar, Holiday.name_en)
    closed = _standing().where(_holds_in(place)).with_only_columns(*columns)
    days = rules.closed_days(
        (first, last, Closed(holiday_id, name_ar, name_en))
        for first, last, holiday_id, name_ar, name_en in session.execute(closed.order_by(Holiday.declared_at))
    )
    return WorkCalendar(
        zone=zone,
        week=row.week if row else rules.DEFAULT_WEEK,
        ramadan=row.ramadan if row else rules.DEFAULT_RAMADAN,
        closed=days,
    )


def _transaction(session: Session) -> tuple[object, object]:
    """Which transaction and savepoint the session is in: what was read in one holds until it ends."""
    return session.get_transaction(), session.get_nested_transaction()


def _standing() -> Select[Holiday]:
    return select(Holiday).where(Holiday.withdrawn_at.is_(None))


def _holds_in(place: str) -> Any:
    return or_(Holiday.centre_id.is_(None), Holiday.centre_id == place)


def _facts(row: Holiday) -> tuple[str, str, str]:
    return row.centre_id or MINISTRY, row.first_day.isoformat(), row.last_day.isoformat()


def _locked(session: Session, holiday_id: str) -> Holiday:
    row = session.scalar(
        _standing().where(Holiday.id == holiday_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("There is no such holiday.")
    return row
