from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.media import rtcp
from video.media.rtcp import Block

u32 = st.integers(0, 2**32 - 1)
block = st.builds(Block, u32, u32, u32, u32, u32, u32)


def sender_report(ssrc: int, stamp: int = 900, reports: list[Block] | None = None) -> bytes:
    reports = reports or []
    head = struct.pack("!BBHI", 0x80 | len(reports), rtcp.SR, 6 + 6 * len(reports), ssrc)
    body = struct.pack("!IIIII", 0x11112222, 0x33334444, stamp, 5, 600)
    return head + body + b"".join(struct.pack("!IIIIII", *one) for one in reports)


@given(st.lists(block, max_size=31))
def test_report_blocks_come_back_as_they_were_written(blocks: list[Block]) -> None:
    ((kind, count, packet),) = rtcp.walk(rtcp.rr(blocks))
    assert list(rtcp.blocks(kind, count, packet)) == blocks


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=60, unique=True))
def test_exactly_the_missing_numbers_are_asked_for(numbers: list[int]) -> None:
    ((kind, form, packet),) = rtcp.walk(rtcp.nack(7, numbers))
    assert (kind, form, rtcp.media_of(packet)) == (rtcp.RTPFB, rtcp.NACK, 7)
    assert set(rtcp.nacked(packet)) == set(numbers)


def test_a_run_of_seventeen_needs_one_pair_even_across_the_wrap() -> None:
    assert len(rtcp.nack(7, [(0xFFF8 + index) & 0xFFFF for index in range(17)])) == 16


def test_a_compound_is_walked_and_ends_at_the_first_nonsense() -> None:
    compound = sender_report(1) + rtcp.pli(2) + b"\x00\x01"
    assert [kind for kind, _, _ in rtcp.walk(compound)] == [rtcp.SR, rtcp.PSFB]
    cut = rtcp.pli(2)[:-1]
    assert list(rtcp.walk(cut)) == []


def test_a_moved_sender_report_keeps_the_wall_clock_and_drops_the_blocks() -> None:
    report = sender_report(1, stamp=2**32 - 10, reports=[Block(1, 2, 3, 4, 5, 6)])
    moved = rtcp.moved_sr(report, 0xD1, 20)
    assert moved is not None
    ((kind, count, packet),) = rtcp.walk(moved)
    assert (kind, count, rtcp.sender_of(packet)) == (rtcp.SR, 0, 0xD1)
    assert packet[8:16] == report[8:16] and packet[20:28] == report[20:28]
    assert struct.unpack_from("!I", packet, 16)[0] == 10
    assert rtcp.sr_middle(moved) == 0x22223333


@given(st.integers(1, 2**31))
def test_a_cap_survives_with_the_precision_it_has(bits: int) -> None:
    packet = rtcp.remb(bits, [5, 6])
    (parts,) = rtcp.walk(packet)
    value = rtcp.remb_bitrate(parts[2])
    assert value is not None and value <= bits and bits - value <= bits / 2**17
    assert packet[-8:] == struct.pack("!II", 5, 6)


@pytest.mark.parametrize("make", [rtcp.pli(3), rtcp.nack(3, [4])])
def test_readdressed_feedback_changes_only_its_addresses(make: bytes) -> None:
    moved = rtcp.readdressed(make, 9, 8)
    assert (rtcp.sender_of(moved), rtcp.media_of(moved)) == (8, 9)
    assert moved[:4] == make[:4] and moved[12:] == make[12:]


@given(st.binary(max_size=120))
def test_nothing_from_the_wire_raises(data: bytes) -> None:
    rtcp.is_rtcp(data)
    for kind, count, packet in rtcp.walk(data):
        assert len(packet) >= 8
        list(rtcp.blocks(kind, count, packet))
        list(rtcp.nacked(packet))
        rtcp.sender_of(packet)
        rtcp.media_of(packet)
        rtcp.moved_sr(packet, 1, 2)
        rtcp.remb_bitrate(packet)
        rtcp.sr_middle(packet)


def test_a_compound_of_hundreds_is_not_worked_through() -> None:
    assert len(list(rtcp.walk(rtcp.pli(1) * 100))) == rtcp.MOST
