"""What a working calendar says of days and of stretches of time. Pure: it is handed hours and holidays as data."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from core.calendar import FIRST_DAY, LAST_DAY, hijri_of, local_day
from core.errors import Fault, Mistake
from core.workdays.week import Hours, spans

RELIGIOUS, NATIONAL, CLOSURE, OTHER = "religious", "national", "closure", "other"
KINDS = (RELIGIOUS, NATIONAL, CLOSURE, OTHER)

LONGEST = 31  # days of one holiday
RAMADAN = 9
HORIZON = 3 * 366  # days in which a calendar must know some work
DEFAULT_WEEK: Hours = {day: [[8 * 60, 15 * 60]] for day in ("6", "0", "1", "2", "3")}  # Sunday to Thursday
DEFAULT_RAMADAN: Hours = {day: [[10 * 60, 15 * 60]] for day in ("6", "0", "1", "2", "3")}
REST = {"ar": "يوم راحة أسبوعية", "en": "Weekly day of rest"}

_NONE = timedelta(0)
_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Closed:
    """Why a day is free that the week would give to work."""

    holiday_id: str
    name_ar: str
    name_en: str

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en


@dataclass(frozen=True, slots=True, eq=False)
class WorkCalendar:
    """Working time of one place in one zone. Days are local, instants UTC; nothing of it changes once it is made."""

    zone: str
    week: Hours
    ramadan: Hours  # empty: as in the rest of the year
    closed: Mapping[date, Closed]

    def is_working(self, day: date) -> bool:
        return bool(self.hours(day))

    def hours(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The instants between which there is work on a local day, in order."""
        return () if day in self.closed else tuple(spans(self.weekly(day), day, self.zone))

    def fits(self, begin: datetime, end: datetime) -> bool:
        """Whether the week gives all of this time to work, holidays aside."""
        day = local_day(begin, self.zone)
        return any(first <= begin and end <= last for first, last in spans(self.weekly(day), day, self.zone))

    def weekly(self, day: date) -> Hours:
        """The hours that hold in the week of this day, holidays aside."""
        return self.ramadan if self.ramadan and in_ramadan(day) else self.week

    def holiday(self, day: date) -> Closed | None:
        return self.closed.get(day)

    def why_closed(self, day: date, lang: str) -> str:
        """The holiday's name, or that the week rests on this day; empty on a day of work."""
        if (holiday := self.closed.get(day)) is not None:
            return holiday.name(lang)
        return "" if self.is_working(day) else REST[lang]

    def add(self, start: datetime, working: timedelta) -> datetime:
        """The first instant by which so much working time has passed since `start`.

        What fills a day up ends with that day's last minute and not with the next morning's first. Raises ValueError
        for less than nothing, Fault where no work is known for years.
        """
        if working < _NONE:
            raise ValueError(working)
        if not working:
            return start
        left = working
        for begins, ends in self._spans_from(start):
            if ends - begins >= left:
                return begins + left
            left -= ends - begins
        raise self._nowhere(start)

    def between(self, a: datetime, b: datetime) -> timedelta:
        """Working time from `a` to `b`; less than nothing when `b` comes first."""
        if b < a:
            return -self.between(b, a)
        passed, day, last = _NONE, local_day(a, self.zone), local_day(b, self.zone)
        while day <= last:
            for begins, ends in self.hours(day):
                passed += max(min(ends, b) - max(begins, a), _NONE)
            day += _ONE
        return passed

    def next_working(self, moment: datetime) -> datetime:
        """`moment` itself within working time, else the next beginning of work. Raises Fault where none is known."""
        for begins, _ in self._spans_from(moment):
            return begins
        raise self._nowhere(moment)

    def nth_day(self, day: date, n: int) -> date:
        """The n-th day of work after `day` (with n = 0 `day` itself or the next one). Raises Fault as `add` does."""
        wanted = n if n > 0 else 1
        at = day if n > 0 else day - _ONE
        for _ in range(HORIZON):
            at += _ONE
            wanted -= self.is_working(at)
            if not wanted:
                return at
        raise self._nowhere_on(day)

    def _spans_from(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Spans of work after `moment`; the first one cut where it has begun."""
        day = local_day(moment, self.zone)
        for _ in range(HORIZON):
            for begins, ends in self.hours(day):
                if ends > moment:
                    yield max(begins, moment), ends
            day += _ONE

    def _nowhere(self, moment: datetime) -> Fault:
        return self._nowhere_on(local_day(moment, self.zone))

    def _nowhere_on(self, day: date) -> Fault:
        return Fault("No working time is known after {day}.", day=day.isoformat())


@lru_cache(maxsize=4096)
def in_ramadan(day: date) -> bool:
    """By the Umm al-Qura tables; a day that they don't name is not."""
    return FIRST_DAY <= day <= LAST_DAY and hijri_of(day)[1] == RAMADAN


def closed_days(holidays: Iterable[tuple[date, date, Closed]]) -> dict[date, Closed]:
    """Every day of every holiday; where two meet, the one that comes first in the order given names the day."""
    found: dict[date, Closed] = {}
    for first, last, closed in holidays:
        for n in range((last - first).days + 1):
            found.setdefault(first + n * _ONE, closed)
    return found


def check_days(first: date, last: date, *, today: date) -> None:
    """Raises Mistake for days that are over, stand the wrong way round, are too many, or lie beyond the tables."""
    if last < first:
        raise Mistake("The last day comes before the first.", field="last_day")
    if last < today:
        raise Mistake("This day has passed.", field="first_day")
    if last > LAST_DAY:
        raise Mistake(
            "The Hijri calendar is published until {last}. Choose an earlier day.", field="last_day", last=LAST_DAY
        )
    if (last - first).days >= LONGEST:
        raise Mistake("A holiday has at most {most} days. Declare the rest apart.", field="last_day", most=LONGEST)
