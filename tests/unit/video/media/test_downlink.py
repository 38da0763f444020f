from __future__ import annotations

from collections.abc import Callable

from video.media import rtp, twcc
from video.media.downlink import READ_PER_S, Downlink
from video.media.estimate import FLOOR, START, Capacity
from video.media.twcc import Report

Make = Callable[..., bytes]


def numbers(downlink: Downlink, make: Make, first: int, count: int) -> list[int]:
    packets = [make(0, transport=(first + index) & 0xFFFF) for index in range(count)]
    return [rtp.transport_sequence(downlink.numbered(packet, 0.0)) for packet in packets]


def test_a_call_without_incidents_passes_packets_untouched(packet: Make) -> None:
    downlink = Downlink()
    made = packet(1, transport=500)
    assert downlink.plain and downlink.numbered(made, 0.0) is made
    alone = Downlink()
    alone.measure(True, now=0.0)
    alone.measure(False, now=1.0)
    assert alone.plain and alone.numbered(made, 2.0) is made, "nothing was sent yet that it must go on from"


def test_the_count_goes_on_when_two_become_three_and_three_become_two(packet: Make) -> None:
    downlink = Downlink()
    assert numbers(downlink, packet, 65534, 3) == [65534, 65535, 0]
    downlink.measure(True, now=0.0)
    assert numbers(downlink, packet, 5, 1) + numbers(downlink, packet, 902, 1) == [1, 2]
    downlink.measure(False, now=0.0)
    without = packet(1)
    assert downlink.numbered(without, 0.0) is without, "what has no number is no beginning"
    assert numbers(downlink, packet, 950, 2) == [3, 4]
    downlink.measure(True, now=0.0)
    downlink.measure(False, now=0.0)
    assert numbers(downlink, packet, 5, 2) == [5, 6]
    assert downlink.plain, "where both counts agree nothing is to be done"


def test_feedback_goes_to_the_publisher_by_its_own_numbers_and_never_about_what_had_others(packet: Make) -> None:
    downlink = Downlink()
    downlink.measure(True, now=0.0)
    assert numbers(downlink, packet, 40_000, 100)[-1] == 99
    downlink.measure(False, now=0.0)
    before = twcc.write(0xD0, 90, [1000] * 10, 0)
    assert downlink.relayed(before, 0xA0) is None
    assert numbers(downlink, packet, 65535, 3) == [100, 101, 102]
    across = twcc.write(0xD0, 99, [1000] * 3, 1)
    assert downlink.relayed(before, 0xA0) is None and downlink.relayed(across, 0xA0) is None
    back = downlink.relayed(twcc.write(0xD0, 100, [1000, 2000], 2), 0xA0)
    assert back is not None and back[8:12] == (0xA0).to_bytes(4, "big")
    assert [report.number for report in twcc.read(back)] == [65535, 0]


def test_a_packet_without_a_number_takes_none(packet: Make) -> None:
    downlink = Downlink()
    downlink.measure(True, now=0.0)
    plain = packet(1)
    assert downlink.numbered(plain, 0.0) is plain
    assert numbers(downlink, packet, 77, 1) == [0]


def flow(capacity: Capacity, *, seconds: float, at: float, loss: float = 0.0, queue_us: float = 0.0) -> float:
    """A steady 1.2 Mbps of 1200-byte packets, reported every 100 ms; returns the time after it."""
    number, end, sent = int(at * 1000) & 0x3FFF, at + seconds, 0
    while at < end:
        reports = []
        for index in range(12):
            number, sent = (number + 1) & 0xFFFF, sent + 1
            left = at + index / 120
            capacity.sent(number, 1200, now=left)
            gone = loss > 0 and sent % int(1 / loss) == 0
            reports.append(Report(number, None if gone else int(left * 1e6 + 20_000 + queue_us)))
        at += 0.1
        capacity.heard(reports, now=at)
    return at


def test_loss_brings_the_cap_below_what_was_delivered_and_it_recovers() -> None:
    capacity = Capacity(now=0.0)
    at = flow(capacity, seconds=3, at=0.0)
    at = flow(capacity, seconds=2, at=at, loss=0.25)
    assert FLOOR <= capacity.cap < 1_152_000
    low = capacity.cap
    flow(capacity, seconds=12, at=at)
    assert capacity.cap > 1.5 * low


def test_a_long_queue_is_congestion_without_any_loss() -> None:
    capacity = Capacity(now=0.0)
    at = flow(capacity, seconds=3, at=0.0)
    flow(capacity, seconds=1.5, at=at, queue_us=300_000)
    assert capacity.cap < 1_152_000


def test_feedback_about_numbers_never_sent_changes_nothing() -> None:
    capacity = Capacity(now=0.0)
    capacity.heard([Report(number, None) for number in range(100)], now=1.0)
    assert capacity.cap == START and capacity.loss == 0


def test_a_receiver_is_not_listened_to_without_end() -> None:
    downlink = Downlink()
    downlink.measure(True, now=0.0)
    assert downlink.capacity is not None
    heard: list[int] = []
    downlink.capacity.heard = lambda reports, *, now: heard.append(len(reports))  # type: ignore[method-assign]
    feedback = twcc.write(1, 0, [None] * twcc.MOST_READ, 0)
    for _ in range(100):
        downlink.heard(feedback, now=0.5)
    assert sum(heard) == READ_PER_S
    downlink.heard(feedback, now=2.0)
    assert sum(heard) == READ_PER_S + twcc.MOST_READ
