"""RTP read and rewritten as bytes: RFC 3550 §5.1 (header), RFC 8285 (extensions), RFC 4588 (retransmission).

A forwarder touches every packet, so nothing here builds objects: functions take the plain packet and answer
with numbers, offsets or new bytes. All legs use the same payload types and extension ids (see `sdp`), hence
the constants.
"""

from __future__ import annotations

import struct

OPUS = 111
VP8 = 96
VP8_RTX = 97

AUDIO_LEVEL_ID = 1
TWCC_ID = 3

HEADER_SIZE = 12
CLOCK_RATES = {"audio": 48_000, "video": 90_000}

NUMBER_AND_SSRC = struct.Struct("!2xH4xI").unpack_from
"""Sequence number and SSRC in one step, for the hot path; raises struct.error for less than a header."""
_U16 = struct.Struct("!H")
_U32 = struct.Struct("!I")


def looks_sound(packet: bytes) -> bool:
    """Whether the fixed header, the contributing sources and the extension fit into the packet."""
    return len(packet) >= HEADER_SIZE and packet[0] >> 6 == 2 and payload_at(packet) >= 0


def sequence(packet: bytes) -> int:
    return packet[2] << 8 | packet[3]


def timestamp(packet: bytes) -> int:
    return int.from_bytes(packet[4:8], "big")


def ssrc(packet: bytes) -> int:
    return int.from_bytes(packet[8:12], "big")


def payload_at(packet: bytes) -> int:
    """Offset of the payload, -1 where the header runs past the end."""
    at = HEADER_SIZE + 4 * (packet[0] & 0x0F)
    size = len(packet)
    if packet[0] & 0x10:
        if at + 4 > size:
            return -1
        at += 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
    return at if at <= size else -1


def padding_of(packet: bytes) -> int:
    """Bytes of padding at the end, 0 where there is none (RFC 3550 §5.1: the last byte counts itself)."""
    return packet[-1] if packet[0] & 0x20 else 0


def extension_at(packet: bytes, wanted: int) -> int:
    """Offset of the first data byte of a one-byte extension element, -1 where the packet has none.

    Two-byte headers are not looked into: the offer leaves `extmap-allow-mixed` out, so no peer sends them.
    """
    if not packet[0] & 0x10:
        return -1
    at = HEADER_SIZE + 4 * (packet[0] & 0x0F)
    size = len(packet)
    if at + 4 > size or packet[at] != 0xBE or packet[at + 1] != 0xDE:
        return -1
    end = min(size, at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3]))
    at += 4
    while at < end:
        head = packet[at]
        if head == 0:
            at += 1
            continue
        identity = head >> 4
        if identity == 15:
            return -1
        length = (head & 0x0F) + 1
        if identity == wanted:
            return at + 1 if at + 1 + length <= end else -1
        at += 1 + length
    return -1


def transport_sequence(packet: bytes) -> int:
    """The transport-wide sequence number of the packet, -1 where it carries none."""
    at = _counted_at(packet)
    return packet[at] << 8 | packet[at + 1] if at > 0 else -1


def _counted_at(packet: bytes) -> int:
    """Offset of the transport-wide number; an element of another size is none, and writing there would hit what
    follows.
    """
    at = extension_at(packet, TWCC_ID)
    return at if at > 0 and packet[at - 1] & 0x0F == 1 else -1


def with_transport_sequence(packet: bytes, number: int) -> bytes:
    """The packet counted anew for another transport; unchanged where it carries no number."""
    at = _counted_at(packet)
    if at < 0:
        return packet
    return packet[:at] + _U16.pack(number) + packet[at + 2 :]


def without_transport_sequence(packet: bytes) -> bytes:
    """The element overwritten with padding bytes (RFC 8285 §4.2), so that a packet sent again is not counted
    twice.
    """
    at = _counted_at(packet)
    if at < 0:
        return packet
    return packet[: at - 1] + b"\0\0\0" + packet[at + 2 :]


def unwrap_rtx(packet: bytes, media_ssrc: int, payload_type: int) -> bytes | None:
    """The original packet out of a retransmission; None for one that carries only padding (RFC 4588 §4)."""
    at = payload_at(packet)
    if at < 0 or len(packet) - padding_of(packet) - at < 2:
        return None
    head = bytearray(packet[:at])
    head[1] = packet[1] & 0x80 | payload_type
    head[2:4] = packet[at : at + 2]
    head[8:12] = _U32.pack(media_ssrc)
    return bytes(head) + packet[at + 2 :]


def wrap_rtx(packet: bytes, original: int, number: int, rtx_ssrc: int, payload_type: int) -> bytes | None:
    """A retransmission of a packet: `original` is the sequence number as the receiver knows it."""
    at = payload_at(packet)
    if at < 0:
        return None
    head = bytearray(packet[:at])
    head[1] = packet[1] & 0x80 | payload_type
    head[2:4] = _U16.pack(number)
    head[8:12] = _U32.pack(rtx_ssrc)
    return bytes(head) + _U16.pack(original) + packet[at:]


def moved(packet: bytes, out_ssrc: int, out_sequence: int, out_timestamp: int) -> bytes:
    """The packet under another identity; the bytes of extensions and payload stay as they are."""
    return (
        packet[:2]
        + _U16.pack(out_sequence & 0xFFFF)
        + _U32.pack(out_timestamp & 0xFFFFFFFF)
        + _U32.pack(out_ssrc)
        + packet[12:]
    )


def is_vp8_keyframe(packet: bytes) -> bool:
    """Whether the packet starts a key frame (RFC 7741 §4.2 and §4.3: S bit, partition 0, P bit clear)."""
    at = payload_at(packet)
    size = len(packet)
    if at < 0 or at >= size or packet[at] & 0x17 != 0x10:
        return False
    extended = packet[at] & 0x80
    at += 1
    if extended:
        if at >= size:
            return False
        flags = packet[at]
        at += 1
        if flags & 0x80:
            if at >= size:
                return False
            at += 2 if packet[at] & 0x80 else 1
        at += (1 if flags & 0x40 else 0) + (1 if flags & 0x30 else 0)
    return at < size and not packet[at] & 0x01
