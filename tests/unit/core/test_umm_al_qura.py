"""Our Hijri months beside the sky itself: the calendar's own rule, computed from the sun and the moon over Mecca."""

from datetime import timedelta

from core.calendar import FIRST_DAY, LAST_DAY, gregorian_of, hijri_of
from tests.appointments.sky import begins_on


def test_every_month_of_the_supported_range_begins_when_the_rule_of_its_year_says() -> None:
    months = [(year, month) for year in range(1420, 1501) for month in range(1, 13)]
    told = {month: begins_on(gregorian_of(*month, 1), month[0]) for month in months}
    assert [month for month, right in told.items() if right is False] == []
    assert sum(right is None for right in told.values()) < 0.06 * len(told), "too close for a short sum to decide"


def test_a_month_that_began_a_day_earlier_or_later_would_break_the_rule() -> None:
    for month in ((1448, 9), (1448, 10), (1448, 12), (1451, 4), (1466, 12)):
        first = gregorian_of(*month, 1)
        assert begins_on(first, month[0])
        assert not begins_on(first - timedelta(days=1), month[0]) and not begins_on(first + timedelta(days=1), month[0])


def test_the_supported_range_is_whole_years_and_every_day_has_one_name() -> None:
    assert hijri_of(FIRST_DAY) == (1420, 1, 1) and hijri_of(LAST_DAY)[0] == 1500
    assert hijri_of(LAST_DAY)[1:] in ((12, 29), (12, 30))
    before, day = hijri_of(FIRST_DAY), FIRST_DAY  # what was printed earlier has months of 28 and 31 days
    while day < LAST_DAY:
        day += timedelta(days=1)
        after = hijri_of(day)
        follows = (before[0], before[1], before[2] + 1)
        next_month = (before[0] + before[1] // 12, before[1] % 12 + 1, 1)
        assert after == follows if after[2] > 1 else after == next_month and before[2] in (29, 30)
        before = after
