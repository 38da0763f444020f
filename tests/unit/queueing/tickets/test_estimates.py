import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queueing.tickets.estimates import DEFAULT_SERVICE_MINUTES, estimate, gamma_quantile, service_time

times = st.lists(st.floats(0, 400), max_size=40)


def test_an_empty_queue_with_a_free_counter_waits_moments() -> None:
    assert estimate(1, [], 1, free_counters=1) == (0, 2)


def test_a_fresh_day_uses_the_published_default() -> None:
    low, high = estimate(1, [], 1)
    assert 0 < low < DEFAULT_SERVICE_MINUTES < high < 3 * DEFAULT_SERVICE_MINUTES


def test_one_long_forgotten_visit_does_not_spoil_the_estimate() -> None:
    assert service_time([*[6.0] * 20, 700.0])[0] < 9


def test_more_counters_shorten_the_wait() -> None:
    assert estimate(10, [8.0] * 30, 4)[1] < estimate(10, [8.0] * 30, 2)[1]


def test_no_counter_open_still_answers_like_one() -> None:
    assert estimate(3, [], 0) == estimate(3, [], 1)


def test_beyond_twenty_minutes_the_range_is_in_fives() -> None:
    low, high = estimate(12, [8.0] * 40, 1)
    assert low > 20 and low % 5 == 0 and high % 5 == 0


@given(st.integers(1, 300), times, st.integers(0, 20), st.integers(0, 20))
def test_every_range_is_a_range(position: int, recent: list[float], counters: int, free: int) -> None:
    low, high = estimate(position, recent, counters, free_counters=free)
    assert 0 <= low < high


@given(st.integers(1, 100), times, st.integers(1, 10))
def test_nobody_further_back_is_promised_less(position: int, recent: list[float], counters: int) -> None:
    near, far = estimate(position, recent, counters), estimate(position + 1, recent, counters)
    assert far[0] >= near[0] and far[1] >= near[1]


@pytest.mark.parametrize(
    ("shape", "z", "exact"), [(1, 1.2815515655, 2.302585), (5, 0.0, 4.670909), (5, 1.2815515655, 7.993590)]
)
def test_quantiles_agree_with_the_gamma_distribution(shape: float, z: float, exact: float) -> None:
    assert gamma_quantile(shape, shape, z) == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize(("position", "counters"), [(1, 1), (4, 1), (9, 3), (20, 5)])
def test_nine_of_ten_waits_end_within_the_range(position: int, counters: int) -> None:
    """Departures of `counters` busy desks with gamma services (mean 8, deviation 6.4), as the model assumes them."""
    chance = random.Random(position)
    shape = 1 / 0.8**2
    _, high = estimate(position, [], counters)
    kept = 0
    for _ in range(1500):
        free_at = [
            chance.gammavariate(shape, 8 / shape) * chance.random() for _ in range(counters)
        ]  # already under way
        for _ in range(position - 1):
            free_at.sort()
            free_at[0] += chance.gammavariate(shape, 8 / shape)
        kept += min(free_at) <= high
    assert kept / 1500 >= 0.88
