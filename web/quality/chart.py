"""Geometry of the two drawings, which the templates draw as SVG: across in percent of the width, down in pixels. Time
runs from left to right in both languages, as on every media player."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from video.meetings import rules
from web.quality.view import Fared

LANE, BAR, TOP = 44, 22, 8
STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120))
MOST_TICKS = 8
LEAST = 0.4
"""A connection of a second is still seen."""


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: int
    width: float
    level: str
    number: int


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Lanes:
    """A lane a participant, a bar a connection."""

    height: int
    bars: list[Bar]
    lanes: list[int]
    ticks: list[Tick]


def lanes(people: Sequence[Fared]) -> Lanes | None:
    """None where there is nothing to draw."""
    legs = [leg for one in people for leg in one.legs]
    if not legs:
        return None
    start = min(leg.began_at for leg in legs)
    end = max(leg.began_at + timedelta(seconds=leg.seconds) for leg in legs)
    span = max((end - start).total_seconds(), 1.0)

    def place(at: datetime) -> float:
        return round(100 * (at - start).total_seconds() / span, 2)

    bars, number = [], 0
    for lane, one in enumerate(people):
        for leg in one.legs:
            number += 1
            x, until = place(leg.began_at), place(leg.began_at + timedelta(seconds=leg.seconds))
            verdict = rules.verdict(rules.total([leg]))
            level = verdict.level if verdict else "unknown"
            x = min(x, 100 - LEAST)
            width = round(max(LEAST, until - x), 2)
            bars.append(Bar(x, TOP + lane * LANE + (LANE - BAR) // 2, width, level, number))
    height = TOP + LANE * len(people)
    ticks = [Tick(place(at), at) for at in _round_times(start, end)]
    return Lanes(height, bars, [TOP + lane * LANE + LANE // 2 for lane in range(len(people))], ticks)


def _round_times(start: datetime, end: datetime) -> list[datetime]:
    """Whole minutes inside, few enough to be read."""
    step = next((one for one in STEPS if (end - start) / one <= MOST_TICKS), STEPS[-1])
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + ((start - midnight) // step + 1) * step
    times = []
    while first < end and len(times) <= 2 * MOST_TICKS:
        times.append(first)
        first += step
    return times


HEIGHT = 40


def stacked(counts: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """(level, y, height) of each part of a column of `HEIGHT`, good at the foot; together the whole height."""
    total, drawn, parts = sum(counts.values()), 0, []
    for level in rules.LEVELS:
        before, drawn = drawn, drawn + counts[level]
        low, high = round(HEIGHT * before / total) if total else 0, round(HEIGHT * drawn / total) if total else 0
        if high > low:
            parts.append((level, HEIGHT - high, high - low))
    return parts
