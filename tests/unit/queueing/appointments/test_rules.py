from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Mistake, Refused
from queueing.appointments import rules

NOW = datetime(2026, 10, 27, 9, tzinfo=UTC)
DAY = date(2026, 10, 28)
RIYADH = "Asia/Riyadh"


def plan(start: time, end: time, minutes: int, pause: int = 0) -> list[tuple[datetime, datetime]]:
    return rules.plan(DAY, start, end, minutes=minutes, pause=pause, zone=RIYADH, now=NOW)


def test_a_session_is_cut_into_slots_of_the_zones_clock() -> None:
    assert plan(time(10), time(11), 25, pause=5) == [
        (datetime(2026, 10, 28, 7, 0, tzinfo=UTC), datetime(2026, 10, 28, 7, 25, tzinfo=UTC)),
        (datetime(2026, 10, 28, 7, 30, tzinfo=UTC), datetime(2026, 10, 28, 7, 55, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("start", "end", "minutes", "pause", "field"),
    [
        (time(10), time(11), 7, 0, "minutes"),
        (time(10), time(11), 0, 0, "minutes"),
        (time(10), time(11), 20, 3, "pause"),
        (time(10, 2), time(11), 20, 0, "start"),
        (time(11), time(10), 20, 0, "end"),
        (time(10), time(10, 15), 20, 0, "end"),
        (time(0), time(23, 55), 5, 0, "minutes"),
    ],
)
def test_a_session_that_makes_no_sense_names_the_field(
    start: time, end: time, minutes: int, pause: int, field: str
) -> None:
    with pytest.raises(Mistake) as caught:
        plan(start, end, minutes, pause)
    assert caught.value.field == field


def test_a_session_in_the_past_is_a_mistake() -> None:
    with pytest.raises(Mistake):
        rules.plan(NOW.date(), time(11, 55), time(13), minutes=20, zone=RIYADH, now=NOW)


minutes = st.integers(min_value=0, max_value=3000)


@given(minutes, st.integers(1, 120), minutes, st.integers(1, 120))
def test_times_that_overlap_share_a_grid_step(a: int, a_long: int, b: int, b_long: int) -> None:
    """The uniqueness of (resource, step) keeps overlapping slots apart, on the grid or off it."""
    one = NOW + timedelta(minutes=a), NOW + timedelta(minutes=a + a_long)
    two = NOW + timedelta(minutes=b), NOW + timedelta(minutes=b + b_long)
    overlap = one[0] < two[1] and two[0] < one[1]
    if overlap:
        assert set(rules.steps(*one)) & set(rules.steps(*two))
    elif all(value % 5 == 0 for value in (a, a_long, b, b_long)):
        assert not set(rules.steps(*one)) & set(rules.steps(*two))


def test_a_slot_across_midnight_touches_two_days() -> None:
    late = datetime(2026, 10, 28, 23, 50, tzinfo=UTC)
    assert rules.days(late, late + timedelta(minutes=20)) == [date(2026, 10, 28), date(2026, 10, 29)]
    assert rules.days(late, late + timedelta(minutes=10)) == [date(2026, 10, 28)]


def test_the_urgent_reserve_opens_to_all_a_day_ahead() -> None:
    start = NOW + timedelta(hours=25)
    assert rules.open_to(True, start, urgent=True, now=NOW)
    assert not rules.open_to(True, start, urgent=False, now=NOW)
    assert rules.open_to(True, start, urgent=False, now=NOW + timedelta(hours=1))
    assert rules.open_to(False, start, urgent=False, now=NOW)


@given(st.integers(1, 40), st.integers(0, 50))
def test_the_reserve_is_as_large_as_asked_and_fits(slots: int, reserved: int) -> None:
    kept = rules.spread_reserve(slots, reserved)
    assert len(kept) == min(slots, reserved)
    assert kept <= set(range(slots))


def test_the_interpreter_with_least_to_do_is_chosen() -> None:
    assert rules.choose_helper(["b", "a", "c"], {"a": 8, "b": 4}) == "c"
    assert rules.choose_helper(["b", "a"], {}) == "a"
    assert rules.choose_helper([], {}) is None


def test_check_in_opens_hours_before_and_closes_after() -> None:
    start, end = NOW, NOW + timedelta(minutes=20)
    rules.check_in_allowed(start, end, now=start - timedelta(hours=6))
    rules.check_in_allowed(start, end, now=end + timedelta(hours=1))
    for at in (start - timedelta(hours=6, seconds=1), end + timedelta(hours=1, seconds=1)):
        with pytest.raises(Refused):
            rules.check_in_allowed(start, end, now=at)
