from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import opus
from recordings.timeline import Gap, Timeline
from recordings.vp8 import Frame

VOICE = b"\x78" + b"v" * 80  # 20 ms
HUSH = b"\x78\x01\x02"


@dataclass
class Paper:
    """Notes what a muxer would be given."""

    sound: list[tuple[int, bytes]] = field(default_factory=list)
    picture: list[tuple[int, bytes]] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    finished: tuple[float, int, int] | None = None

    def audio(self, ms: int, data: bytes) -> None:
        self.sound.append((ms, data))
        self.order.append(ms)

    def video(self, ms: int, data: bytes, *, keyframe: bool) -> None:
        self.picture.append((ms, data))
        self.order.append(ms)

    def finish(self, duration_ms: float, width: int, height: int) -> None:
        self.finished = (duration_ms, width, height)


def frame(t: float, data: bytes = b"f", *, key: bool = False, size: tuple[int, int] = (640, 360)) -> Frame:
    return Frame(t, key, *(size if key else (0, 0)), data)


def timeline(duration: float) -> tuple[Timeline, Paper]:
    paper = Paper()
    return Timeline(paper, duration), paper  # type: ignore[arg-type]


def assert_seamless(paper: Paper, duration: float) -> None:
    at = 0
    for ms, packet in paper.sound:
        assert ms == at // 48
        at += opus.duration(packet)
    assert duration * 48_000 - opus.UNIT <= at <= duration * 48_000 + opus.UNIT


@given(
    st.lists(st.tuples(st.floats(-1, 40), st.sampled_from([VOICE, HUSH, b"\x18long", b"\xe3\x06odd"])), max_size=80),
    st.lists(st.floats(0, 40), max_size=20),
    st.floats(0.5, 30),
)
def test_whatever_comes_the_sound_has_neither_hole_nor_overlap(sounds, pictures, duration: float) -> None:
    line, paper = timeline(duration)
    for t, packet in sounds:
        line.audio(t, packet, 0)
    for t in pictures:
        line.video(frame(t, key=True), 1)
        line.advance(t)
    line.finish()
    assert_seamless(paper, duration)
    assert all(a < b for a, b in zip(paper.picture, paper.picture[1:], strict=False))


def test_a_participant_without_sound_gets_silence_to_the_end() -> None:
    line, paper = timeline(10.0)
    line.video(frame(1.0, key=True), 0)
    line.finish()
    assert_seamless(paper, 10.0)
    assert line.packets == 0
    assert paper.finished == (10_000.0, 640, 360)
    assert line.gaps == [Gap("video", 0.0, 1.0), Gap("audio", 0.0, 10.0), Gap("video", 1.0, 10.0)]


@pytest.mark.parametrize("skew", [400e-6, -400e-6])
def test_a_drifting_clock_is_corrected_and_never_by_more_than_a_packet(skew: float) -> None:
    line, paper = timeline(300.0)
    for n in range(14_900):
        line.audio(n * 0.02 * (1 + skew), VOICE[:1] + n.to_bytes(4, "big") + VOICE[5:], 0)
    line.finish()
    assert_seamless(paper, 300.0)
    sent = {packet[1:5]: ms for ms, packet in paper.sound if len(packet) == len(VOICE)}
    assert len(sent) > 14_880
    for number, ms in sent.items():
        assert ms / 1000 == pytest.approx(int.from_bytes(number, "big") * 0.02 * (1 + skew), abs=0.0315)


def test_a_short_hole_is_concealed_and_a_long_one_is_silent() -> None:
    line, paper = timeline(2.0)
    for n in range(100):
        if n != 10 and not 40 <= n < 50:
            line.audio(n * 0.02, VOICE, 0)
    line.finish()
    fills = [(ms, packet) for ms, packet in paper.sound if packet != VOICE]
    assert fills[0] == (200, b"\x78")
    assert [ms for ms, _ in fills[1:]] == list(range(800, 1000, 20))
    assert {packet for _, packet in fills[1:]} == {b"\xf8\xff\xfe"}


def test_a_newer_stream_takes_over_with_its_first_keyframe_and_keeps_the_picture() -> None:
    line, paper = timeline(10.0)
    for n in range(20):
        line.video(frame(n * 0.1, b"old%02d" % n, key=n == 0), 0)
    line.video(frame(0.45, b"early"), 1)
    line.video(frame(0.95, b"key", key=True), 1)
    line.video(frame(1.05, b"new"), 1)
    line.finish()
    assert [data for _, data in paper.picture] == [*(b"old%02d" % n for n in range(10)), b"key", b"new"]


def test_blocks_come_nearly_in_order_even_in_long_silence() -> None:
    line, paper = timeline(120.0)
    line.audio(0.0, VOICE, 0)
    for n in range(3000):
        line.video(frame(n * 0.04, key=n == 0), 0)
        line.advance(n * 0.04)
    line.audio(119.0, VOICE, 0)
    line.finish()
    highest = 0
    for ms in paper.order:
        assert ms > highest - 100
        highest = max(highest, ms)


def test_what_comes_late_within_reason_is_still_put_in_its_place() -> None:
    line, paper = timeline(60.0)
    line.audio(10.0, VOICE, 0)
    line.advance(28.0)
    line.audio(9.0, b"\x78late" + bytes(20), 0)
    line.finish()
    assert [ms for ms, packet in paper.sound if b"late" in packet] == [9000]


def test_the_distance_between_keyframes_is_told() -> None:
    line, _ = timeline(60.0)
    for n in range(500):
        line.video(frame(n * 0.1, key=n in (0, 300)), 0)
    line.finish()
    assert line.longest_keyframe_distance == pytest.approx(29.9)
