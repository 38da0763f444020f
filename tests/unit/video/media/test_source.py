"""Asking again for what did not come: how soon, how often, and until when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.video.media.conftest import make_rtp
from video.media import rtcp
from video.media.source import GIVE_UP_S, LATE_S, Missing, Patience, Source


def asked(source_feedback: list[bytes]) -> list[list[int]]:
    return [
        list(rtcp.nacked(packet))
        for compound in source_feedback
        for kind, count, packet in rtcp.walk(compound)
        if kind == rtcp.RTPFB and count == rtcp.NACK
    ]


def make(kind: str = "video") -> tuple[Source, list[bytes]]:
    sent: list[bytes] = []
    source = Source(kind, "sara/1", "sara", sent.append)
    source.started(0xA1, 1)
    source.highest = 1
    source.keyframes.due(now=0.0)
    return source, sent


def keep(source: Source, number: int, packet: bytes) -> None:
    assert source.cache is not None
    source.cache[number] = packet


def learn(missing: Missing, seconds: float, count: int = 30) -> None:
    """Answers come in this time."""
    for number in range(count):
        at = float(number)
        missing.gap([number], now=at)
        assert missing.came(number, now=at + seconds)


def test_before_anything_is_known_the_second_request_waits_a_tenth_of_a_second() -> None:
    missing = Missing()
    missing.gap([7], now=0.0)
    assert missing.due == pytest.approx(0.1)
    assert missing.again(now=0.09) == ([], False)
    assert missing.again(now=0.1) == ([7], False)


@pytest.mark.parametrize(("trip", "least", "most"), [(0.002, 0.02, 0.03), (0.03, 0.031, 0.05), (0.3, 0.301, 0.4)])
def test_the_second_request_comes_soon_after_an_answer_would_have_come(trip: float, least: float, most: float) -> None:
    missing = Missing()
    learn(missing, trip)
    assert least <= missing.patience.wait_s <= most


def test_on_a_short_line_five_lost_answers_cost_less_than_a_freeze() -> None:
    """A still picture of a fifth of a second is seen as one."""
    missing = Missing()
    learn(missing, 0.005)
    missing.gap([40], now=100.0)
    for _ in range(5):
        now = missing.due
        assert missing.again(now=now)[0] == [40]
    assert now - 100.0 < 0.15


def test_whoever_does_not_answer_is_asked_less_and_less_often() -> None:
    missing = Missing()
    learn(missing, 0.005)
    missing.gap([40], now=100.0)
    requests = 0
    while missing and requests < 100:
        requests += len(missing.again(now=missing.due)[0])
    assert requests < 20


def test_a_request_that_was_repeated_says_nothing_of_the_line() -> None:
    missing = Missing()
    learn(missing, 0.02)
    before = missing.patience.wait_s
    missing.gap([50], now=100.0)
    missing.again(now=100.2)
    missing.came(50, now=100.22)
    assert missing.patience.wait_s == before


def test_a_line_that_becomes_slow_is_learned() -> None:
    """Each packet is then asked for several times before it can come: were that never believed, it would stay so."""
    missing = Missing()
    learn(missing, 0.005)
    requests = 0
    for number in range(100, 140):
        since = float(number)
        missing.gap([number], now=since)
        requests = 1
        while missing.due < since + 0.4:
            missing.again(now=missing.due)
            requests += 1
        missing.came(number, now=since + 0.4)
    assert missing.patience.wait_s > 0.4 and requests == 1


def test_after_a_second_a_key_frame_is_wanted_once_and_asking_goes_on_for_the_record() -> None:
    source, sent = make()
    source.arrived(3, make_rtp(3), now=10.0)
    for step in range(1, 19):
        source.tick(now=10.0 + step * 0.05)
    assert [kind for one in sent for kind, _, _ in rtcp.walk(one) if kind == rtcp.PSFB] == []
    for step in range(19, 100):
        source.tick(now=10.0 + step * 0.05)
    keyframes = [kind for one in sent for kind, _, _ in rtcp.walk(one) if kind == rtcp.PSFB]
    assert len(keyframes) == 1
    assert asked(sent) == [[2]] * 10
    assert source.unfilled == 1 and not source.missing


def test_a_packet_that_comes_late_is_taken_for_the_record() -> None:
    source, _ = make()
    source.arrived(3, make_rtp(3), now=10.0)
    for step in range(1, 40):
        source.tick(now=10.0 + step * 0.05)
    source.arrived(2, make_rtp(2), now=12.1)
    source.tick(now=14.0)
    assert source.repaired == source.unfilled == 1 and source.missing.due == float("inf")


def test_after_a_cut_line_no_old_picture_is_asked_for_but_a_new_one() -> None:
    """The publisher has too little left for both."""
    source, sent = make()
    keep(source, 1, make_rtp(1, stamp=0xFFFFFF00))
    source.arrived(90, make_rtp(90, stamp=45_000 - 0x100), now=10.0)
    source.tick(now=10.05)
    assert asked(sent) == [] and source.unfilled == 1
    assert [kind for one in sent for kind, _, _ in rtcp.walk(one)] == [rtcp.PSFB]


def test_a_wide_gap_within_a_moment_is_loss_and_is_asked_for() -> None:
    source, sent = make()
    keep(source, 1, make_rtp(1, stamp=9000))
    source.arrived(90, make_rtp(90, stamp=9000 + 30_000), now=10.0)
    assert asked(sent) == [list(range(2, 90))]


def test_the_sound_of_a_cut_line_is_asked_for() -> None:
    source, sent = make("audio")
    source.arrived(60, make_rtp(60, stamp=90 * 960), now=10.0)
    assert asked(sent) == [list(range(2, 60))]


def test_another_stream_forgets_what_was_missing_but_not_how_the_line_is() -> None:
    source, sent = make()
    learn(source.missing, 0.005)
    wait = source.missing.patience.wait_s
    source.arrived(3, make_rtp(3), now=10.0)
    source.started(0xB2, 700)
    source.tick(now=11.0)
    assert asked(sent) == [[2]]
    assert source.missing.patience.wait_s == wait


@given(
    st.lists(st.tuples(st.sampled_from(["gap", "came", "again"]), st.integers(0, 30), st.floats(0, 0.5)), max_size=80)
)
def test_nothing_is_asked_for_that_came_nor_forgotten_before_its_time(steps: list[tuple[Any, int, float]]) -> None:
    missing = Missing()
    open_since: dict[int, float] = {}
    now = 0.0
    for what, number, passed in steps:
        now += passed
        if what == "gap" and number not in open_since:
            missing.gap([number], now=now)
            open_since[number] = now
        elif what == "came":
            assert missing.came(number, now=now) == (open_since.pop(number, None) is not None)
        elif what == "again":
            ask, _ = missing.again(now=now)
            gone = {number for number in open_since if number not in missing}
            assert set(ask) <= set(open_since) - gone
            assert all(now - open_since.pop(number) >= GIVE_UP_S for number in gone)
        assert {number for number in range(31) if number in missing} == set(open_since)
        assert (missing.due == float("inf")) == (not open_since)


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 5)), max_size=60))
def test_patience_stays_within_its_bounds(answers: list[tuple[float, int]]) -> None:
    patience = Patience()
    for seconds, tries in answers:
        patience.answered(seconds, tries=tries)
        assert Patience.LEAST_S <= patience.wait_s <= Patience.MOST_S
    assert LATE_S < GIVE_UP_S


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_who_sends_nothing_again_is_not_asked_and_a_picture_gets_a_key_frame(kind: str) -> None:
    source, sent = make(kind)
    source.repairs = False
    source.arrived(5, make_rtp(5), now=1.0)
    for at in range(11, 60):
        source.tick(now=at / 10)
    assert asked(sent) == [] and not source.missing and source.asked == 0
    assert (source.lost, source.highest) == (3, 5)
    plis = [packet for packet in sent if packet[1] == rtcp.PSFB]
    assert len(plis) == (kind == "video")


@pytest.mark.parametrize(("pace", "wishes"), [(200, 12), (20, 2)])
def test_a_recording_can_be_entered_every_ten_seconds_and_a_thin_line_is_spared(pace: int, wishes: int) -> None:
    sent: list[bytes] = []
    one = Source("video", "sara/1", "sara", sent.append)
    one.started(7, 0)
    number = 0
    for tick in range(int(119 / 0.05)):
        now = 1000 + tick * 0.05
        if tick % 20 == 0:
            number = (number + pace) & 0xFFFF
            one.highest = number
            one.loss()
        one.tick(now=now)
    assert len([packet for packet in sent if packet[:2] == b"\x81\xce"]) == wishes
