"""The verbs of a recurring session. Each decides under the locks of the days it touches, and all of it or nothing."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.calendar import LAST_DAY, local_day
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.workdays import service as workdays
from queueing.appointments.series import rules, settling
from queueing.appointments.series.events import SeriesBegun, SeriesChanged, SeriesEnded
from queueing.appointments.series.models import Series, SeriesException
from queueing.appointments.series.rules import Pattern, Times
from queueing.appointments.series.settling import Proposal, exceptions_of, pattern_of

__all__ = [
    "Proposal", "begin", "change", "end", "except_on", "exceptions_of", "extend_all", "get", "listed", "pattern_of",
    "propose", "propose_end", "propose_exception", "propose_undo", "refill", "undo_exception",
]  # fmt: skip


def listed(session: Session, *, official_id: str | None = None, ended: bool = False) -> list[Series]:
    query = select(Series).order_by(Series.ended_at.is_not(None), Series.official_id, Series.start, Series.id)
    if not ended:
        query = query.where(Series.ended_at.is_(None))
    if official_id is not None:
        query = query.where(Series.official_id == official_id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def get(session: Session, series_id: str) -> Series:
    found = session.get(Series, series_id)
    if found is None:
        raise NotFound("There is no such session.")
    return found


def begin(
    session: Session,
    pattern: Pattern,
    *,
    official_id: str,
    kind: str,
    centre_id: str | None,
    place_ar: str,
    place_en: str,
    by: str,
    now: datetime,
) -> Series:
    """Offer it from now on. Raises Mistake for a rule that can't be, Refused where the same is offered already."""
    rules.check(pattern, kind=kind, centre_id=centre_id)
    if pattern.first_day < local_day(now, pattern.zone):
        raise Mistake("This day has passed. Choose a later one.", field="first_day")
    series = Series(
        id=new_id(),
        official_id=official_id,
        kind=kind,
        centre_id=centre_id,
        place_ar=place_ar,
        place_en=place_en,
        made_until=pattern.first_day - timedelta(days=1),
        created_at=now,
        created_by=by,
    )
    settling.write(series, settling.by_the_hours(session, series, pattern))
    session.add(series)
    session.flush()
    with session.begin_nested():
        if not settling.extend(session, series, now=now) and _begins_in_sight(session, series, now=now):
            raise Refused("This official has slots at this time and place already.")
    emit(session, SeriesBegun(series.id, official_id), now=now)
    return series


def propose(session: Session, series_id: str, pattern: Pattern, *, now: datetime) -> Proposal:
    """What `change` would do. Reads only. Raises Mistake for a rule that can't be."""
    series = get(session, series_id)
    rules.check(pattern, kind=series.kind, centre_id=series.centre_id)
    pattern = settling.by_the_hours(session, series, pattern)
    return settling.proposal_for(session, series, pattern, settling.exceptions_by_day(session, series_id), now=now)


def change(
    session: Session,
    series_id: str,
    pattern: Pattern,
    *,
    place_ar: str,
    place_en: str,
    by: str,
    now: datetime,
    mark: str = "",
    reason: str = "",
) -> Series:
    """Another rule for every day to come. Raises Refused where visitors are booked at times that would go.

    With the `mark` of the plan that was shown they are moved as it says: everybody, or nothing is changed.
    """
    series = _locked(session, series_id)
    rules.check(pattern, kind=series.kind, centre_id=series.centre_id)
    pattern = settling.by_the_hours(session, series, pattern)
    with session.begin_nested():
        series.place_ar, series.place_en = place_ar, place_en
        settling.settle(
            session,
            series,
            pattern,
            settling.exceptions_by_day(session, series_id),
            mark=mark,
            reason=reason,
            by=by,
            now=now,
        )
        emit(session, SeriesChanged(series.id, series.official_id), now=now)
    return series


def propose_exception(session: Session, series_id: str, day: date, times: Times | None, *, now: datetime) -> Proposal:
    """What `except_on` would do. Reads only."""
    series = get(session, series_id)
    exceptions = _with_exception(session, series, day, times, now=now)
    return settling.proposal_for(session, series, pattern_of(series), exceptions, now=now)


def except_on(
    session: Session,
    series_id: str,
    day: date,
    times: Times | None,
    *,
    reason: str,
    by: str,
    now: datetime,
    mark: str = "",
) -> Series:
    """One day at other times, or (None) without a session. Raises as `change` does, and for a day that is over."""
    series = _locked(session, series_id)
    exceptions = _with_exception(session, series, day, times, now=now)
    with session.begin_nested():
        row = session.get(SeriesException, (series_id, day)) or SeriesException(series_id=series_id, day=day)
        row.start, row.end = times or (None, None)
        row.reason, row.made_at, row.made_by = reason, now, by
        session.add(row)
        settling.settle(session, series, pattern_of(series), exceptions, mark=mark, reason=reason, by=by, now=now)
        emit(session, SeriesChanged(series.id, series.official_id), now=now)
    return series


def propose_undo(session: Session, series_id: str, day: date, *, now: datetime) -> Proposal:
    """What `undo_exception` would do. Reads only."""
    series = get(session, series_id)
    exceptions = settling.exceptions_by_day(session, series_id)
    exceptions.pop(day, None)
    return settling.proposal_for(session, series, pattern_of(series), exceptions, now=now)


def undo_exception(session: Session, series_id: str, day: date, *, by: str, now: datetime, mark: str = "") -> Series:
    """The day is as the rule has it again. Raises as `change` does."""
    series = _locked(session, series_id)
    exceptions = settling.exceptions_by_day(session, series_id)
    if day not in exceptions:
        raise NotFound("This day is as the session's rule has it.")
    del exceptions[day]
    with session.begin_nested():
        session.execute(
            delete(SeriesException).where(SeriesException.series_id == series_id, SeriesException.day == day)
        )
        settling.settle(session, series, pattern_of(series), exceptions, mark=mark, reason="", by=by, now=now)
        emit(session, SeriesChanged(series.id, series.official_id), now=now)
    session.expire_all()
    return series


def propose_end(session: Session, series_id: str, last_day: date, *, now: datetime) -> Proposal:
    series = get(session, series_id)
    pattern = replace(pattern_of(series), last_day=last_day)
    rules.check(pattern, kind=series.kind, centre_id=series.centre_id)
    return settling.proposal_for(session, series, pattern, settling.exceptions_by_day(session, series_id), now=now)


def end(
    session: Session, series_id: str, last_day: date, *, by: str, now: datetime, mark: str = "", reason: str = ""
) -> Series:
    """The last session is on `last_day` or before. Raises as `change` does.

    One whose last day is not in sight yet goes on being offered until then.
    """
    series = _locked(session, series_id)
    today = local_day(now, series.zone)
    if last_day < today - timedelta(days=1):
        raise Mistake("This day has passed. Choose a later one.", field="last_day")
    if last_day > LAST_DAY:
        raise Mistake(
            "The Hijri calendar is published until {last}. Choose an earlier day.", field="last_day", last=LAST_DAY
        )
    if series.last_day is not None and last_day > series.last_day:
        raise Mistake("The session ends before this day already.", field="last_day")
    pattern = replace(pattern_of(series), last_day=last_day, first_day=min(series.first_day, last_day))
    with session.begin_nested():
        settling.settle(
            session,
            series,
            pattern,
            settling.exceptions_by_day(session, series_id),
            mark=mark,
            reason=reason,
            by=by,
            now=now,
        )
        if last_day > series.made_until:
            emit(session, SeriesChanged(series.id, series.official_id), now=now)
        else:
            series.ended_at = now
            emit(session, SeriesEnded(series.id, series.official_id), now=now)
    return series


def extend_all(session: Session, *, now: datetime) -> int:
    """Offer the days that have come within sight; how many slots. A day that is offered already is left as it is."""
    due = [row.id for row in listed(session) if row.made_until < rules.horizon(pattern_of(row), now=now)]
    found = [session.get_one(Series, id_, with_for_update=True, populate_existing=True) for id_ in sorted(due)]
    rows = [row for row in found if row.ended_at is None]
    if rows:  # the sessions first and then the days, as whoever changes one of them does
        first = max(local_day(now, rows[0].zone), min(row.made_until for row in rows))
        settling.hold_days(session, first, local_day(now + rules.AHEAD, rows[0].zone))
    return sum(settling.extend(session, row, now=now) for row in rows)


def refill(session: Session, first: date, last: date, *, now: datetime) -> int:
    """After a holiday was withdrawn or hours were changed: offer what was left out on these days; how many slots."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    settling.hold_days(session, first, last)
    return sum(
        settling.offer(session, series, [day for day in days if day <= series.made_until], now=now)
        for series in listed(session)
    )


def _begins_in_sight(session: Session, series: Series, *, now: datetime) -> bool:
    """Whether the rule names any time between now and the last day that was made."""
    days = [series.first_day + timedelta(days=n) for n in range((series.made_until - series.first_day).days + 1)]
    work = workdays.calendar_for(session, zone=series.zone, centre_id=series.centre_id)
    return bool(rules.wanted(pattern_of(series), days, {}, work, now=now))


def _with_exception(
    session: Session, series: Series, day: date, times: Times | None, *, now: datetime
) -> dict[date, Times | None]:
    pattern = pattern_of(series)
    if day < local_day(now, series.zone):
        raise Mistake("This day has passed. Choose a later one.", field="day")
    if times is None and not rules.occurs(pattern, day):
        raise Mistake("There is no session on this day.", field="day")
    if times is not None:
        rules.check_times(pattern, times, "start", "end")
    return settling.exceptions_by_day(session, series.id) | {day: times}


def _locked(session: Session, series_id: str) -> Series:
    found = session.get(Series, series_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("There is no such session.")
    if found.ended_at is not None:
        raise Refused("This session has ended.")
    return found
