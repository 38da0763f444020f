"""From RTP timestamps to seconds on the recording's one timeline.

Three clocks meet: the media clock of each stream (a sound card's runs a little off), the sender's wall
clock (its sender reports tie both of its streams to it, which is what keeps lips and voice together) and
ours (arrival). Network delay only ever adds to arrival, so the true line lies *below* all arrivals: we
take the lower hull of (media time, arrival - media time), the edge over its middle, after Moon, Skelly
and Towsley, "Estimation and removal of clock skew from network delay measurements", INFOCOM 1999.

`StreamClock` cuts a stream into stretches wherever its timestamps jump (a restarted encoder, a laptop
that slept); each stretch gets a line of its own.

What is placed while a call goes on is placed by what is known so far. Where that turns out to have been a
little off, the timeline doesn't jump: a stretch moves to its better line by `SLEW`, sound and picture of one
sender alike, and `Trail` remembers how far off it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, median

JUMP_S = 10.0  # media time and arrival disagree by this much: the timestamps were restarted, or are no clock
REPORTS_APART_S = 0.2  # of media time; browsers send one report a second or fewer
SKEW_LIMIT = 0.0005  # crystals are within 100 ppm; what exceeds this is a change of network delay
SKEW_AFTER_S = 60.0  # below this span, jitter looks like skew
SAME_CLOCK_S = 1.0  # streams whose sender clocks are this near to each other are taken to share one
SLEW = 0.01  # seconds a second by which a stretch moves to a better line: neither seen nor heard

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """y = base + slope * x"""

    base: float
    slope: float

    def __call__(self, x: float) -> float:
        return self.base + self.slope * x


@dataclass
class Stretch:
    """Timestamps that run on without a jump, as media seconds from the stretch's first packet."""

    earliest: dict[int, Point] = field(default_factory=dict)  # second of arrival → the point of least delay in it
    reports: list[Point] = field(default_factory=list)  # (media seconds, sender's wall clock)
    line: Line | None = None  # media seconds → recording seconds
    placed: float | None = None  # media seconds of the latest packet that was placed
    shift: float = 0.0  # by which `placed` was off the line

    def learn(self, line: Line) -> None:
        """A better line: what was placed already stays, what follows moves over."""
        if self.line is not None and self.placed is not None:
            self.shift += self.line(self.placed) - line(self.placed)
        self.line = line

    def place(self, media: float) -> float:
        assert self.line is not None
        if self.placed is None:
            self.placed = media
        elif media > self.placed:
            if self.shift:
                step = (media - self.placed) * SLEW
                self.shift = self.shift - step if self.shift > step else min(0.0, self.shift + step)
            self.placed = media
        return self.line(media) + self.shift

    def points(self) -> list[Point]:
        return list(self.earliest.values())

    def report_line(self) -> Line | None:
        """Media seconds → the sender's wall clock."""
        if not self.reports:
            return None
        xs = [x for x, _ in self.reports]
        offsets = [y - x for x, y in self.reports]
        middle = median(offsets)
        near = [(x, o) for x, o in zip(xs, offsets, strict=True) if abs(o - middle) < SAME_CLOCK_S]
        if len(near) < 3 or max(xs) - min(xs) < SKEW_AFTER_S:
            return Line(middle, 1.0)
        mean_x, mean_o = fmean(x for x, _ in near), fmean(o for _, o in near)
        spread = sum((x - mean_x) ** 2 for x, _ in near)
        skew = _limit(sum((x - mean_x) * (o - mean_o) for x, o in near) / spread)
        return Line(mean_o - skew * mean_x, 1.0 + skew)


@dataclass(slots=True)
class _Cursor:
    """How far one of the two readers has come in a stream."""

    number: int = -1  # of the stretch
    timestamp: int = 0
    media: float = 0.0
    at: float = 0.0
    began: float = 0.0  # arrival of the stretch's first packet


class StreamClock:
    """Two readers go over the same packets, one ahead of the other: the first observes, the second places. Both cut the
    same stretches."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.stretches: list[Stretch] = []
        self._ahead = _Cursor()
        self._behind = _Cursor()

    def _step(self, cursor: _Cursor, timestamp: int, at: float) -> float:
        """Unwraps one timestamp: media seconds in the current stretch."""
        if cursor.number >= 0:
            ticks = (timestamp - cursor.timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            media = cursor.media + ticks / self.rate
            jumped = not -JUMP_S < media - cursor.media - at + cursor.at < JUMP_S
            # One that runs too fast or too slow would otherwise lead away from the recording, for ever.
            if not jumped and -JUMP_S < media - at + cursor.began < JUMP_S:
                cursor.timestamp, cursor.media, cursor.at = timestamp, media, at
                return media
        cursor.number += 1
        if cursor.number == len(self.stretches):
            self.stretches.append(Stretch())
        cursor.timestamp, cursor.media, cursor.at, cursor.began = timestamp, 0.0, at, at
        return 0.0

    def observe(self, timestamp: int, at: float) -> None:
        """Remember the least delayed packet of every second."""
        media = self._step(self._ahead, timestamp, at)
        earliest = self.stretches[self._ahead.number].earliest
        second = int(at)
        best = earliest.get(second)
        if best is None or at - media < best[1]:
            earliest[second] = (media, at - media)

    def report(self, timestamp: int, ntp: float) -> None:
        cursor = self._ahead
        if cursor.number >= 0:
            ticks = (timestamp - cursor.timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            media, reports = cursor.media + ticks / self.rate, self.stretches[cursor.number].reports
            if not reports or abs(media - reports[-1][0]) >= REPORTS_APART_S:
                reports.append((media, ntp))

    def place(self, timestamp: int, at: float) -> float:
        """Seconds on the recording's timeline: by the line that `align` gave, by arrival where it has given none."""
        media = self._step(self._behind, timestamp, at)
        stretch = self.stretches[self._behind.number]
        if stretch.line is None:
            stretch.learn(Line(at - media, 1.0))
        return stretch.place(media)


class Trail:
    """Where packets of one participant were placed while a call went on, to be held against what its end tells."""

    def __init__(self) -> None:
        self._steps: list[list[tuple[Stretch, float, float]]] = []  # (stretch, media seconds, where it was placed)
        self._before: dict[int, float] = {}

    def note(self, clocks: Iterable[StreamClock]) -> None:
        """Before these clocks learn something new: how far those that ran since the last time have come."""
        step = []
        for stretch in (stretch for clock in clocks for stretch in clock.stretches):
            if stretch.placed is None or stretch.line is None or self._before.get(id(stretch)) == stretch.placed:
                continue
            self._before[id(stretch)] = stretch.placed
            step.append((stretch, stretch.placed, stretch.line(stretch.placed) + stretch.shift))
        self._steps.append(step)

    def worst(self) -> tuple[float, float]:
        """(seconds that a packet was off, that the participant's streams were off against each other)"""
        off = apart = 0.0
        for step in self._steps:
            errors = [at - stretch.line(media) for stretch, media, at in step if stretch.line is not None]
            if errors:
                off = max(off, *map(abs, errors))
                apart = max(apart, max(errors) - min(errors))
        return off, apart


def align(clocks: Iterable[StreamClock]) -> None:
    """Give every stretch of one participant's streams its line: by sender reports where there are any,
    else by arrival. A report that lies (another epoch, zeros) only ever puts its stretch in a group of
    its own, where the result is that of arrival."""
    groups: list[list[tuple[Stretch, Line, list[Point]]]] = []
    for stretch in (stretch for clock in clocks for stretch in clock.stretches):
        wall = stretch.report_line()
        if wall is None:
            line = lower_line(stretch.points())
            stretch.learn(Line(line.base, 1.0 + line.slope))
            continue
        points = [(wall(media), media + delay - wall(media)) for media, delay in stretch.points()]
        lowest = min(y for _, y in points)
        for group in groups:
            if abs(lowest - min(y for _, y in group[0][2])) < SAME_CLOCK_S:
                group.append((stretch, wall, points))
                break
        else:
            groups.append([(stretch, wall, points)])
    for group in groups:
        origin = group[0][2][0][0]  # near zero, since seconds since 1900 would cost precision
        line = lower_line([(x - origin, y) for _, _, points in group for x, y in points])
        for stretch, wall, _ in group:
            # recording = wall + base + slope * (wall - origin), with wall = wall.base + wall.slope * media
            slope = 1.0 + line.slope
            stretch.learn(Line(wall.base * slope + line.base - line.slope * origin, wall.slope * slope))


def lower_line(points: Sequence[Point]) -> Line:
    """The line under all points that is nearest to them in the mean; flat when they span too little to
    tell skew."""
    ordered = sorted(points)
    if ordered[-1][0] - ordered[0][0] < SKEW_AFTER_S:
        return Line(min(y for _, y in ordered), 0.0)
    hull: list[Point] = []
    for point in ordered:
        while len(hull) > 1 and _turns_down(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    middle = fmean(x for x, _ in ordered)
    slope = 0.0
    for (x0, y0), (x1, y1) in pairwise(hull):
        if x0 <= middle <= x1 and x1 > x0:
            slope = _limit((y1 - y0) / (x1 - x0))
            break
    return Line(min(y - slope * x for x, y in ordered), slope)


def _turns_down(a: Point, b: Point, c: Point) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) <= (b[1] - a[1]) * (c[0] - a[0])


def _limit(skew: float) -> float:
    return max(-SKEW_LIMIT, min(SKEW_LIMIT, skew))
