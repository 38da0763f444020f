"""What is said of a line, and that it is said calmly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from video.media.judgement import CALM_S, GOOD, RANK, REPORTED_S, SLOW_S, WEAK_LOSS, Line, Verdict, judged

BAD = WEAK_LOSS * 2


def see(
    line: Line,
    at: float,
    *,
    silent: bool = False,
    up: float = 0.0,
    down: float = 0.0,
    trip: float | None = 0.05,
    others_weak: bool = False,
) -> Verdict:
    return line.look(
        silent=silent, uplink_loss=up, downlink_loss=down, round_trip_s=trip, others_weak=others_weak, now=at
    )


def test_a_line_is_judged_by_silence_then_loss_then_delay() -> None:
    at_limits = judged(silent=False, uplink_loss=WEAK_LOSS, downlink_loss=WEAK_LOSS, round_trip_s=SLOW_S)
    assert at_limits == GOOD
    assert judged(silent=True, uplink_loss=BAD, downlink_loss=0, round_trip_s=2) == ("silent", None)
    assert judged(silent=False, uplink_loss=BAD, downlink_loss=0, round_trip_s=2) == ("weak", "uplink")
    assert judged(silent=False, uplink_loss=0, downlink_loss=BAD) == ("weak", "downlink")
    assert judged(silent=False, uplink_loss=0, downlink_loss=0, round_trip_s=SLOW_S + 0.01) == ("weak", "delay")


def test_worse_is_said_at_once_and_better_only_when_it_has_lasted() -> None:
    line = Line()
    assert see(line, 0) == GOOD
    assert see(line, 0.5, up=BAD) == ("weak", "uplink")
    assert see(line, 1.0) == ("weak", "uplink")
    assert see(line, 1.0 + CALM_S - 0.5) == ("weak", "uplink")
    assert see(line, 1.0 + CALM_S) == GOOD


def test_one_bad_moment_begins_the_waiting_anew() -> None:
    line = Line()
    for at in range(0, 20, 2):
        assert see(line, at, up=BAD) == see(line, at + 1) == ("weak", "uplink")


def test_who_is_heard_again_is_no_longer_called_silent_but_not_yet_good() -> None:
    line = Line()
    assert see(line, 0, silent=True) == ("silent", None)
    assert see(line, 0.5) == ("weak", "uplink")
    assert see(line, 0.5 + CALM_S - 0.1) == ("weak", "uplink")
    assert see(line, 0.5 + CALM_S) == GOOD


def test_another_cause_is_named_only_when_it_has_lasted() -> None:
    line = Line()
    see(line, 0, up=BAD)
    assert see(line, 1, trip=1.0) == ("weak", "uplink")
    assert see(line, 1 + CALM_S, trip=1.0) == ("weak", "delay")


def test_a_receivers_reports_are_not_believed_before_the_senders_line_was_measured() -> None:
    line = Line()
    assert see(line, 0, down=BAD) == GOOD
    assert see(line, 0.5, down=BAD, others_weak=True) == GOOD
    assert see(line, 1, down=BAD) == GOOD
    assert see(line, 1 + REPORTED_S, down=BAD) == ("weak", "downlink")


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, BAD]), st.sampled_from([0.05, 1.0])), max_size=60))
def test_what_is_shown_is_never_better_than_the_moment_and_gets_good_only_after_calm(
    moments: list[tuple[bool, float, float]],
) -> None:
    line, bad_at = Line(), None
    for step, (silent, up, trip) in enumerate(moments):
        at = step / 2
        now = judged(silent=silent, uplink_loss=up, downlink_loss=0, round_trip_s=trip)
        shown = see(line, at, silent=silent, up=up, trip=trip)
        assert RANK[shown.level] >= RANK[now.level]
        if now != GOOD:
            bad_at = at
        elif shown == GOOD and bad_at is not None:
            assert at - bad_at >= CALM_S
