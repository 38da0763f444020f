"""Decodes one side of a recording for the strip, in the jail (`recordings/export/jail.py`): `python -I decoder.py`.

What a device sent is decoded here and nowhere else. It holds no key and opens no file: it asks its parent for pieces of
the side and gives back what it found, by pipe alone. Nothing of ours is imported, for nothing of ours may be read.

On stdin first the task, a line of JSON: `size` of the side in bytes; `points` and `duration` (seconds) of the curve, or
`points` 0; `stills`, a list of [number, seconds]; `tile`, [width, height]. Then whatever was asked for. On stdout
messages of a head (kind, number, length) and `length` bytes: `R` asks for `length` bytes from `number` on, and none
follow; `P` is the curve, a byte a point; `S` the still of that number, RGB; `E` the end.
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from typing import BinaryIO

import av
from PIL import Image

HEAD = struct.Struct("!cQI")
LOUDNESS_RATE = 8000
PAPER = (16, 23, 21)


class Asked:
    """The side as a file whose bytes the parent has."""

    def __init__(self, size: int, ask: BinaryIO, given: BinaryIO) -> None:
        self.size = size
        self._ask, self._given, self._at = ask, given, 0

    def read(self, length: int = -1) -> bytes:
        left = max(0, self.size - self._at)
        length = left if length < 0 else min(length, left)
        if not length:
            return b""
        self._ask.write(HEAD.pack(b"R", self._at, length))
        self._ask.flush()
        data = self._given.read(length)
        if len(data) < length:
            raise EOFError("the parent has gone")
        self._at += length
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at


def peaks(side: Asked, points: int, duration: float) -> bytes:
    """Loudness 0–255 in equal steps."""
    found = [0] * points
    with av.open(side) as film:
        if not film.streams.audio:
            return bytes(points)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=LOUDNESS_RATE)
        film.streams.audio[0].codec_context.thread_count = 1
        for frame in film.decode(audio=0):
            index = min(int((frame.time or 0.0) / max(duration, 0.001) * points), points - 1)
            for part in resampler.resample(frame):
                samples = array("h", bytes(part.planes[0])[: part.samples * 2])
                if samples:
                    found[index] = max(found[index], max(samples), -min(samples))
    return bytes(min(255, peak >> 7) for peak in found)


def stills(side: Asked, wanted: list[tuple[int, float]], tile: tuple[int, int], out: BinaryIO) -> None:
    with av.open(side) as film:
        if not film.streams.video:
            return
        stream = film.streams.video[0]
        stream.codec_context.thread_count = 1
        for number, at in wanted:
            film.seek(int(at / stream.time_base), stream=stream)
            last = None
            for frame in film.decode(stream):
                if last is not None and frame.time is not None and frame.time > at:
                    break
                last = frame
            if last is not None:
                data = fitted(last.to_image(), tile).tobytes()
                out.write(HEAD.pack(b"S", number, len(data)) + data)
                out.flush()


def fitted(picture: Image.Image, tile: tuple[int, int]) -> Image.Image:
    """Whole, never cut: a picture of another shape stands in the middle of its tile."""
    small = picture.copy()
    small.thumbnail(tile, Image.Resampling.BILINEAR)
    made = Image.new("RGB", tile, PAPER)
    made.paste(small, ((tile[0] - small.width) // 2, (tile[1] - small.height) // 2))
    return made


def main() -> None:
    given, out = sys.stdin.buffer, sys.stdout.buffer
    task = json.loads(given.readline())
    side = Asked(task["size"], out, given)
    if task["points"]:
        curve = peaks(side, task["points"], task["duration"])
        out.write(HEAD.pack(b"P", 0, len(curve)) + curve)
    if task["stills"]:
        side.seek(0)
        stills(side, [(number, at) for number, at in task["stills"]], tuple(task["tile"]), out)
    out.write(HEAD.pack(b"E", 0, 0))
    out.flush()


if __name__ == "__main__":
    main()
