"""Milliseconds of many, told by their middle and by the worst hundredth."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from statistics import median


def quantile(values: Sequence[float], percent: float) -> float:
    """The value that so many per cent don't exceed."""
    line = sorted(values)
    return line[max(0, ceil(len(line) * percent / 100) - 1)]


def told(name: str, values: Sequence[float]) -> dict[str, float]:
    """`name_p50_ms`, `name_p99_ms` and how many there were, from seconds."""
    if not values:
        return {}
    return {
        f"{name}_p50_ms": round(1000 * quantile(values, 50), 2),
        f"{name}_p99_ms": round(1000 * quantile(values, 99), 2),
        f"{name}_count": len(values),
    }


def late_to_early(numbered: Sequence[tuple[int, float]], tickets: int) -> dict[str, float]:
    """What a call costs towards the end of the day (90 % of the tickets given), to the same at its beginning (10 %)."""

    def around(share: float) -> float:
        some = [took for number, took in numbered if abs(number / tickets - share) <= 0.05]
        return median(some) if some else 0.0

    early, late = around(0.10), around(0.90)
    if not early or not late:
        return {}
    return {
        "call_early_p50_ms": round(1000 * early, 3),
        "call_late_p50_ms": round(1000 * late, 3),
        "call_late_to_early_ratio": round(late / early, 3),
    }
