"""When a process counts as full."""

from __future__ import annotations

import pytest

from video.media.load import Load


def fed(load: Load, seconds: float, *, cpu: float = 0.1, lag: float = 0.001) -> Load:
    for _ in range(round(seconds * 2)):
        load.sample(cpu=cpu, lag=lag, elapsed=0.5)
    return load


@pytest.mark.parametrize(("cpu", "lag"), [(0.95, 0.001), (0.1, 0.5)])
def test_lasting_load_makes_it_full_and_it_is_free_again_only_well_below(cpu: float, lag: float) -> None:
    load = fed(Load(), 60)
    assert not load.full(50)
    fed(load, 30, cpu=cpu, lag=lag)
    assert load.full(1) and not load.full(0), "where nothing runs, there is nothing to protect"
    fed(load, 60, cpu=min(cpu, 0.72), lag=min(lag, 0.15))
    assert load.full(1), "between the marks it stays as it was"
    fed(load, 60)
    assert not load.full(50)


def test_one_long_breath_is_no_load() -> None:
    load = fed(Load(), 10)
    load.sample(cpu=1.0, lag=0.6, elapsed=0.5)
    assert not load.full(10)


def test_the_limit_of_meetings_holds_whatever_the_load() -> None:
    assert Load(most_meetings=3).full(3) and not Load(most_meetings=3).full(2)
    assert not Load().full(1000)
