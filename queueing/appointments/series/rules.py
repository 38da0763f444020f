"""On which days a session recurs and at which times. Pure; minutes are those of the wall's clock, since midnight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from core.calendar import LAST_DAY, day_bounds, local_day, wall_clock
from core.errors import Mistake
from core.workdays.rules import WorkCalendar, in_ramadan
from core.workdays.week import Hours
from queueing.appointments.rules import GRID, KINDS, LONGEST_SESSION, VIDEO, plan, spread_reserve

AHEAD = timedelta(weeks=8)  # so far ahead slots stand
EVERY = (1, 2, 4)  # weeks
MOST_VISITORS = 20  # at one time
_GRID = GRID // timedelta(minutes=1)
_LAST = 24 * 60 - _GRID

Times = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What recurs. `ramadan` are its own times in that month; without, they are cut to the working hours."""

    weekdays: frozenset[int]
    every_weeks: int
    times: Times
    ramadan: Times | None
    minutes: int
    pause: int
    capacity: int
    reserved_urgent: int
    first_day: date
    last_day: date | None
    zone: str
    own_hours: bool = False  # set outside the working hours on purpose, and so not cut by them


@dataclass(frozen=True, slots=True)
class Wanted:
    """A slot that ought to stand."""

    starts_at: datetime
    ends_at: datetime
    reserved_urgent: bool


def check(pattern: Pattern, *, kind: str, centre_id: str | None) -> None:
    """Raises Mistake beside the field that can't be."""
    if kind not in KINDS:
        raise Mistake("Choose audience or video.", field="kind")
    if kind == VIDEO and not centre_id:
        raise Mistake("A video session needs a centre whose hall it uses.", field="centre_id")
    if kind == VIDEO and pattern.capacity != 1:
        raise Mistake("A video meeting has one visitor.", field="capacity")
    if not 1 <= pattern.capacity <= MOST_VISITORS:
        raise Mistake("Between 1 and 20 visitors fit one time.", field="capacity")
    if not pattern.weekdays or not pattern.weekdays <= set(range(7)):
        raise Mistake("Choose at least one day of the week.", field="weekdays")
    if pattern.every_weeks not in EVERY:
        raise Mistake("Please choose one of the options.", field="every_weeks")
    if pattern.last_day is not None and pattern.last_day < pattern.first_day:
        raise Mistake("The last day comes before the first.", field="last_day")
    if max(pattern.first_day, pattern.last_day or pattern.first_day) > LAST_DAY:
        raise Mistake(
            "The Hijri calendar is published until {last}. Choose an earlier day.", field="first_day", last=LAST_DAY
        )
    _check_slots(pattern)
    check_times(pattern, pattern.times, "start", "end")
    if pattern.ramadan is not None:
        check_times(pattern, pattern.ramadan, "ramadan_start", "ramadan_end")


def check_times(pattern: Pattern, times: Times, start: str, end: str) -> None:
    """Raises Mistake for times off the grid, without room for one slot, or with too much of it; names its field."""
    first, last = times
    if first % _GRID or not 0 <= first <= _LAST:
        raise Mistake("A session begins on a five-minute mark.", field=start)
    if not first < last <= _LAST or last - first < pattern.minutes:
        raise Mistake("There is no room for a meeting between these times.", field=end)
    if 1 + (last - first - pattern.minutes) // (pattern.minutes + pattern.pause) > LONGEST_SESSION:
        raise Mistake("A session holds at most {most} meetings.", field="minutes", most=LONGEST_SESSION)


def has_own_hours(pattern: Pattern, work: WorkCalendar) -> bool:
    """Whether it is set outside the working hours, which therefore are not what limits it."""

    def outside(times: Times, week: Hours) -> bool:
        days = [week.get(str(day), ()) for day in pattern.weekdays]
        return not all(any(first <= times[0] and times[1] <= last for first, last in spans) for spans in days)

    fasting = pattern.ramadan is not None and outside(pattern.ramadan, work.ramadan or work.week)
    return fasting or outside(pattern.times, work.week)


def occurs(pattern: Pattern, day: date) -> bool:
    """Whether the rule alone names this day; weeks are counted from the Sunday before the first day."""
    if day < pattern.first_day or (pattern.last_day is not None and day > pattern.last_day):
        return False
    return day.weekday() in pattern.weekdays and (_week(day) - _week(pattern.first_day)) % pattern.every_weeks == 0


def times_on(pattern: Pattern, day: date, exceptions: Mapping[date, Times | None], work: WorkCalendar) -> Times | None:
    """From when to when the session lasts on this day; None where there is none.

    A holiday comes before all; an exception of the day before the rule; Ramadan before the rest of the year.
    """
    if work.holiday(day) is not None or day > LAST_DAY:
        return None
    if day in exceptions:
        return exceptions[day]
    if not occurs(pattern, day):
        return None
    if not in_ramadan(day):
        return pattern.times
    return pattern.ramadan or _cut(pattern, day, work)


def wanted(
    pattern: Pattern,
    days: Sequence[date],
    exceptions: Mapping[date, Times | None],
    work: WorkCalendar,
    *,
    now: datetime,
) -> list[Wanted]:
    """Every slot that ought to stand on these days and has not begun.

    The working hours leave out what lies outside them, but not of a session with its own, nor of an exception.
    """
    found: list[Wanted] = []
    for day in days:
        times = times_on(pattern, day, exceptions, work)
        if times is None:
            continue
        begin, end = (time(minutes // 60, minutes % 60) for minutes in times)
        long_ago = now - timedelta(days=365 * 200)  # all of the day; what has begun is left out below
        spans = plan(day, begin, end, minutes=pattern.minutes, pause=pattern.pause, zone=pattern.zone, now=long_ago)
        reserve = spread_reserve(len(spans), pattern.reserved_urgent)
        free = pattern.own_hours or day in exceptions
        found += [
            Wanted(*span, n in reserve) for n, span in enumerate(spans) if span[0] > now and (free or work.fits(*span))
        ]
    return found


def lasts(pattern: Pattern, day: date, exceptions: Mapping[date, Times | None], work: WorkCalendar) -> Times | None:
    """From the first time of this day to the end of the last one, as holidays and working hours leave them."""
    offered = wanted(pattern, [day], exceptions, work, now=day_bounds(day, pattern.zone)[0] - timedelta(days=1))
    if not offered:
        return None
    begin, end = (wall_clock(at, pattern.zone)[11:] for at in (offered[0].starts_at, offered[-1].ends_at))
    return int(begin[:2]) * 60 + int(begin[3:]), int(end[:2]) * 60 + int(end[3:])


def horizon(pattern: Pattern, *, now: datetime) -> date:
    """The last day for which slots should stand by now."""
    until = local_day(now + AHEAD, pattern.zone)
    return min(until, LAST_DAY, pattern.last_day or LAST_DAY)


def _check_slots(pattern: Pattern) -> None:
    if pattern.minutes < _GRID or pattern.minutes % _GRID:
        raise Mistake("Give the length in steps of {grid} minutes.", field="minutes", grid=_GRID)
    if pattern.pause < 0 or pattern.pause % _GRID:
        raise Mistake("Give the pause in steps of {grid} minutes.", field="pause", grid=_GRID)
    if pattern.reserved_urgent < 0:
        raise Mistake("Please choose one of the options.", field="reserved_urgent")


def _cut(pattern: Pattern, day: date, work: WorkCalendar) -> Times | None:
    """The times within that day's working hours; on a day that the week gives to rest, as the session says."""
    spans = work.weekly(day).get(str(day.weekday()), ())
    if not spans:
        return pattern.times
    first = max(pattern.times[0], spans[0][0] + -spans[0][0] % _GRID)
    last = min(pattern.times[1], spans[-1][1])
    return (first, last) if last - first >= pattern.minutes else None


def _week(day: date) -> int:
    return (day.toordinal() - (day.weekday() + 1) % 7) // 7
