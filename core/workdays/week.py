"""Weekly hours as data, read from what people type and written back. Pure.

`Hours` maps a weekday ("0" is Monday) to spans of minutes since the local midnight: {"6": [[480, 720], [960, 1200]]}.
A weekday that is missing is free. Spans are the wall's clock, so on a day when the clocks change work begins when the
clock shows the hour. A span ends at 1440 (midnight) at the latest.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise

from core.calendar import at_local, day_bounds
from core.errors import Mistake
from core.text import latin_digits

Hours = Mapping[str, Sequence[Sequence[int]]]
WEEKDAYS = ("6", "0", "1", "2", "3", "4", "5")  # the week of the calendar on the wall begins on Sunday
DAY = 24 * 60
_SPAN = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d{2}))?")


def spans(hours: Hours, day: date, zone: str) -> list[tuple[datetime, datetime]]:
    """The instants between which the week gives work on a local day."""
    found = [(_at(day, first, zone), _at(day, last, zone)) for first, last in hours.get(str(day.weekday()), ())]
    return [(begins, ends) for begins, ends in found if begins < ends]  # an hour that a clock leaves out is none


def read_spans(text: str, *, field: str) -> list[list[int]]:
    """`8:00–12:00, 16:00–20:00` as people type it, in either digits. Raises Mistake; nothing typed is closed."""
    found: list[list[int]] = []
    for part in re.split(r"[,،;؛]", latin_digits(text)):
        if not part.strip():
            continue
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise Mistake("Write the hours like 8:00-12:00, 16:00-20:00.", field=field)
        first_hour, first_minute, last_hour, last_minute = (int(number or 0) for number in match.groups())
        found.append([first_hour * 60 + first_minute, last_hour * 60 + last_minute])
        if max(first_minute, last_minute) > 59:
            raise Mistake("Write the hours like 8:00-12:00, 16:00-20:00.", field=field)
    return _orderly(found, field=field)


def write_spans(day: Sequence[Sequence[int]]) -> str:
    """The way back: what `read_spans` would read."""
    return ", ".join(f"{a // 60}:{a % 60:02d}-{b // 60}:{b % 60:02d}" for a, b in day)


def checked(hours: Hours, *, prefix: str = "day") -> dict[str, list[list[int]]]:
    """Raises Mistake (field `prefix_<weekday>`) for spans that end before they begin, overlap or leave the day."""
    if set(hours) - set(WEEKDAYS):
        raise Mistake("There is no such day of the week.", field="hours")
    days = {day: _orderly([list(map(int, span)) for span in hours[day]], field=f"{prefix}_{day}") for day in hours}
    return {day: days[day] for day in sorted(days) if days[day]}


def _orderly(day: list[list[int]], *, field: str) -> list[list[int]]:
    day = sorted(day)
    for first, last in day:
        if not 0 <= first < last <= DAY:
            raise Mistake("Each span begins before it ends, between 0:00 and 24:00.", field=field)
    if any(before[1] > after[0] for before, after in pairwise(day)):
        raise Mistake("Two spans of this day overlap.", field=field)
    return day


def _at(day: date, minutes: int, zone: str) -> datetime:
    if minutes == DAY:
        return day_bounds(day, zone)[1]
    return at_local(day, minutes // 60, minutes % 60, zone)
