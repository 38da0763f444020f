"""The estimate on simulated lines: a bottleneck with a queue, publishers that obey at once, feedback every 100 ms."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from statistics import mean

import pytest

from video.media.estimate import CEILING, FLOOR, START, Capacity, Queue
from video.media.twcc import Report

SIZE = 1000
DELAY_S = 0.02
QUEUE_S = 0.3


@dataclass
class Line:
    """What the publishers send is what the cap allows, no more than `wanted`; `kbps` is what fits."""

    kbps: float = 20_000
    wanted: float = 4_000_000
    share: float = 1.0
    """What those who send may use of the cap."""
    loss: float = 0.0
    jitter_s: float = 0.0
    now: float = 0.0
    capacity: Capacity = field(default_factory=lambda: Capacity(now=0.0))
    seen: list[tuple[float, float, float, float]] = field(default_factory=list)
    """Each 100 ms: when, the cap, kbps delivered, the part lost."""
    _on_the_way: list[Report] = field(default_factory=list)
    _number: int = 0
    _free_at: float = 0.0
    _owed: float = 0.0
    _held_to: float = START
    _chance: random.Random = field(default_factory=lambda: random.Random(7))

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            if int(self.now * 10) % 10 == 0:
                self._held_to = self.capacity.cap  # REMB goes out once a second
            for frame in range(3):
                at = self.now + frame / 30
                self._owed += min(self._held_to * self.share, self.wanted) / 30 / 8
                while self._owed >= SIZE:
                    self._owed -= SIZE
                    self._number = (self._number + 1) & 0xFFFF
                    self.capacity.sent(self._number, SIZE, now=at)
                    self._on_the_way.append(Report(self._number, self._pass(at)))
            self.now += 0.1
            reports = self._arrived()
            self.capacity.heard(reports, now=self.now)
            arrived = sum(1 for report in reports if report.arrived_us is not None)
            lost = 1 - arrived / len(reports) if reports else 0.0
            self.seen.append((self.now, self.capacity.cap / 1000, arrived * SIZE * 8 / 100, lost))

    def _arrived(self) -> list[Report]:
        """A packet is known to be lost when a later one has come."""
        come = [
            index
            for index, report in enumerate(self._on_the_way)
            if report.arrived_us is not None and report.arrived_us <= self.now * 1e6
        ]
        told = come[-1] + 1 if come else 0
        reports, self._on_the_way = self._on_the_way[:told], self._on_the_way[told:]
        return reports

    def _pass(self, at: float) -> int | None:
        begins = max(at, self._free_at)
        if begins - at > QUEUE_S or self._chance.random() < self.loss:
            return None
        self._free_at = begins + SIZE * 8 / (self.kbps * 1000)
        return int((self._free_at + DELAY_S + self._chance.random() * self.jitter_s) * 1e6)

    def since(self, moment: float) -> list[tuple[float, float, float, float]]:
        return [entry for entry in self.seen if entry[0] > moment]


def test_a_free_line_reaches_the_ceiling_and_no_more() -> None:
    line = Line(wanted=10_000_000)
    line.run(15)
    assert line.capacity.cap == CEILING


@pytest.mark.parametrize("kbps", [250, 500, 1000])
def test_a_line_that_narrows_is_obeyed_within_five_seconds_without_swinging_and_given_back_within_twenty(
    kbps: float,
) -> None:
    line = Line()
    line.run(5)
    line.kbps = kbps
    line.run(5)
    assert line.capacity.cap < 1000 * kbps
    began = line.now
    line.run(30)
    caps = [cap for _, cap, _, _ in line.since(began)]
    assert 0.7 * mean(caps) <= min(caps) and max(caps) <= 1.3 * mean(caps)
    assert mean(caps) > 0.75 * kbps
    assert mean(lost for *_, lost in line.since(began)) < 0.01
    line.kbps = 20_000
    line.run(20)
    assert line.capacity.cap > 2_500_000


def test_a_queue_is_seen_as_it_grows_before_anything_is_lost() -> None:
    line = Line(wanted=1_050_000)
    line.run(5)
    line.kbps = 900
    line.run(2)
    assert line.capacity.cap < 900_000
    line.run(3)
    assert max(lost for *_, lost in line.since(5)) == 0


@pytest.mark.parametrize(("loss", "jitter_s"), [(0.03, 0.0), (0.0, 0.03), (0.05, 0.02)])
def test_a_little_loss_and_jitter_are_no_congestion(loss: float, jitter_s: float) -> None:
    line = Line(loss=loss, jitter_s=jitter_s, wanted=2_000_000)
    line.run(20)
    assert line.capacity.cap >= START


def test_a_burst_that_drains_is_no_congestion() -> None:
    line = Line(kbps=2_000, wanted=400_000)
    for _ in range(10):
        line.run(2)
        line._free_at = line.now + 0.2  # key frames of several cameras at once
    assert line.capacity.cap > START


def test_a_quiet_meeting_proves_little_about_the_line() -> None:
    line = Line(wanted=100_000)
    line.run(10)
    assert START < line.capacity.cap < 1.5 * START


def test_one_camera_among_three_gets_room_again_though_the_shares_of_the_others_are_not_used() -> None:
    line = Line(share=1 / 3)
    line.run(3)
    line.kbps = 200
    line.run(10)
    assert line.capacity.cap < 260_000
    line.kbps = 20_000
    line.run(45)
    assert line.capacity.cap / 3 > 500_000


def test_a_line_that_carries_nothing_keeps_the_floor() -> None:
    line = Line(kbps=40)
    line.run(20)
    assert line.capacity.cap == FLOOR


@pytest.mark.parametrize("before_s", [5.0, 0.0], ids=["it was measured before", "it is measured since the dark"])
def test_what_was_sent_into_the_dark_says_nothing_of_what_the_line_carries(before_s: float) -> None:
    line = Line(wanted=2_000_000)
    line.run(before_s)
    line.loss = 1.0
    line.run(1.0)
    line.loss = 0.0
    line.run(2)
    assert min(cap for _, cap, _, _ in line.since(0)) >= START / 1000


def test_sound_that_is_sent_again_after_the_dark_does_not_make_a_loss_of_it() -> None:
    """The sound of the last moments arrives, late; the pictures between do not."""
    capacity = Capacity(now=0.0)
    capacity.sent(0, SIZE, now=0.0)
    capacity.heard([Report(0, 0)], now=0.0)
    for number in range(1, 101):
        capacity.sent(number, SIZE, now=number / 100)
    light = 1_010_000
    told = [Report(number, light if number > 80 and number % 3 == 0 else None) for number in range(1, 101)]
    capacity.heard([*told], now=1.1)
    assert capacity.loss == 0 and capacity.cap >= START


def test_a_line_that_plunges_is_obeyed_before_half_a_second_of_sound_is_lost() -> None:
    line = Line(wanted=1_400_000)
    line.run(5)
    line.kbps = 400
    line.run(0.8)
    assert line.capacity.cap < 400_000


def test_what_is_sent_again_gets_a_quarter_of_the_cap_and_nothing_while_a_queue_stands() -> None:
    line = Line(wanted=1_000_000)
    line.run(3)
    cap = line.capacity.cap
    sent = sum(SIZE for step in range(1000) if line.capacity.spares(SIZE, now=line.now + step / 1000))
    assert 0.2 * cap < 8 * sent < 0.3 * cap
    line.kbps = 300
    line.run(1)
    assert line.capacity.queue_us > 120_000
    assert not line.capacity.spares(SIZE, now=line.now + 5)


def test_a_receiver_that_reports_far_too_often_gives_no_more_to_look_through() -> None:
    queue = Queue()
    for number in range(10_000):
        queue.read(number % 7 * 1000.0, now=number / 1000)
        assert queue.length_us >= 0
    assert len(queue._delays) <= 10 / 0.02 + 1 and queue.standing(0.5) == 0
