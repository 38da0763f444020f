from datetime import datetime, timedelta

import pytest

from reception.follow import rules


@pytest.mark.parametrize(
    ("typed", "fits"),
    [
        ("4567", True),
        ("٤٥٦٧", True),
        (" 45 67 ", True),
        ("567", False),
        ("0501234567", False),
        ("7654", False),
        ("", False),
    ],
)
def test_four_last_digits_in_either_script_open_the_page(typed: str, fits: bool) -> None:
    assert rules.fits("+966501234567", typed) is fits


def test_a_few_wrong_tries_cost_nothing_and_then_pauses_grow_up_to_a_day(now: datetime) -> None:
    pauses = [rules.pause_after(wrong, now=now) for wrong in range(1, 40)]
    assert pauses[: rules.TRIES - 1] == [None] * (rules.TRIES - 1)
    assert pauses[rules.TRIES - 1] == now + timedelta(minutes=15)
    assert pauses[rules.TRIES] == now + timedelta(minutes=30)
    assert pauses[-1] == now + timedelta(days=1)
