"""What is made of the samples. Pure: no clock, no file."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Point = tuple[float, float]

JUDGED_S = 600.0
"""A shorter run says nothing about memory: it is still growing into its work. Judged is the process's own (anonymous)
memory; its share of the libraries' pages (PSS) changes with whatever else runs on the machine."""
MB_PER_MIN = 0.5
PCT_PER_HOUR = 5.0
PER_MIN = {"fds": 0.2, "threads": 0.2, "tasks": 0.5}
"""Slopes that count as flat: in half an hour about one call's worth of each."""
SLACK = {"fds": 2, "tasks": 2, "threads": 6}
"""What may be there beyond the beginning once every call is over: whoever is asking, and the pool's threads."""
LEAKED_MB, LEAKED_BLOCKS = 3.0, 8_000
"""Memory given out and not got back once every call is over; what is remembered on purpose is far less."""
OBJECTS_SLACK = {"video.media.datagrams.Destination": 64, "video.media.sifting._Entry": 4096}
"""A batch remembers where it went last; who flooded is known for two minutes, and so many of them at the most."""
RECORDED_PCT = 99.5
WRONG = ("ERROR", "CRITICAL", "Traceback", "Exception ignored", "exception was never retrieved", "Task was destroyed")


def slope(points: Sequence[Point]) -> float:
    """Theil–Sen: the median of the slopes between any two points, which a few odd samples don't move."""
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for index, earlier in enumerate(points)
        for later in points[index + 1 :]
        if later[0] != earlier[0]
    ]
    return statistics.median(slopes) if slopes else 0.0


def second_half(points: Sequence[Point]) -> list[Point]:
    if not points:
        return []
    middle = (points[0][0] + points[-1][0]) / 2
    return [point for point in points if point[0] >= middle]


def per_minute(points: Sequence[Point]) -> float:
    """Slope over the second half; points in seconds."""
    return 60 * slope(second_half(points))


def growth_pct(points: Sequence[Point]) -> float:
    """What an hour of this slope would add, of what there is."""
    half = second_half(points)
    level = statistics.median(value for _, value in half) if half else 0.0
    return 100 * 3600 * slope(half) / level if level else 0.0


def wrong_lines(log: Iterable[str]) -> list[str]:
    return [line.rstrip() for line in log if any(word in line for word in WRONG)]


def left_over(before: Mapping[str, int], after: Mapping[str, int], slack: Mapping[str, int]) -> dict[str, int]:
    """What there is more of than before, beyond the slack (0 where none is given)."""
    return {
        name: after[name] - before.get(name, 0)
        for name in sorted(after)
        if after[name] - before.get(name, 0) > slack.get(name, 0)
    }


def targets(seconds: float) -> dict[str, list[Any]]:
    """What a run of this length is judged by."""
    judged: dict[str, list[Any]] = {
        "left_over": ["<=", 0],
        "objects_left_over": ["<=", 0],
        "in_use_mb_more": ["<=", LEAKED_MB],
        "blocks_more": ["<=", LEAKED_BLOCKS],
        "wrong_log_lines": ["<=", 0],
        "surprises": ["<=", 0],
        "journals_broken": ["<=", 0],
        "journals": [">=", 1],
        "recorded_pictures_pct": [">=", RECORDED_PCT],
    }
    if seconds >= JUDGED_S:
        judged |= {f"{name}_mb_per_min": ["<=", MB_PER_MIN] for name in ("own", "rss")}
        judged |= {"own_pct_per_hour": ["<=", PCT_PER_HOUR]}
        judged |= {f"{name}_per_min": ["<=", most] for name, most in PER_MIN.items()}
    return judged


def met(figures: Mapping[str, float], wanted: Mapping[str, list[Any]]) -> dict[str, bool]:
    """A figure that is missing is not met."""
    return {
        name: name in figures and (figures[name] <= bound if sign == "<=" else figures[name] >= bound)
        for name, (sign, bound) in wanted.items()
    }
