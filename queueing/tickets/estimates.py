"""How long the wait will be, from the place in line alone: from the tenth to the ninetieth percentile.

With c counters busy, whoever stands k-th is called at the k-th departure. Departures come every mean/c minutes; their
sum over k is taken as a gamma variable of the same mean and variance, its quantiles by the cube of Wilson and Hilferty
(1931). Overtaking by later arrivals of a faster class is not foreseen: `forecast.py` knows the hall and foresees it.
"""

from collections.abc import Callable, Iterable, Sequence
from math import ceil, floor, sqrt
from typing import NamedTuple

DEFAULT_SERVICE_MINUTES = 8.0  # published; used until the day has its own experience
DEFAULT_VARIATION = 0.8  # standard deviation / mean of a service time
PRIOR_WEIGHT = 5  # the default counts as much as so many visits
SHORTEST, LONGEST = 0.5, 60.0  # minutes; what lies outside is a forgotten button, not a service

_NINETIETH = 1.2815515655446004  # quantile of the standard normal distribution; the tenth is its negative


def estimate(
    position: int, recent_service_times: Sequence[float], open_counters: int, *, free_counters: int = 0
) -> tuple[int, int]:
    """(low, high) minutes until the call, for the place in line counted from 1.

    `recent_service_times` are minutes from call to finish; `free_counters` are open and wait for somebody. With no
    counter open the range is that of one, as if it opened now: the screen must say so.
    """
    departures = position - free_counters
    if departures <= 0:
        return 0, 2
    mean, variance = service_time(recent_service_times)
    counters = max(1, open_counters)
    total, spread = departures * mean / counters, departures * variance / counters**2
    return shown(gamma_quantile(total, spread, -_NINETIETH), gamma_quantile(total, spread, _NINETIETH))


def service_time(recent: Sequence[float]) -> tuple[float, float]:
    """(mean, variance) in minutes: recent experience, tempered by the published default while it is thin."""
    times = [plausible(minutes) for minutes in recent]
    prior = PRIOR_WEIGHT
    mean = (prior * DEFAULT_SERVICE_MINUTES + sum(times)) / (prior + len(times))
    expected = (DEFAULT_VARIATION * mean) ** 2
    variance = (prior * expected + sum((t - mean) ** 2 for t in times)) / (prior + len(times))
    return mean, variance


def plausible(minutes: float) -> float:
    return min(max(minutes, SHORTEST), LONGEST)


def gamma_quantile(mean: float, variance: float, z: float) -> float:
    """The value below which a gamma variable falls with the probability that a standard normal falls below `z`."""
    if mean <= 0 or variance <= 0:
        return max(mean, 0.0)
    shape = mean**2 / variance
    root = 1 - 1 / (9 * shape) + z * sqrt(1 / (9 * shape))
    return float(mean * max(root, 0.0) ** 3)


def shown(low: float, high: float) -> tuple[int, int]:
    """The range as people read it: whole minutes that contain it, at least two of them."""
    least = _rounded(low, floor)
    return least, max(_rounded(high, ceil), least + 2)


class Kept(NamedTuple):
    """How ranges held, in shares of those who were told one and were called."""

    told: int
    inside: float
    sooner: float
    later: float


def kept(promises: Iterable[tuple[int, int, float]]) -> Kept | None:
    """From (low, high, minutes really waited); None while nobody was called."""
    rows = list(promises)
    if not rows:
        return None
    sooner = sum(waited < low for low, _, waited in rows) / len(rows)
    later = sum(waited > high for _, high, waited in rows) / len(rows)
    return Kept(len(rows), 1 - sooner - later, sooner, later)


def _rounded(minutes: float, rounding: Callable[[float], int]) -> int:
    """Whole minutes up to twenty, fives beyond: a wait of an hour isn't known to the minute."""
    whole = rounding(minutes)
    return whole if whole <= 20 else rounding(minutes / 5) * 5
