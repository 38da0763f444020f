"""RTCP walked and written as bytes: RFC 3550 §6, RFC 4585 (NACK, PLI), draft-alvestrand-rmcat-remb.

Parsing into objects and serialising again loses what the library doesn't know, so sub-packets are sliced out
and only the fields that must change are replaced. Input comes from the wire: whatever doesn't fit is left
out, nothing raises.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

SR, RR, SDES, BYE, RTPFB, PSFB = 200, 201, 202, 203, 205, 206
NACK, TWCC = 1, 15
PLI, FIR, APP = 1, 4, 15

MOST = 16
"""Sub-packets of a compound that are looked at: browsers put five together, and each may cost a packet to someone."""
SR_SIZE = 28
"""Bytes of a sender report without blocks."""
OWN_SSRC = 1
"""The forwarder's own identity in what it sends upstream."""

_HEAD = struct.Struct("!BBHI")
_FEEDBACK = struct.Struct("!BBHII")
_BLOCK = struct.Struct("!IIIIII")
_PAIR = struct.Struct("!HH")
_U32 = struct.Struct("!I")


class Block(NamedTuple):
    """One report block; `lost` is fraction (8 bits) and cumulative count (24 bits) as they came."""

    ssrc: int
    lost: int
    highest: int
    jitter: int
    last_sr: int
    delay: int

    @property
    def fraction(self) -> float:
        return (self.lost >> 24) / 256


def is_rtcp(packet: bytes) -> bool:
    """RFC 5761 §4: the second byte of RTCP is 192–223 where RTP would have marker and payload type."""
    return len(packet) >= 2 and 192 <= packet[1] <= 223


def walk(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(packet type, count or format, sub-packet) of everything sound; stops at the first that isn't, and at `MOST`."""
    at, size = 0, len(compound)
    for _ in range(MOST):
        if at + 8 > size:
            return
        if compound[at] >> 6 != 2:
            return
        end = at + 4 + 4 * (compound[at + 2] << 8 | compound[at + 3])
        if end > size or end < at + 8:
            return
        yield compound[at + 1], compound[at] & 0x1F, compound[at:end]
        at = end


def sender_of(packet: bytes) -> int:
    return _U32.unpack_from(packet, 4)[0]


def media_of(packet: bytes) -> int:
    """The stream that feedback is about; 0 where the packet is too short to say."""
    return _U32.unpack_from(packet, 8)[0] if len(packet) >= 12 else 0


def blocks(kind: int, count: int, packet: bytes) -> Iterator[Block]:
    """The report blocks of an SR or RR."""
    at = SR_SIZE if kind == SR else 8
    for _ in range(count):
        if at + 24 > len(packet):
            return
        yield Block(*_BLOCK.unpack_from(packet, at))
        at += 24


def moved_sr(packet: bytes, ssrc: int, timestamp_offset: int) -> bytes | None:
    """A sender report under another identity and without report blocks; the wall clock stays the
    publisher's.
    """
    if len(packet) < SR_SIZE:
        return None
    stamp = (_U32.unpack_from(packet, 16)[0] + timestamp_offset) & 0xFFFFFFFF
    return _HEAD.pack(0x80, SR, 6, ssrc) + packet[8:16] + _U32.pack(stamp) + packet[20:28]


def sr_middle(packet: bytes) -> int:
    """The middle 32 bits of the NTP stamp, which a receiver echoes as "last SR"."""
    return int.from_bytes(packet[10:14], "big") if len(packet) >= SR_SIZE else 0


def rr(reports: Iterable[Block], sender: int = OWN_SSRC) -> bytes:
    body = [_BLOCK.pack(*block) for block in reports][:31]
    return _HEAD.pack(0x80 | len(body), RR, 1 + 6 * len(body), sender) + b"".join(body)


def readdressed(packet: bytes, media: int, sender: int = OWN_SSRC) -> bytes:
    """Feedback about another stream: both SSRCs replaced, the rest raw."""
    return packet[:4] + _U32.pack(sender) + _U32.pack(media) + packet[12:]


def pli(media: int) -> bytes:
    return _FEEDBACK.pack(0x80 | PLI, PSFB, 2, OWN_SSRC, media)


def nack(media: int, numbers: Iterable[int]) -> bytes:
    """A generic NACK (RFC 4585 §6.2.1) of the sequence numbers, 17 at most to a pair."""
    pairs: list[tuple[int, int]] = []
    for number in numbers:
        if pairs:
            first, mask = pairs[-1]
            gap = (number - first) & 0xFFFF
            if 1 <= gap <= 16:
                pairs[-1] = (first, mask | 1 << (gap - 1))
                continue
        pairs.append((number, 0))
    body = b"".join(_PAIR.pack(*pair) for pair in pairs)
    return _FEEDBACK.pack(0x80 | NACK, RTPFB, 2 + len(pairs), OWN_SSRC, media) + body


def nacked(packet: bytes) -> Iterator[int]:
    """The sequence numbers asked for."""
    for at in range(12, len(packet) - 3, 4):
        first, mask = _PAIR.unpack_from(packet, at)
        yield first
        for bit in range(16):
            if mask >> bit & 1:
                yield (first + bit + 1) & 0xFFFF


def remb(bits_per_second: int, streams: list[int]) -> bytes:
    """A receiver's estimate: caps what the publisher sends of these streams."""
    exponent = max(0, bits_per_second.bit_length() - 18)
    mantissa = bits_per_second >> exponent
    body = b"REMB" + bytes([len(streams), exponent << 2 | mantissa >> 16]) + struct.pack("!H", mantissa & 0xFFFF)
    body += b"".join(_U32.pack(stream) for stream in streams)
    return _FEEDBACK.pack(0x80 | APP, PSFB, 2 + len(body) // 4, OWN_SSRC, 0) + body


def remb_bitrate(packet: bytes) -> int | None:
    if len(packet) < 20 or packet[12:16] != b"REMB":
        return None
    return ((packet[17] & 0x03) << 16 | packet[18] << 8 | packet[19]) << (packet[17] >> 2)
