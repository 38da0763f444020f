from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.vp8 import LARGEST, Frame, FrameBuilder

KEY = b"\x10\x00\x00\x9d\x01\x2a" + (640).to_bytes(2, "little") + (360).to_bytes(2, "little") + b"key"
INTER = b"\x11\x00\x00inter"


def described(data: bytes, *, start: bool = True, picture: int | None = None) -> bytes:
    first = 0x10 if start else 0x00
    if picture is None:
        return bytes([first]) + data
    return bytes([first | 0x80, 0x80, 0x80 | picture >> 8, picture & 0xFF]) + data


def built(packets: list[tuple[int, bool, bytes]]) -> list[Frame]:
    builder = FrameBuilder()
    frames = [builder.push(number, marker, float(number), payload) for number, marker, payload in packets]
    return [frame for frame in frames if frame]


def test_a_frame_in_three_packets_is_put_together_with_its_size() -> None:
    packets = [
        (1, False, described(KEY[:5])),
        (2, False, described(KEY[5:8], start=False)),
        (3, True, described(KEY[8:], start=False)),
    ]
    assert built(packets) == [Frame(3.0, True, 640, 360, KEY)]


@pytest.mark.parametrize(
    "descriptor",
    [
        b"\x10",
        b"\x90\x80\x05",
        b"\x90\x80\x85\x01",
        b"\x90\x40\x01",
        b"\x90\x20\x01",
        b"\x90\xf0\x85\x01\x07\x21",
        b"\x90\x00",
        b"\xb0\x80\x05",
    ],
)
def test_every_form_of_the_descriptor_is_taken_off(descriptor: bytes) -> None:
    assert built([(1, True, descriptor + KEY)])[0].data == KEY


def test_nothing_comes_before_the_first_keyframe() -> None:
    frames = built([(1, True, described(INTER)), (2, True, described(KEY)), (3, True, described(INTER))])
    assert [frame.data for frame in frames] == [KEY, INTER]


def test_after_a_loss_nothing_comes_before_the_next_keyframe() -> None:
    frames = built(
        [
            (1, True, described(KEY)),
            (2, True, described(INTER)),
            (4, True, described(INTER)),
            (5, True, described(INTER)),
            (6, True, described(KEY)),
            (7, True, described(INTER)),
        ]
    )
    assert [frame.t for frame in frames] == [1.0, 2.0, 6.0, 7.0]


@pytest.mark.parametrize("missing", [2, 3, 4, 5])
def test_a_frame_that_lost_any_packet_is_left_out_with_all_that_builds_on_it(missing: int) -> None:
    packets = [
        (1, True, described(KEY, picture=1)),
        (2, False, described(INTER, picture=2)),
        (3, False, described(b"more", start=False, picture=2)),
        (4, True, described(b"last", start=False, picture=2)),
        (5, True, described(INTER, picture=3)),
        (6, True, described(INTER, picture=4)),
        (7, True, described(KEY, picture=5)),
    ]
    frames = built([entry for entry in packets if entry[0] != missing])
    assert [frame.t for frame in frames] == ([1.0, 4.0, 7.0] if missing == 5 else [1.0, 7.0])


def test_a_lost_probe_between_consecutive_pictures_costs_nothing() -> None:
    packets = [
        (1, True, described(KEY, picture=0x7FFF)),
        (3, True, described(INTER, picture=0)),
        (4, True, b""),
        (5, True, described(INTER, picture=1)),
    ]
    assert len(built(packets)) == 3


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.binary(max_size=20)), max_size=40))
def test_any_payloads_give_frames_or_nothing_and_never_an_error(packets: list[tuple[int, bool, bytes]]) -> None:
    built(packets)


def test_a_frame_that_never_ends_is_let_go_and_the_next_whole_one_is_taken() -> None:
    builder = FrameBuilder()
    builder.push(0, False, 0.0, described(KEY))
    for number in range(1, 3 * LARGEST // 60_000):
        assert builder.push(number, False, 0.0, described(bytes(60_000), start=False)) is None
        assert sum(len(part) for part in builder._parts or []) <= LARGEST
    end = 3 * LARGEST // 60_000
    assert builder.push(end, True, 0.0, described(b"x", start=False)) is None
    frame = builder.push(end + 1, True, 0.0, described(KEY))
    assert frame is not None and frame.keyframe
