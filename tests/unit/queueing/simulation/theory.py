"""What the theory says of queues that come and go by chance, and visitors who do so."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heapify, heapreplace

from queueing.simulation.day import Arrival, Day, Stage, all_day
from queueing.tickets.discipline import Discipline
from queueing.tickets.rules import Desk

EIGHT = datetime(2026, 3, 1, 8, tzinfo=UTC)
POINT = "new"


def desks(counters: int) -> list[Desk]:
    return [Desk(f"{n}", frozenset({POINT}), frozenset({"men"}), frozenset({"ar"})) for n in range(counters)]


def visitors(
    number: int, load: float, counters: int, seed: int, shares: Mapping[str, float] | None = None, urgent: float = 0
) -> list[Arrival]:
    """Poisson arrivals, exponential services of a minute on average: Kendall's M/M/c."""
    chance = random.Random(seed)
    names, weights = zip(*(shares or {"regular": 1.0}).items(), strict=True)
    at, found = 0.0, []
    for _ in range(number):
        at += chance.expovariate(load * counters)
        found.append(
            Arrival(
                EIGHT + timedelta(minutes=at),
                (Stage(POINT, chance.expovariate(1)),),
                visitor_class=chance.choices(names, weights)[0],
                urgent=chance.random() < urgent,
            )
        )
    return found


def day(arrivals: Sequence[Arrival], counters: int, rates: Mapping[str, float] | None = None) -> Day:
    """Open until everybody is served."""
    end = arrivals[-1].at + timedelta(minutes=sum(arrival.stages[0].minutes for arrival in arrivals) + 1)
    return Day(tuple(arrivals), all_day(desks(counters), EIGHT, end), Discipline(rates=rates or {}))


def first_come_first_served(arrivals: Sequence[Arrival], counters: int, speed: float = 1) -> list[float]:
    """The waits by the recursion of Kiefer and Wolfowitz (1955); for one counter it is Lindley's (1952)."""
    free = [0.0] * counters
    heapify(free)
    waits = []
    for arrival in arrivals:
        at = (arrival.at - EIGHT) / timedelta(minutes=1)
        begins = max(at, free[0])
        waits.append(begins - at)
        heapreplace(free, begins + arrival.stages[0].minutes / speed)
    return waits


def erlang_c(load: float, counters: int) -> float:
    """The mean wait of M/M/c in service times (Erlang 1917), through Erlang's B for numbers that stay small."""
    offered, blocked = load * counters, 1.0
    for n in range(1, counters + 1):
        blocked = offered * blocked / (n + offered * blocked)
    waits = blocked / (1 - load * (1 - blocked))
    return waits / (counters * (1 - load))


def kleinrock(
    load: float, shares: Mapping[str, float], rates: Mapping[str, float], counters: int = 1
) -> dict[str, float]:
    """Mean waits of accumulating priority (Kleinrock 1964; 1976, equation 3.42), services alike for all classes.

    From the slowest up: W_p = (W − Σ_{i<p} ρ_i W_i (1 − b_i/b_p)) / (1 − Σ_{i>p} ρ_i (1 − b_p/b_i)), where W is the
    wait of first come, first served.
    """
    common = erlang_c(load, counters)
    found: dict[str, float] = {}
    for name in sorted(shares, key=lambda n: rates[n]):
        mine = rates[name]
        gained = sum(load * shares[i] * found[i] * (1 - rates[i] / mine) for i in found)
        lost = sum(load * shares[i] * (1 - mine / rates[i]) for i in shares if rates[i] > mine)
        found[name] = (common - gained) / (1 - lost)
    return found
