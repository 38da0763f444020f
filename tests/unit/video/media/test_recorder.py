"""The recorder's seam and the watch over it, on a clock of its own."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.media import recorder as module
from video.media.recorder import LIMIT_S, RETRY_S, Recorder, Watch


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Sink:
    def __init__(self, clock: Clock) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.last_durable_at = -1.0
        self.well = True
        self.refuse = False

    def track(self, *arguments: Any) -> None:
        self.calls.append(("track", *arguments))

    def write(self, leg: str, at: float, packet: bytes) -> None:
        if self.refuse:
            raise OSError
        self.calls.append(("write", leg, at, packet))

    def mark(self, at: float, kind: str, data: dict[str, Any]) -> None:
        self.calls.append(("mark", at, kind, data))

    def close(self, at: float) -> None:
        self.calls.append(("close", at))

    def healthy(self) -> bool:
        return self.well


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sink(clock: Clock) -> Sink:
    return Sink(clock)


@pytest.fixture
def recorder(clock: Clock, sink: Sink) -> Recorder:
    return Recorder("m1", lambda meeting: sink, monotonic=clock)


def write(recorder: Recorder, clock: Clock, leg: str = "sara/1/audio", packet: bytes = b"rtp") -> None:
    recorder.write(leg, "sara", leg.split("/")[2], packet, clock.now)


def test_a_leg_is_announced_before_its_first_packet_and_once(recorder: Recorder, clock: Clock, sink: Sink) -> None:
    async def scene() -> None:
        assert await recorder.start()
        clock.now += 1.5
        recorder.report("sara/1/audio", b"too early", now=clock.now)
        write(recorder, clock)
        clock.now += 0.5
        write(recorder, clock, packet=b"second")
        recorder.report("sara/1/audio", b"sr", now=clock.now)
        recorder.hand_over()
        write(recorder, clock, "sara/1/video")
        recorder.hand_over()

    asyncio.run(scene())
    assert sink.calls == [
        ("track", "sara/1/audio", "sara", "audio", "opus", 48000, 1.5),
        ("write", "sara/1/audio", 1.5, b"rtp"),
        ("write", "sara/1/audio", 2.0, b"second"),
        ("write", "sara/1/audio", 2.0, b"sr"),
        ("track", "sara/1/video", "sara", "video", "vp8", 90000, 2.0),
        ("write", "sara/1/video", 2.0, b"rtp"),
    ]


@pytest.mark.parametrize("occasion", ["hand_over", "mark", "check", "close"])
def test_what_was_taken_reaches_the_sink_in_its_order_before_anything_else(
    recorder: Recorder, clock: Clock, sink: Sink, occasion: str
) -> None:
    async def scene() -> None:
        await recorder.start()
        for number in range(3):
            write(recorder, clock, f"sara/1/{('audio', 'video')[number % 2]}", bytes([number]))
            clock.now += 1
        assert [call[0] for call in sink.calls] == ["track", "track"]
        if occasion == "close":
            await recorder.close()
        elif occasion == "mark":
            recorder.mark("order", {})
        elif occasion == "check":
            recorder.check(now=clock.now)
        else:
            recorder.hand_over()
        assert [call[2:] for call in sink.calls[2:5]] == [(0.0, b"\0"), (1.0, b"\1"), (2.0, b"\2")]
        recorder.hand_over()
        assert len([call for call in sink.calls if call[0] == "write"]) == 3

    asyncio.run(scene())


def test_a_loss_between_two_looks_is_told_once(recorder: Recorder, clock: Clock, sink: Sink) -> None:
    async def scene() -> None:
        await recorder.start()
        sink.refuse = True
        write(recorder, clock)
        recorder.hand_over()
        assert recorder.state == "lost"
        assert [recorder.check(now=clock.now) for _ in range(3)] == [True, False, False]

    asyncio.run(scene())


def test_nothing_is_written_before_the_start_or_after_the_end(recorder: Recorder, clock: Clock, sink: Sink) -> None:
    async def scene() -> None:
        write(recorder, clock)
        assert recorder.mark("order", {}) is None
        await recorder.start()
        clock.now += 3
        await recorder.close()
        write(recorder, clock)

    asyncio.run(scene())
    assert sink.calls == [("close", 3.0)]


def test_a_sink_that_cannot_be_opened_is_said_and_tried_again_later(clock: Clock) -> None:
    def fail(meeting: str) -> Any:
        raise OSError("full")

    async def scene() -> None:
        recorder = Recorder("m1", fail, monotonic=clock)
        assert not await recorder.start()
        assert (recorder.state, recorder.running) == ("lost", False)
        assert not recorder.may_retry(now=clock.now)
        assert recorder.may_retry(now=clock.now + RETRY_S)

    asyncio.run(scene())


@pytest.mark.parametrize("cause", ["stall", "unwell", "refuse", "mute"])
def test_the_loss_is_noticed_within_three_seconds(recorder: Recorder, clock: Clock, sink: Sink, cause: str) -> None:
    async def scene() -> None:
        await recorder.start()
        for _ in range(20):
            clock.now += 0.5
            write(recorder, clock)
            sink.last_durable_at = clock.now - 1000.0
            assert not recorder.check(now=clock.now)
        if cause == "unwell":
            sink.well = False
        elif cause == "refuse":
            sink.refuse = True
        elif cause == "mute":
            del sink.last_durable_at
        since = clock.now
        while recorder.state == "on":
            clock.now += 0.5
            write(recorder, clock)
            recorder.check(now=clock.now)
            assert clock.now - since <= 3.0
        assert recorder.why and not recorder.running
        assert recorder._closing is not None
        await recorder._closing
        assert sink.calls[-1][0] == "close"

    asyncio.run(scene())


def test_silence_is_no_stall(recorder: Recorder, clock: Clock, sink: Sink) -> None:
    async def scene() -> None:
        await recorder.start()
        write(recorder, clock)
        sink.last_durable_at = recorder.at
        for _ in range(100):
            clock.now += 0.5
            assert not recorder.check(now=clock.now)
        write(recorder, clock)
        assert not recorder.check(now=clock.now)

    asyncio.run(scene())


def test_closing_while_it_opens_leaves_no_open_sink(clock: Clock, sink: Sink) -> None:
    async def scene() -> None:
        recorder = Recorder("m1", lambda meeting: sink, monotonic=clock)
        starting = asyncio.ensure_future(recorder.start())
        await asyncio.sleep(0)
        await recorder.close()
        assert not await starting
        assert recorder.state == "closed" and sink.calls == [("close", 0.0)]

    asyncio.run(scene())


def test_a_sink_that_opens_too_late_is_closed_again(clock: Clock, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPENING_S", 0.01)

    async def scene() -> None:
        gate = threading.Event()

        def slow(meeting: str) -> Any:
            gate.wait(60)
            return sink

        recorder = Recorder("m1", slow, monotonic=clock)
        assert not await recorder.start()
        gate.set()
        async with asyncio.timeout(60):
            while sink.calls != [("close", 0.0)]:
                await asyncio.sleep(0.01)

    asyncio.run(scene())


@given(st.lists(st.tuples(st.floats(0.01, 1.0), st.booleans()), max_size=200), st.floats(0.0, 1.5))
def test_a_writer_that_keeps_within_a_second_and_a_half_never_alarms(
    steps: list[tuple[float, bool]], lag: float
) -> None:
    watch, now, writes = Watch(), 0.0, []
    for step, writing in steps:
        now += step
        if writing:
            watch.wrote(now)
            writes.append(now)
        durable = max((at for at in writes if at <= now - lag), default=-1.0)
        # the tick may come a second late
        assert not watch.stalled(durable, now=now, limit=LIMIT_S + 1.0)


@given(st.floats(0.05, 0.5), st.floats(0.0, 20.0))
def test_a_writer_that_stops_always_alarms_in_time(tick: float, stop: float) -> None:
    watch, now = Watch(), 0.0
    while True:
        now += tick
        watch.wrote(now)
        if watch.stalled(min(now, stop), now=now):
            break
        assert now <= stop + 3.0
