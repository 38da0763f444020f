from datetime import UTC, datetime, timedelta

from video.meetings.rules import is_abandoned

ENDS = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_meeting_goes_on_while_anybody_is_there() -> None:
    assert not is_abandoned(ENDS, [None, ENDS], now=ENDS + 60 * MINUTE)


def test_it_is_over_when_its_time_is_past_and_everybody_left_a_good_while_ago() -> None:
    assert not is_abandoned(ENDS, [ENDS, ENDS], now=ENDS + 10 * MINUTE)
    assert is_abandoned(ENDS, [ENDS, ENDS], now=ENDS + 16 * MINUTE)
    assert not is_abandoned(ENDS, [ENDS - 60 * MINUTE], now=ENDS - 20 * MINUTE)


def test_it_is_over_hours_past_its_time_whatever_the_rows_say() -> None:
    assert is_abandoned(ENDS, [None], now=ENDS + timedelta(hours=6, minutes=1))
    assert not is_abandoned(ENDS, [], now=ENDS + timedelta(hours=1))
