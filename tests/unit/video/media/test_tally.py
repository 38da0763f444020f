"""What is kept of a leg, from hand-made packets."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import pytest

from video.media import rtcp
from video.media.router import Router
from video.media.rtcp import Block
from video.media.sdp import SlotStreams
from video.media.tally import REPORT_S, RoundTrip, Tally

SLOTS = (SlotStreams(11, 12, 13),)


def sender_report(ntp_middle: int) -> bytes:
    return struct.pack("!BBHIQIII", 0x80, rtcp.SR, 6, 7, ntp_middle << 16, 0, 0, 0)


def test_the_round_trip_leaves_out_what_the_participant_waited_and_what_is_absurd() -> None:
    trip = RoundTrip()
    trip.sent(sender_report(0xABCD0001), now=100.0)
    waited = Block(ssrc=7, lost=0, highest=0, jitter=0, last_sr=0xABCD0001, delay=int(0.5 * 65536))
    trip.heard(rtcp.rr([waited]), now=100.58)
    trip.heard(rtcp.rr([waited]), now=100.62)
    trip.heard(rtcp.rr([waited]), now=100.10)
    trip.heard(rtcp.rr([waited._replace(last_sr=5), waited._replace(last_sr=0)]), now=101)
    assert trip.count == 2
    assert (trip.least, trip.mean, trip.most) == pytest.approx((0.08, 0.10, 0.12), abs=1e-3)
    assert trip.lately == pytest.approx(0.08 + 0.04 / 8, abs=1e-3)


class Line:
    """A publisher's leg and endpoint, with a clock."""

    def __init__(self, outlet: Any) -> None:
        tape = SimpleNamespace(write=lambda *a, **k: None, report=lambda *a, **k: None)
        router = Router(tape, monotonic=lambda: self.now)  # type: ignore[arg-type]
        self.now = 0.0
        self.endpoint = router.add("sara/1", "sara", outlet, SLOTS, {})
        self.leg = SimpleNamespace(
            name="sara/1", packets_in=0, bytes_in=0, packets_out=0, bytes_out=0, trip=RoundTrip()
        )
        self.tally = Tally(self.leg, self.endpoint, began_at=1e9, drops=2, now=0.0)

    def pass_time(self, seconds: float, *, bytes_per_s: int = 0, **seen: Any) -> list[bool]:
        due = []
        for _ in range(round(seconds * 2)):
            self.now += 0.5
            self.leg.bytes_in += bytes_per_s // 2
            due.append(self.tally.look(**{"silent": False, "camera": True, **seen}, now=self.now))
        return due


def test_losses_repairs_and_gaps_given_up_are_counted_over_streams(outlet: Any, packet: Any) -> None:
    line = Line(outlet)
    for number in (1, 2, 5, 3, 6):  # 3 comes late, 4 never
        line.endpoint.on_rtp(packet(number), 0.0)
    for step in range(1, 15):
        line.endpoint.video.tick(now=step * 0.11)
    line.endpoint.on_rtp(packet(1, ssrc=0xB0000001), 2.0)
    line.endpoint.on_rtp(packet(500, ssrc=0xB0000001), 2.0)
    found = line.tally.summary(drops=3, over=True)
    assert (found.lost_in, found.repaired_in, found.unfilled_in) == (2 + 498, 1, 2)
    assert found.asked_in == 2 + 7 and found.link_drops == 1 and found.over


def test_silences_and_pictures_that_stand_still_are_counted_once_each(outlet: Any, packet: Any) -> None:
    line = Line(outlet)
    line.endpoint.on_rtp(packet(1), 0.0)
    line.pass_time(4)
    line.endpoint.on_rtp(packet(2), 0.0)
    line.pass_time(0.5)
    line.pass_time(5, camera=False)
    line.pass_time(3, silent=True, camera=False)
    line.pass_time(1, camera=False)
    line.pass_time(2, silent=True, camera=False)
    found = line.tally.summary(drops=2, over=False)
    assert (found.stills, found.silences, found.silent_s) == (1, 2, 5.0)


def test_bitrates_have_a_range_and_a_report_is_due_each_half_minute(outlet: Any) -> None:
    line = Line(outlet)
    due = line.pass_time(10, bytes_per_s=100_000) + line.pass_time(10, bytes_per_s=25_000)
    assert not any(due)
    assert sum(line.pass_time(2 * REPORT_S)) == 2
    found = line.tally.summary(drops=2, over=False)
    assert (found.kbps_in_most, found.kbps_in_least) == (800.0, 0.0)
    assert found.rtt_ms_mean is None and found.seconds == 80
