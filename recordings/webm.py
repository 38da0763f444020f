"""A small WebM muxer: VP8 and Opus copied into SimpleBlocks, with duration, clusters and cues under our
control.

Ours rather than FFmpeg's because (a) duration must be that of the meeting, not of the last packet, so
that all renditions run in step, (b) cues are wanted for the sound of every cluster too, since a
participant's picture may be missing for minutes and a player must still be able to seek there, (c) FFmpeg
through PyAV costs an object and a callback a packet. The format is RFC 8794 (EBML) and RFC 9559
(Matroska), of which this uses some thirty elements.

Times are whole milliseconds. Blocks must come roughly in order (within a few seconds).
"""

from __future__ import annotations

import struct
from typing import Protocol

from recordings import opus

VIDEO = 1
AUDIO = 2
CLUSTER_MS = 4000
CLUSTER_BYTES = 4 * 1024 * 1024

_BLOCK = struct.Struct("!BIBhB")
_KEY = 0x80
_UNKNOWN_8 = b"\x01" + b"\xff" * 7


class Sink(Protocol):
    def write(self, data: bytes, /) -> int: ...

    def seek(self, offset: int, /) -> int: ...

    def tell(self) -> int: ...


def _size(length: int) -> bytes:
    for octets in range(1, 9):
        if length < (1 << 7 * octets) - 1:
            return (length | 1 << 7 * octets).to_bytes(octets, "big")
    raise ValueError("element too long")


def _element(identifier: int, body: bytes) -> bytes:
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big") + _size(len(body)) + body


def _uint(identifier: int, value: int, octets: int = 0) -> bytes:
    return _element(identifier, value.to_bytes(octets or max(1, (value.bit_length() + 7) // 8), "big"))


def _float(identifier: int, value: float) -> bytes:
    return _element(identifier, struct.pack("!d", value))


def _text(identifier: int, value: str) -> bytes:
    return _element(identifier, value.encode())


def _void(length: int) -> bytes:
    """So many bytes (9 to 128) that mean nothing."""
    return _element(0xEC, bytes(length - 2))


def _ebml_header() -> bytes:
    return _element(
        0x1A45DFA3,
        _uint(0x4286, 1)
        + _uint(0x42F7, 1)
        + _uint(0x42F2, 4)
        + _uint(0x42F3, 8)
        + _text(0x4282, "webm")
        + _uint(0x4287, 4)
        + _uint(0x4285, 2),
    )


def _info(duration_ms: float) -> bytes:
    names = _text(0x4D80, "Majlis") + _text(0x5741, "Majlis")
    return _element(0x1549A966, _uint(0x2AD7B1, 1_000_000) + _float(0x4489, duration_ms) + names)


def _tracks(width: int, height: int, *, video: bool) -> bytes:
    """Of the same length with and without a picture."""
    size = _uint(0xB0, width, 2) + _uint(0xBA, height, 2)
    tracks = _track(VIDEO, 1, "V_VP8", _element(0xE0, size))
    if not video:
        tracks = _void(len(tracks))
    delay = _uint(0x56AA, opus.PRE_SKIP * 1_000_000_000 // opus.RATE) + _uint(0x56BB, 80_000_000)
    sound = _element(0xE1, _float(0xB5, opus.RATE) + _uint(0x9F, 2))
    tracks += _track(AUDIO, 2, "A_OPUS", _element(0x63A2, opus.HEAD) + delay + sound)
    return _element(0x1654AE6B, tracks)


def _track(number: int, type_: int, codec: str, rest: bytes) -> bytes:
    no_lacing = _uint(0x9C, 0)
    head = _uint(0xD7, number) + _uint(0x73C5, number) + _uint(0x83, type_) + no_lacing
    return _element(0xAE, head + _text(0x86, codec) + rest)


def _seek_head(info: int, tracks: int, cues: int) -> bytes:
    """Positions within the segment, eight bytes each so that they can be written again in place."""
    targets = ((0x1549A966, info), (0x1654AE6B, tracks), (0x1C53BB6B, cues))
    entries = [
        _element(0x4DBB, _element(0x53AB, target.to_bytes(4, "big")) + _uint(0x53AC, position, 8))
        for target, position in targets
    ]
    return _element(0x114D9B74, b"".join(entries))


class WebmWriter:
    """There is always a track of sound, and one of pictures if any came: who writes while a call goes on can't know it
    at the start. Call `finish` at the end."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._has_video = False
        self._cues: list[tuple[int, int, bool]] = []  # ms, position in the segment, begins with a keyframe
        self._blocks: list[bytes] = []
        self._bytes = 0
        self._start = 0
        self._opens_with_key = False
        sink.write(_ebml_header() + b"\x18\x53\x80\x67")
        self._size_at = sink.tell()
        self._segment = self._size_at + 8
        sink.write(_UNKNOWN_8 + self._front(0.0, 16, 16, 0))
        self._written = sink.tell()

    def video(self, ms: int, data: bytes, *, keyframe: bool) -> None:
        self._has_video = True
        if keyframe or self._is_due(ms):
            self._open_cluster(ms, keyframe)
        self._block(VIDEO, ms, data, _KEY if keyframe else 0)

    def audio(self, ms: int, data: bytes) -> None:
        if self._is_due(ms):
            self._open_cluster(ms, False)
        self._block(AUDIO, ms, data, _KEY)

    def finish(self, duration_ms: float, width: int = 0, height: int = 0) -> None:
        """Write the index, then go back for what is only known now. The sink stays open."""
        self._close_cluster()
        cues_at = self._written - self._segment
        self._put(_element(0x1C53BB6B, b"".join(self._cue_point(*cue) for cue in self._cues)))
        end = self._written
        self._sink.seek(self._size_at)
        size = (end - self._segment | 1 << 56).to_bytes(8, "big")
        self._sink.write(size + self._front(duration_ms, width or 16, height or 16, cues_at))
        self._sink.seek(end)

    def _front(self, duration_ms: float, width: int, height: int, cues_at: int) -> bytes:
        """Of the same length whatever its values are."""
        info = _info(duration_ms)
        tracks = _tracks(width, height, video=self._has_video)
        info_at = len(_seek_head(0, 0, 0))
        return _seek_head(info_at, info_at + len(info), cues_at) + info + tracks

    def _is_due(self, ms: int) -> bool:
        return not self._blocks or ms - self._start >= CLUSTER_MS or self._bytes > CLUSTER_BYTES

    def _block(self, track: int, ms: int, data: bytes, flags: int) -> None:
        size = len(data) + 4
        self._blocks.append(_BLOCK.pack(0xA3, 0x10000000 | size, 0x80 | track, ms - self._start, flags))
        self._blocks.append(data)
        self._bytes += size + 5

    def _open_cluster(self, ms: int, keyframe: bool) -> None:
        self._close_cluster()
        self._start = ms
        self._opens_with_key = keyframe

    def _close_cluster(self) -> None:
        if self._blocks:
            self._cues.append((self._start, self._written - self._segment, self._opens_with_key))
            timestamp = _uint(0xE7, self._start, 8)
            size = _size(len(timestamp) + self._bytes)
            self._put(b"".join([b"\x1f\x43\xb6\x75", size, timestamp, *self._blocks]))
        self._blocks = []
        self._bytes = 0

    def _cue_point(self, ms: int, position: int, keyframe: bool) -> bytes:
        tracks = (VIDEO, AUDIO) if keyframe else (AUDIO,)
        places = [_element(0xB7, _uint(0xF7, track) + _uint(0xF1, position)) for track in tracks]
        return _element(0xBB, _uint(0xB3, ms) + b"".join(places))

    def _put(self, data: bytes) -> None:
        self._sink.write(data)
        self._written += len(data)
