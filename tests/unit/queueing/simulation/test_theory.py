"""Simulation against theory: Erlang's C, Kleinrock's accumulating priority; nobody starves, the urgent feel no crowd.

Means of queues swing widely from one sample to the next, so each is also judged beside a queue of the same visitors
whose mean is known exactly (a control variate): what remains is the simulation's own doing.
"""

from datetime import timedelta
from statistics import fmean

import pytest

from queueing.simulation.run import simulate
from tests.unit.queueing.simulation.theory import (
    day,
    erlang_c,
    first_come_first_served,
    kleinrock,
    visitors,
)

SHARES = {"regular": 0.7, "disabled": 0.3}
RATES = {"regular": 1.0, "disabled": 2.0}


@pytest.mark.parametrize("counters", [1, 3])
def test_every_single_wait_is_that_of_the_recursion(counters: int) -> None:
    arrivals = visitors(5_000, 0.9, counters, seed=1955)
    waits = [wait.minutes for wait in sorted(simulate(day(arrivals, counters)).waits, key=lambda w: w.visit)]
    assert waits == pytest.approx(first_come_first_served(arrivals, counters), abs=1e-3)


def test_one_counter_waits_as_erlang_says() -> None:
    arrivals = visitors(150_000, 0.5, 1, seed=1917)
    assert simulate(day(arrivals, 1), step_minutes=1000).all.mean == pytest.approx(erlang_c(0.5, 1), rel=0.03)


@pytest.mark.parametrize(("load", "counters"), [(0.7, 3), (0.8, 5)])
def test_several_counters_wait_as_erlang_says(load: float, counters: int) -> None:
    arrivals = visitors(60_000, load, counters, seed=1909)
    found = simulate(day(arrivals, counters), step_minutes=1000).all.mean
    one_fast = fmean(first_come_first_served(arrivals, 1, speed=counters))
    assert found * (erlang_c(load, 1) / counters) / one_fast == pytest.approx(erlang_c(load, counters), rel=0.03)


@pytest.mark.parametrize(("load", "counters"), [(0.7, 1), (0.9, 1), (0.8, 3)])
def test_two_classes_wait_as_kleinrock_says(load: float, counters: int) -> None:
    arrivals = visitors(40_000, load, counters, seed=1964, shares=SHARES)
    found = simulate(day(arrivals, counters, RATES), step_minutes=1000).by_class
    sample = fmean(first_come_first_served(arrivals, counters)) / erlang_c(load, counters)
    for name, wait in kleinrock(load, SHARES, RATES, counters).items():
        assert found[name].mean / sample == pytest.approx(wait, rel=0.05), name


def test_the_published_rates_wait_as_kleinrock_says() -> None:
    shares = {"regular": 0.7, "returning": 0.1, "elderly": 0.12, "pregnant": 0.08}
    rates = {"regular": 1.0, "returning": 1.5, "elderly": 1.5, "pregnant": 2.0}
    arrivals = visitors(60_000, 0.85, 1, seed=1976, shares=shares)
    found = simulate(day(arrivals, 1), step_minutes=1000).by_class
    sample = fmean(first_come_first_served(arrivals, 1)) / erlang_c(0.85, 1)
    for name, wait in kleinrock(0.85, shares, rates).items():
        assert found[name].mean / sample == pytest.approx(wait, rel=0.05), name


def test_what_one_class_gains_the_other_loses() -> None:
    """Kleinrock's conservation law: the mean of all is that of arrival order, in the formula and nearly in a sample."""
    waits = kleinrock(0.8, SHARES, RATES)
    assert sum(SHARES[name] * wait for name, wait in waits.items()) == pytest.approx(erlang_c(0.8, 1))
    arrivals = visitors(20_000, 0.9, 1, seed=5, shares=SHARES)
    found = simulate(day(arrivals, 1, RATES)).all.mean
    assert found == pytest.approx(fmean(first_come_first_served(arrivals, 1)), rel=0.05)


@pytest.mark.parametrize("slow", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("fast", [2.0, 10.0])
def test_nobody_starves_at_a_load_of_95_per_cent(slow: float, fast: float) -> None:
    """Whoever has any rate is called, also beside one that is a hundred times as fast.

    Those faster by the factor f who come in the first 1 − 1/f of a wait come before; on average that stretches the wait
    of arrival order by 1 / (1 − ρ_fast (1 − 1/f)). It doesn't grow from morning to evening.
    """
    rates = {"regular": slow, "disabled": fast}
    arrivals = visitors(20_000, 0.95, 1, seed=95, shares={"regular": 0.5, "disabled": 0.5})
    outcome = simulate(day(arrivals, 1, rates), step_minutes=1000)
    assert outcome.unserved == 0
    by_order = first_come_first_served(arrivals, 1)
    stretch = 1 / (1 - 0.95 * 0.5 * (1 - slow / fast))
    assert outcome.by_class["regular"].longest <= 1.5 * stretch * max(by_order)
    assert outcome.by_class["regular"].mean <= 1.1 * stretch * fmean(by_order)
    assert outcome.by_class["disabled"].mean <= fmean(by_order)
    last = [w.minutes for w in outcome.waits if w.visitor_class == "regular" and w.joined > arrivals[-5_000].at]
    assert fmean(m for m in last if m is not None) <= 3 * stretch * fmean(by_order)


def test_the_urgent_wait_alike_however_overfull_the_hall() -> None:
    """Five per cent urgent at a load of 1.5 wait for the counter and for each other: 1 / (1 − ρ_urgent)."""
    load, share = 1.5, 0.05
    arrivals = visitors(60_000, load, 1, seed=15, urgent=share)
    outcome = simulate(day(arrivals, 1), step_minutes=10_000)
    come = arrivals[-1].at
    urgent = [w for w in outcome.waits if w.urgent and w.joined <= come]
    assert fmean(w.minutes or 0 for w in urgent) == pytest.approx(1 / (1 - load * share), rel=0.05)
    half = arrivals[len(arrivals) // 2].at
    early, late = ([w.minutes or 0 for w in urgent if (w.joined < half) == first] for first in (True, False))
    assert fmean(late) == pytest.approx(fmean(early), rel=0.15)
    others = [w for w in outcome.waits if not w.urgent]
    assert fmean(w.minutes or 0 for w in others if w.joined > half) > 1_000, "the hall was not overfull"


@pytest.mark.long
@pytest.mark.parametrize(("load", "counters"), [(0.7, 1), (0.8, 3), (0.9, 5)])
def test_two_million_visitors_wait_as_erlang_says(load: float, counters: int) -> None:
    means = []
    for seed in range(10):
        arrivals = visitors(200_000, load, counters, seed=seed)
        means.append(simulate(day(arrivals, counters), step_minutes=10_000).all.mean)
    assert fmean(means) == pytest.approx(erlang_c(load, counters), rel=0.03)


@pytest.mark.long
def test_two_classes_of_a_million_visitors_wait_as_kleinrock_says() -> None:
    means: dict[str, list[float]] = {name: [] for name in SHARES}
    for seed in range(5):
        arrivals = visitors(200_000, 0.8, 1, seed=100 + seed, shares=SHARES)
        for name, spread in simulate(day(arrivals, 1, RATES), step_minutes=10_000).by_class.items():
            means[name].append(spread.mean)
    for name, wait in kleinrock(0.8, SHARES, RATES).items():
        assert fmean(means[name]) == pytest.approx(wait, rel=0.05), name


def test_the_day_ends_when_the_last_is_served() -> None:
    arrivals = visitors(200, 1.2, 2, seed=3)
    outcome = simulate(day(arrivals, 2))
    assert outcome.served == 200
    assert outcome.curve[-1].waiting == outcome.curve[-1].at_counters == 0
    assert outcome.curve[-1].at - max(w.ended for w in outcome.waits if w.ended) < timedelta(minutes=5)
