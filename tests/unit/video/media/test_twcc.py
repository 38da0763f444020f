from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from video.media import rtcp, twcc

# Times with gaps a delta can express (±8 s), some missing.
arrivals = st.lists(st.none() | st.integers(0, 30_000), min_size=1, max_size=120).filter(
    lambda steps: any(step is not None for step in steps)
)


@given(base=st.integers(0, 0xFFFF), steps=arrivals, start=st.integers(0, 10**12))
def test_feedback_says_what_arrived_and_when(base: int, steps: list[int | None], start: int) -> None:
    clock, arrived = start, []
    for step in steps:
        if step is None:
            arrived.append(None)
        else:
            clock += step
            arrived.append(clock)
    packet = twcc.write(7, base, arrived, 3)
    ((kind, form, whole),) = rtcp.walk(packet)
    assert (kind, form, rtcp.media_of(whole)) == (rtcp.RTPFB, rtcp.TWCC, 7)
    reports = twcc.read(whole)
    assert [report.number for report in reports] == [(base + index) & 0xFFFF for index in range(len(arrived))]
    assert [report.arrived_us is None for report in reports] == [time is None for time in arrived]
    times = [(report.arrived_us, time) for report, time in zip(reports, arrived, strict=True) if time is not None]
    wrap = 2**24 * twcc.REFERENCE_US
    for read, true in times:
        assert read is not None
        off = (read - true) % wrap
        assert min(off, wrap - off) <= twcc.TICK_US


def test_a_long_loss_is_one_chunk() -> None:
    packet = twcc.write(7, 0, [1000, *[None] * 300, 2000], 0)
    assert len(packet) < 40
    reports = twcc.read(packet)
    assert len(reports) == 302 and reports[-1].arrived_us is not None and reports[150].arrived_us is None


def test_arrivals_are_reported_once_and_the_gap_between_reports_belongs_to_the_next() -> None:
    seen = twcc.Arrivals()
    for number in (10, 11, 13):
        seen.note(number, number * 1000)
    first = twcc.read(seen.feedback(1) or b"")
    assert [(report.number, report.arrived_us is not None) for report in first] == [
        (10, True), (11, True), (12, False), (13, True),
    ]  # fmt: skip
    assert seen.feedback(1) is None
    seen.note(15, 15_000)
    second = twcc.read(seen.feedback(1) or b"")
    assert [(report.number, report.arrived_us is not None) for report in second] == [(14, False), (15, True)]


def test_counting_goes_on_over_the_wrap() -> None:
    seen = twcc.Arrivals()
    for number in (0xFFFE, 0xFFFF, 0, 1):
        seen.note(number, 1000)
    assert [report.number for report in twcc.read(seen.feedback(1) or b"")] == [0xFFFE, 0xFFFF, 0, 1]


def test_a_late_packet_is_reported_after_all() -> None:
    seen = twcc.Arrivals()
    for number in (5, 7):
        seen.note(number, 1000)
    seen.feedback(1)
    seen.note(6, 2000)
    late = {report.number: report.arrived_us for report in twcc.read(seen.feedback(1) or b"")}
    assert late[6] is not None


def test_a_packet_later_than_a_feedback_can_reach_back_is_left_out() -> None:
    seen = twcc.Arrivals()
    seen.note(5000, 1000)
    seen.feedback(1)
    seen.note(5000 - twcc.MOST_PACKETS - 1, 2000)
    assert seen.feedback(1) is None


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 10**12)), max_size=60))
def test_whatever_numbers_come_the_feedback_fits_a_datagram(notes: list[tuple[int, int]]) -> None:
    seen = twcc.Arrivals()
    for number, time in notes:
        seen.note(number, time)
    assert len(seen.feedback(1) or b"") < 1300


@given(st.binary(max_size=100))
def test_nothing_from_the_wire_raises(data: bytes) -> None:
    twcc.read(data)
    twcc.read(b"\x8f\xcd\x00\x09" + b"\0" * 8 + data)


def test_twenty_bytes_that_tell_of_everything_are_not_listened_to() -> None:
    body = struct.pack("!HHI", 0, 0xFFFF, 0) + struct.pack("!H", 0x1FFF) * 8 + struct.pack("!H", 7)
    packet = struct.pack("!BBHII", 0x8F, 205, 2 + len(body) // 4, 1, 2) + body
    assert twcc.read(packet) == []
    most = struct.pack("!HHI", 0, twcc.MOST_READ, 0) + struct.pack("!HH", twcc.MOST_READ, 0)
    assert len(twcc.read(packet[:12] + most)) == twcc.MOST_READ
