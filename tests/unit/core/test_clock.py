"""The clock of the machine is put right while people wait."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from core import clock

NOON = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)


class Machine:
    """Real time goes on; `wrong` is by how much the clock on the wall differs."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.wrong = timedelta()
        self.steady = clock.Steady(self.wall, lambda: 1000.0 + self.passed)

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=self.passed) + self.wrong

    def after(self, seconds: float) -> datetime:
        self.passed += seconds
        return self.steady.now()


def test_a_right_clock_is_told_as_it_is() -> None:
    machine = Machine()
    for seconds in (0.0, 0.001, 10.0, 4000.0):
        assert machine.after(seconds) == machine.wall()


@pytest.mark.parametrize("back", [0.002, 1.0, 300.0, 899.0])
def test_a_step_back_is_caught_up_with_at_half_the_pace_and_no_moment_comes_before_another(back: float) -> None:
    machine = Machine()
    before = machine.after(5)
    machine.wrong = timedelta(seconds=-back)
    told = [before]
    while told[-1] > machine.wall() or len(told) == 1:
        told.append(machine.after(1.0))
        assert len(told) < 2 * 900 + 10
    assert told == sorted(told)
    for earlier, later in pairwise(told[1:]):
        assert timedelta(seconds=0.4) < later - earlier < timedelta(seconds=1.6)
    assert abs(len(told) - 2 * back) < 5
    assert machine.after(1.0) == machine.wall(), "caught up"


@pytest.mark.parametrize("wrong", [timedelta(hours=-9), timedelta(minutes=-16), timedelta(minutes=5)])
def test_a_clock_that_was_far_off_and_one_that_goes_forward_are_believed(wrong: timedelta) -> None:
    machine = Machine()
    machine.after(5)
    machine.wrong = wrong
    assert machine.after(1) == machine.wall()


def test_identifiers_made_after_a_step_back_sort_behind_the_earlier_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.ids import new_id

    machine = Machine()
    monkeypatch.setattr(clock, "_STEADY", machine.steady)
    first = new_id()
    machine.wrong = timedelta(minutes=-5)
    machine.passed += 1
    assert new_id() > first
