"""A day by quarters of an hour: who came, and how many stood in line at most. The chart and its table are one thing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.calendar import digits
from queueing.simulation.outcome import Wait

QUARTER = timedelta(minutes=15)
MOST = 120  # quarters: thirty hours


@dataclass(frozen=True, slots=True)
class Quarter:
    """`values` are the numbers of each series in this quarter; `hour` is set where a new hour begins."""

    at: datetime
    label: str
    hour: bool
    values: tuple[int, ...]


def quarters(
    came: Sequence[datetime], lines: Sequence[Sequence[Wait]], *, lang: str, zone: str, until: datetime
) -> list[Quarter]:
    """`came` (if any) is the first series, then the longest line of each sequence of waits."""
    ends = [wait.called or wait.ended or until for waits in lines for wait in waits]
    begins = [*came, *(wait.joined for waits in lines for wait in waits)]
    if not begins:
        return []
    start = _floor(min(begins))
    count = min(MOST, max(1, -(-(max(*ends, *begins) - start) // QUARTER)))
    series = [_arrivals(came, start, count)] if came else []
    series += [_longest(waits, start, count, until) for waits in lines]
    found = []
    for number in range(count):
        at = start + number * QUARTER
        local = at.astimezone(ZoneInfo(zone))
        label = digits(f"{local.hour}:{local.minute:02d}", lang)
        found.append(Quarter(at, label, local.minute == 0, tuple(one[number] for one in series)))
    return found


def _floor(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)


def _arrivals(came: Sequence[datetime], start: datetime, count: int) -> list[int]:
    found = [0] * count
    for at in came:
        if 0 <= (place := (at - start) // QUARTER) < count:
            found[place] += 1
    return found


def _longest(waits: Sequence[Wait], start: datetime, count: int, until: datetime) -> list[int]:
    """The most who waited at once in each quarter; on leaving and joining at one instant the line stays as it was."""
    changes = sorted(
        change
        for wait in waits
        if (wait.called or wait.ended or until) > wait.joined
        for change in ((wait.joined, 1), (wait.called or wait.ended or until, -1))
    )
    found, waiting, place = [0] * count, 0, 0
    for at, more in changes:
        now = min(count - 1, max(0, (at - start) // QUARTER))
        while place < now:
            place += 1
            found[place] = waiting
        waiting += more
        found[place] = max(found[place], waiting)
    return found
