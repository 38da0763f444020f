from __future__ import annotations

import itertools
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import rtp, rtp_clock
from recordings.rtp_clock import Line, StreamClock, lower_line
from recordings.rtp_order import WAIT_S, Reorder


def packet(payload: bytes, *, csrc: int = 0, extension: bytes | None = None, padding: int = 0) -> bytes:
    first = 0x80 | csrc | (0x10 if extension is not None else 0) | (0x20 if padding else 0)
    head = struct.pack("!BBHII", first, 96, 1, 2, 3) + b"c" * (4 * csrc)
    if extension is not None:
        head += struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension
    tail = bytes(padding - 1) + bytes([padding]) if padding else b""
    return head + payload + tail


@given(st.binary(max_size=50), st.integers(0, 15), st.sampled_from([None, b"", b"abcd", b"x" * 20]), st.integers(0, 9))
def test_the_payload_is_found_behind_every_kind_of_header(data, csrc, extension, padding) -> None:
    assert rtp.payload(packet(data, csrc=csrc, extension=extension, padding=padding)) == data


@given(st.binary(min_size=12, max_size=40))
def test_any_bytes_give_a_payload_or_none_and_never_an_error(data: bytes) -> None:
    body = rtp.payload(data)
    assert body is None or body in data
    list(rtp.sender_reports(data))


def test_padding_longer_than_the_packet_is_malformed() -> None:
    assert rtp.payload(packet(b"ab")[:-1].replace(b"\x80", b"\xa0", 1) + b"\xff") is None


def test_sender_reports_are_found_in_a_compound_packet_among_unknown_ones() -> None:
    unknown = struct.pack("!BBHI", 0x80, 209, 1, 9)
    report = struct.pack("!BBHIIIIII", 0x80, 200, 6, 77, 3_900_000_000, 1 << 31, 1234, 0, 0)
    no_clock = struct.pack("!BBHIIIIII", 0x80, 200, 6, 78, 0, 0, 1234, 0, 0)
    assert list(rtp.sender_reports(unknown + report + no_clock)) == [(77, 3_900_000_000.5, 1234)]


# --- order ---------------------------------------------------------------------------------------------------


def ordered(arrivals: list[tuple[int, float]], **options) -> list[int]:
    """Sequence numbers as they come out, extended ones taken back to 16 bits."""
    buffer: Reorder[int] = Reorder(**options)
    out = [item for number, at in arrivals for _, item in buffer.push(number & 0xFFFF, at, number)]
    return out + [item for _, item in buffer.flush()]


@given(st.integers(0, 0xFFFF), st.integers(2, 400), st.randoms(use_true_random=False))
def test_shuffled_packets_come_out_in_order_each_once_across_the_wrap(start: int, count: int, rng) -> None:
    arrivals = []
    for number in range(start, start + count):
        sent = number * 0.005
        arrivals.append((number, sent + rng.random() * 0.1))
        if rng.random() < 0.2:
            arrivals.append((number, sent + rng.random() * 0.1))
    arrivals.sort(key=lambda entry: entry[1])
    assert ordered(arrivals) == list(range(start, start + count))


def test_what_is_lost_is_given_up_by_time_even_when_few_packets_come() -> None:
    buffer: Reorder[str] = Reorder()
    list(buffer.push(1, 0.0, "a"))
    assert list(buffer.push(2, WAIT_S + 0.1, "b"))  # the start itself is waited for
    assert not list(buffer.push(4, 3.0, "d"))
    assert not list(buffer.push(5, 3.0 + WAIT_S, "e"))
    late = list(buffer.push(6, 3.1 + WAIT_S, "f"))
    assert [item for _, item in late] == ["d", "e", "f"]
    assert not list(buffer.push(3, 3.2 + WAIT_S, "c"))
    assert buffer.duplicates == 1


def test_a_hole_shows_in_the_extended_numbers() -> None:
    buffer: Reorder[int] = Reorder()
    out = [pair for n in (10, 11, 13) for pair in buffer.push(n, n * 0.9, n)] + buffer.flush()
    numbers = [number for number, _ in out]
    assert [b - a for a, b in itertools.pairwise(numbers)] == [1, 2]


def test_the_first_packet_to_come_may_not_be_the_first_one() -> None:
    assert ordered([(5, 0.0), (4, 0.01), (6, 0.02), (7, 5.0)]) == [4, 5, 6, 7]


def test_a_restarted_sender_is_followed_and_a_single_odd_packet_is_not() -> None:
    before = [(n, n * 0.01) for n in range(100, 120)]
    odd = [(40_000, 1.2)]
    between = [(n, n * 0.01) for n in range(120, 130)]
    after = [(n, n * 0.01) for n in range(20_000, 20_020)]
    assert ordered(before + odd + between + after) == [n for n, _ in before + between + after]


# --- clocks --------------------------------------------------------------------------------------------------


def run(clock: StreamClock, arrivals: list[tuple[int, float]]) -> list[float]:
    for timestamp, at in arrivals:
        clock.observe(timestamp & 0xFFFFFFFF, at)
    rtp_clock.align([clock])
    return [clock.place(timestamp & 0xFFFFFFFF, at) for timestamp, at in arrivals]


def test_jitter_and_the_wrap_of_the_timestamp_leave_the_timeline_even() -> None:
    rng = random.Random(1)
    start = 2**32 - 48_000 * 5
    times = [n * 0.02 for n in range(1000)]
    placed = run(StreamClock(48_000), [(start + round(t * 48_000), t + 0.03 + rng.expovariate(50)) for t in times])
    assert all(abs(p - t - 0.03) < 0.002 for p, t in zip(placed, times, strict=True))


def test_a_slow_sound_card_is_followed_for_an_hour_in_spite_of_congestion() -> None:
    rng = random.Random(2)
    times = [n * 0.2 for n in range(18_000)]

    def delay(t: float) -> float:
        return 0.03 + rng.expovariate(30) + (0.4 if 1000 < t < 1300 else 0.0)

    placed = run(StreamClock(48_000), [(round(t * 48_000 * (1 - 80e-6)), t + delay(t)) for t in times])
    assert max(abs(p - t - 0.03) for p, t in zip(placed, times, strict=True)) < 0.01


def test_restarted_timestamps_begin_a_new_stretch_in_the_right_place() -> None:
    first = [(1000 + round(t * 90_000), t + 0.05) for t in (n * 0.04 for n in range(500))]
    second = [(3_000_000_000 + round(t * 90_000), t + 0.05) for t in (20 + n * 0.04 for n in range(500))]
    placed = run(StreamClock(90_000), first + second)
    assert all(abs(p - at) < 0.002 for p, (_, at) in zip(placed, first + second, strict=True))


def test_sender_reports_tie_sound_and_picture_whatever_their_delays() -> None:
    sound, picture = StreamClock(48_000), StreamClock(90_000)
    for n in range(500):
        t = n * 0.04
        sound.observe(round(t * 48_000), t + 0.03)
        picture.observe(7_000_000 + round(t * 90_000), t + 0.33)
        if n % 50 == 25:
            sound.report(round(t * 48_000), 3.9e9 + t)
            picture.report(7_000_000 + round(t * 90_000), 3.9e9 + t)
    rtp_clock.align([sound, picture])
    assert sound.place(0, 0.03) == pytest.approx(0.03, abs=1e-3)
    assert picture.place(7_000_000, 0.33) == pytest.approx(0.03, abs=1e-3)


def test_reports_from_another_epoch_are_no_worse_than_none() -> None:
    sound, picture = StreamClock(48_000), StreamClock(90_000)
    for n in range(500):
        t = n * 0.04
        sound.observe(round(t * 48_000), t + 0.03)
        picture.observe(round(t * 90_000), t + 0.05)
        if n % 50 == 25:
            sound.report(round(t * 48_000), 3.9e9 + t)
            picture.report(round(t * 90_000), 12_345.0 + t)
    rtp_clock.align([sound, picture])
    assert sound.place(0, 0.03) == pytest.approx(0.03, abs=1e-3)
    assert picture.place(0, 0.05) == pytest.approx(0.05, abs=1e-3)


@given(st.lists(st.tuples(st.floats(0, 4000), st.floats(0, 2)), min_size=1, max_size=50))
def test_the_line_is_never_above_a_point(points: list[tuple[float, float]]) -> None:
    line = lower_line(points)
    assert all(line(x) <= y + 1e-6 for x, y in points)
    assert isinstance(line, Line)


@pytest.mark.parametrize("pace", [0.5, 0.9, 1.2, 2.0])
def test_a_clock_that_is_none_leads_nobody_out_of_the_recording(pace: float) -> None:
    """What lies far ahead waits in memory for its time, and what lies before the start or after the end is left out."""
    arrivals = [(round(t * 90_000 * pace) & 0xFFFFFFFF, t + 0.05) for t in (n / 30 for n in range(30 * 300))]
    placed = run(StreamClock(90_000), arrivals)
    assert max(abs(t - at) for t, (_, at) in zip(placed, arrivals, strict=True)) < 11


def test_a_flood_of_sender_reports_is_no_more_to_look_through_than_a_browser_s() -> None:
    clock = StreamClock(90_000)
    for number in range(60_000):
        clock.observe(number * 180, number / 500)
        clock.report(number * 180, 4e9 + number / 500)
    assert len(clock.stretches[0].reports) <= 120 / 0.2 + 1
