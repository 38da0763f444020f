"""The discipline behaves as the theory says: two classes in an M/M/1 queue against Kleinrock's formula (1964)."""

import random
from datetime import timedelta

from queueing.tickets import rules
from queueing.tickets.rules import DISABLED, REGULAR, Candidate, Desk
from tests.unit.queueing.tickets.hall import NOON

DESK = Desk("desk", frozenset({"new"}), frozenset({"men"}), frozenset({"ar"}))


def simulate(customers: int, load: float, share: float, chance: random.Random) -> dict[str, float]:
    """Mean wait by class; service takes a minute on average, `share` of the arrivals are of the faster class."""
    arrivals, at = [], 0.0
    for number in range(customers):
        at += chance.expovariate(load)
        arrivals.append((at, DISABLED if chance.random() < share else REGULAR, f"{number:06}"))
    waits: dict[str, list[float]] = {DISABLED: [], REGULAR: []}
    line: list[Candidate] = []
    clock, upcoming = 0.0, 0
    while upcoming < len(arrivals) or line:
        if not line:
            clock = max(clock, arrivals[upcoming][0])
        while upcoming < len(arrivals) and arrivals[upcoming][0] <= clock:
            came, kind, key = arrivals[upcoming]
            since = NOON + timedelta(minutes=came)
            line.append(Candidate(key, key, "new", "men", "ar", False, kind, False, since, since))
            upcoming += 1
        now = NOON + timedelta(minutes=clock)
        chosen, _ = rules.choose(line, DESK, now=now)
        assert chosen
        line.remove(chosen)
        waits[chosen.visitor_class].append(rules.waited(chosen, now=now))
        clock += chance.expovariate(1)
    return {kind: sum(times) / len(times) for kind, times in waits.items()}


def expected(load: float, share: float) -> dict[str, float]:
    """Kleinrock's accumulating priority, two classes with rates b₁ > b₂, exponential service of mean 1."""
    ratio = rules.RATES[REGULAR] / rules.RATES[DISABLED]
    fast = load * share
    common = load / (1 - load)  # the wait under first come, first served
    slow_wait = common / (1 - fast * (1 - ratio))
    fast_wait = common - (load - fast) * slow_wait * (1 - ratio)
    return {DISABLED: fast_wait, REGULAR: slow_wait}


def test_mean_waits_agree_with_kleinrocks_formula() -> None:
    found = simulate(30_000, load=0.7, share=0.3, chance=random.Random(1964))
    wanted = expected(load=0.7, share=0.3)
    for kind, wait in wanted.items():
        assert abs(found[kind] - wait) / wait < 0.08, (kind, found[kind], wait)
    assert found[DISABLED] < found[REGULAR]


def test_the_formula_keeps_the_conservation_law() -> None:
    """What one class gains the other loses: the load-weighted mean is that of first come, first served."""
    waits = expected(load=0.8, share=0.25)
    mean = 0.25 * waits[DISABLED] + 0.75 * waits[REGULAR]
    assert abs(mean - 0.8 / 0.2) < 1e-9
