from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.media import rtp

Make = Callable[..., bytes]
numbers = st.integers(0, 0xFFFF)


def test_the_fixed_header_is_read(packet: Make) -> None:
    made = packet(4711, ssrc=0xCAFEBABE, stamp=123456)
    assert (rtp.sequence(made), rtp.timestamp(made), rtp.ssrc(made)) == (4711, 123456, 0xCAFEBABE)


@pytest.mark.parametrize("csrcs", [0, 3])
@pytest.mark.parametrize("transport", [None, 9])
def test_the_payload_begins_after_sources_and_extension(packet: Make, csrcs: int, transport: int | None) -> None:
    made = packet(1, csrcs=csrcs, transport=transport, body=b"BODY")
    assert made[rtp.payload_at(made) :] == b"BODY"
    assert rtp.looks_sound(made)


@given(first=numbers, second=numbers)
def test_the_transport_number_is_read_replaced_and_blanked(make: Make, first: int, second: int) -> None:
    made = make(1, transport=first)
    assert rtp.transport_sequence(made) == first
    changed = rtp.with_transport_sequence(made, second)
    assert rtp.transport_sequence(changed) == second and len(changed) == len(made)
    blank = rtp.without_transport_sequence(made)
    assert rtp.transport_sequence(blank) == -1 and len(blank) == len(made)
    assert blank[rtp.extension_at(blank, rtp.AUDIO_LEVEL_ID)] == 0x7F


def test_a_packet_without_extension_is_left_alone(packet: Make) -> None:
    made = packet(1)
    assert rtp.transport_sequence(made) == -1
    assert rtp.with_transport_sequence(made, 5) is made
    assert rtp.without_transport_sequence(made) is made


@given(number=numbers, original=numbers, stamp=st.integers(0, 2**32 - 1), marker=st.booleans())
def test_a_retransmission_unwraps_to_the_packet_it_stands_for(
    make: Make, number: int, original: int, stamp: int, marker: bool
) -> None:
    made = make(original, stamp=stamp, transport=3, marker=marker)
    wrapped = rtp.wrap_rtx(made, original, number, 0xB0000001, rtp.VP8_RTX)
    assert wrapped is not None
    assert (rtp.sequence(wrapped), rtp.ssrc(wrapped), wrapped[1] & 0x7F) == (number, 0xB0000001, rtp.VP8_RTX)
    assert rtp.unwrap_rtx(wrapped, rtp.ssrc(made), rtp.VP8) == made


def test_a_retransmission_of_padding_alone_stands_for_nothing(packet: Make) -> None:
    made = bytearray(packet(1, kind=rtp.VP8_RTX, body=b"\0" * 7 + b"\x08"))
    made[0] |= 0x20
    assert rtp.unwrap_rtx(bytes(made), 1, rtp.VP8) is None


def test_a_moved_packet_keeps_everything_but_its_identity(packet: Make) -> None:
    made = packet(10, stamp=20, transport=30)
    moved = rtp.moved(made, 0xD0000001, 0x1_0005, 2**32 + 7)
    assert (rtp.sequence(moved), rtp.timestamp(moved), rtp.ssrc(moved)) == (5, 7, 0xD0000001)
    assert moved[:2] == made[:2] and moved[12:] == made[12:]


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b"\x10\x00", True),
        (b"\x10\x01", False),
        (b"\x00\x00", False),
        (b"\x90\xe0\x80\x01\x02\x03\x00", True),  # 15-bit picture id, TL0PICIDX, TID
        (b"\x90\x80\x01\x00", True),
        (b"\x90\x80\x01\x01", False),
        (b"\x11\x00", False),
        (b"\x90", False),
        (b"", False),
    ],
)
def test_a_key_frame_is_known_by_its_first_packet(packet: Make, body: bytes, key: bool) -> None:
    assert rtp.is_vp8_keyframe(packet(1, body=body)) is key


def test_identity_fifteen_ends_the_elements() -> None:
    head = b"\x90\x60" + bytes(10) + b"\xbe\xde\x00\x01"
    assert rtp.transport_sequence(head + b"\x00\x31\x00\x07") == 7
    assert rtp.transport_sequence(head + b"\xf0\x31\x00\x07") == -1


@given(st.binary(min_size=12, max_size=80))
def test_nothing_from_the_wire_raises(data: bytes) -> None:
    rtp.looks_sound(data)
    rtp.payload_at(data)
    rtp.transport_sequence(data)
    assert len(rtp.with_transport_sequence(data, 1)) == len(data)
    assert len(rtp.without_transport_sequence(data)) == len(data)
    rtp.unwrap_rtx(data, 1, rtp.VP8)
    rtp.wrap_rtx(data, 1, 2, 3, rtp.VP8_RTX)
    rtp.is_vp8_keyframe(data)


def test_an_element_of_another_size_is_no_transport_number_and_nothing_behind_it_is_touched() -> None:
    for elements in (b"\x00\x00\x30\x07", b"\x30\x07\x10\x7f", b"\x32\x01\x02\x03"):
        made = b"\x90\x60\x00\x01" + bytes(8) + b"\xbe\xde\x00\x01" + elements + b"\x10picture"
        assert rtp.transport_sequence(made) == -1
        assert rtp.with_transport_sequence(made, 9) == made == rtp.without_transport_sequence(made)
