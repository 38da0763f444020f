"""VP8 frames out of RTP payloads (RFC 7741), without decoding: whole frames only, beginning with a keyframe.

After a loss nothing is passed on until the next keyframe: in a record of what was said and seen, a
picture that stands still is honest, one that a decoder patched together is not.
"""

from __future__ import annotations

from typing import NamedTuple

LARGEST = 8 << 20
"""Octets of a frame. One that never ends (its sender sets no marker) must not fill the memory of who remuxes it."""


class Frame(NamedTuple):
    t: float
    keyframe: bool
    width: int  # 0 unless a keyframe
    height: int
    data: bytes


class FrameBuilder:
    """Takes packets in order; `sequence` is extended (never wraps), so that a hole in it is a loss."""

    def __init__(self) -> None:
        self._parts: list[bytes] | None = None  # None: not inside a frame that can still become whole
        self._octets = 0  # of the parts
        self._due = -1
        self._between = False  # the last packet ended a frame
        self._picture = -1
        self._hole = False
        self._need_keyframe = True
        self.lost_frames = 0

    def push(self, sequence: int, marker: bool, t: float, payload: bytes) -> Frame | None:
        if sequence != self._due:
            self._hole = True
            self._parts = None
        self._due = sequence + 1
        if not payload:
            return None  # a probe for bandwidth
        start, offset, picture = _descriptor(payload)
        if offset >= len(payload):
            return None
        if start:
            if self._hole and not (self._between and _follows(self._picture, picture)):
                self._need_keyframe = True
            self._hole = False
            self._parts, self._octets = [], 0
            self._picture = picture
        self._between = marker
        if self._parts is None:
            if marker:
                self._need_keyframe = True
                self.lost_frames += 1
            return None
        self._octets += len(payload) - offset
        if self._octets > LARGEST:
            self._parts = None
            self._need_keyframe = True
            return None
        self._parts.append(payload[offset:])
        return self._finish(t) if marker else None

    def _finish(self, t: float) -> Frame | None:
        parts, self._parts = self._parts or [], None
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        if data[0] & 1:  # RFC 6386 section 9.1: the inverse key-frame flag
            if self._need_keyframe:
                self.lost_frames += 1
                return None
            return Frame(t, False, 0, 0, data)
        if len(data) < 10 or data[3:6] != b"\x9d\x01\x2a":
            self._need_keyframe = True
            return None
        self._need_keyframe = False
        width = int.from_bytes(data[6:8], "little") & 0x3FFF
        height = int.from_bytes(data[8:10], "little") & 0x3FFF
        return Frame(t, True, width, height, data)


def _descriptor(payload: bytes) -> tuple[bool, int, int]:
    """(this packet begins a frame, where VP8 data starts, picture id or -1); RFC 7741 section 4.2."""
    first = payload[0]
    start = first & 0x17 == 0x10  # S set, partition 0
    if not first & 0x80:
        return start, 1, -1
    size = len(payload)
    if size < 3:
        return start, size, -1
    flags, offset, picture = payload[1], 2, -1
    if flags & 0x80:
        picture = payload[2]
        offset = 3
        if picture & 0x80 and size > 3:
            picture = (picture & 0x7F) << 8 | payload[3]
            offset = 4
    offset += bool(flags & 0x40) + bool(flags & 0x30)
    return start, offset, picture


def _follows(before: int, after: int) -> bool:
    """Numbers missing between two whole frames with consecutive picture ids were probes, not pictures."""
    return before >= 0 and after in (before + 1, (before + 1) & 0x7F, (before + 1) & 0x7FFF) and after != before
