from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import opus


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        (b"\xf8\xff\xfe", 960),
        (b"\x78rest", 960),  # what a browser sends: hybrid, 20 ms
        (b"\x79rest", 1920),
        (b"\x18rest", 2880),
        (b"\xe3\x06rest", 720),
        (b"\xe3", 0),
        (b"", 0),
        (b"\x1b\x3frest", 0),  # 63 frames of 60 ms are more than 120 ms
    ],
)
def test_the_duration_is_read_from_the_first_bytes(packet: bytes, samples: int) -> None:
    assert opus.duration(packet) == samples


@given(st.integers(0, 200_000))
def test_silence_fills_to_within_one_shortest_frame(samples: int) -> None:
    packets = opus.silence(samples)
    assert all(opus.duration(packet) == length for length, packet in packets)
    assert 0 <= samples - sum(length for length, _ in packets) < opus.UNIT


def test_concealment_lasts_one_frame_of_its_model() -> None:
    assert opus.duration(opus.conceal(b"\x7b\x83rest")) == 960
