"""A strip is made from the sealed sides, one after the other: opened here, decoded in the jail, never on a disk."""

from __future__ import annotations

import io
import json
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from recordings.container import SealBroken
from recordings.export import jail
from recordings.journal import JournalReader
from recordings.journal_records import Mark
from recordings.keys import KeyRing
from recordings.sealed import SealedReader
from recordings.strip import decoder, rules
from recordings.strip.files import Strip

QUALITY = 62
MEMORY = 1 << 31  # bytes of address space: libraries and two pictures of full HD
SILENCE_S = 120.0  # of a decoder that neither asks nor answers
MESSAGE = 1 << 22  # bytes; no still and no curve is longer
Ask = Callable[[], None]  # called often; raises to stop


class NotDecoded(Exception):
    """The decoder came to no end with a side: what the device sent is no film, or it died of it."""


@dataclass(frozen=True, slots=True)
class Source:
    """One side to draw."""

    id: str
    path: Path
    width: int
    height: int
    has_audio: bool
    has_video: bool
    gaps: Sequence[Sequence[object]]


def draw(sides: Sequence[Source], duration: float, keyring: KeyRing, *, owner: str, ask: Ask = lambda: None) -> Strip:
    """Decodes every side's sound and the stills' pictures.

    Raises NotDecoded, SealBroken, KeyDestroyed, KeyRefused, OSError.
    """
    peaks = {s.id: _peaks(s, duration, keyring, owner, ask) for s in sides if s.has_audio}
    shown = sorted((s for s in sides if s.has_video), key=lambda s: s.width * s.height, reverse=True)
    size = rules.tile(shown[0].width, shown[0].height) if shown else rules.tile(4, 3)
    moments = rules.moments(duration) if shown else []
    tiles: dict[int, Image.Image] = {}
    for source in shown:  # the largest picture first; where it is dark, the next one's
        wanted = [
            (n, at) for n, at in enumerate(moments) if n not in tiles and not rules.missing(source.gaps, "video", at)
        ]
        tiles.update(_stills(source, wanted, size, keyring, owner, ask))
    blank = tuple(n for n in range(len(moments)) if n not in tiles)
    return Strip(peaks, tuple(moments), blank, rules.COLUMNS, size, _sprite(tiles, len(moments), size))


def read_marks(journal: Path, recording_id: str, keyring: KeyRing) -> list[Mark]:
    """All marks of a journal. Raises SealBroken (also for another recording's journal), BadRecord, OSError."""
    with JournalReader(journal, keyring) as reader:
        if reader.meta.recording_id != recording_id:
            raise SealBroken("the journal is that of another recording")
        deque(reader.raw(), maxlen=0)
        return reader.marks


def _open(source: Source, keyring: KeyRing, owner: str) -> SealedReader:
    sealed = SealedReader(source.path, keyring)
    if sealed.header.owner != owner:
        sealed.close()
        raise SealBroken(f"{source.path.name} is that of another recording")
    return sealed


def _peaks(source: Source, duration: float, keyring: KeyRing, owner: str, ask: Ask) -> bytes:
    count = rules.points(duration)
    with _open(source, keyring, owner) as sealed:
        task = {"points": count, "duration": duration, "stills": [], "tile": [0, 0]}
        found = next((data for kind, _, data in _decoded(sealed, task, duration, ask) if kind == b"P"), b"")
    if len(found) != count:
        raise NotDecoded("a curve of another length")
    return found


def _stills(
    source: Source, wanted: list[tuple[int, float]], size: tuple[int, int], keyring: KeyRing, owner: str, ask: Ask
) -> Iterator[tuple[int, Image.Image]]:
    if not wanted:
        return
    asked = {number for number, _ in wanted}
    with _open(source, keyring, owner) as sealed:
        task = {"points": 0, "duration": 0.0, "stills": wanted, "tile": size}
        for kind, number, data in _decoded(sealed, task, wanted[-1][1], ask):
            if kind != b"S" or number not in asked or len(data) != size[0] * size[1] * 3:
                raise NotDecoded("a still that nobody asked for")
            yield number, Image.frombytes("RGB", size, data)


def _decoded(
    sealed: SealedReader, task: dict[str, object], seconds: float, ask: Ask
) -> Iterator[tuple[bytes, int, bytes]]:
    """What the decoder says of one side, while it is given what it asks for. It is believed in nothing."""
    limits = {
        "nice": 0,
        "memory": MEMORY,
        "cpu": 60 + int(seconds),
        "files": 64,
        "read": [sys.prefix, os.path.realpath(sys.base_prefix), decoder.__file__],
    }
    line = [sys.executable, "-I", "-S", jail.__file__, json.dumps(limits), sys.executable, "-I", decoder.__file__]
    with subprocess.Popen(
        line, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, process_group=0,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        give, said = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(give, False)
        try:
            _give(give, json.dumps({**task, "size": sealed.size}).encode() + b"\n", ask)
            while True:
                kind, number, length = decoder.HEAD.unpack(_heard(said, decoder.HEAD.size, ask))
                if length > MESSAGE:
                    raise NotDecoded("more than fits a side")
                if kind == b"E":
                    return
                if kind == b"R":
                    _give(give, sealed.read_at(number, length), ask)
                else:
                    yield kind, number, _heard(said, length, ask)
        except BrokenPipeError as error:
            raise NotDecoded("the decoder has gone") from error
        finally:
            process.kill()


def _give(descriptor: int, data: bytes, ask: Ask) -> None:
    left = memoryview(data)
    while left:
        _wait(descriptor, selectors.EVENT_WRITE, ask)
        left = left[os.write(descriptor, left) :]


def _heard(descriptor: int, length: int, ask: Ask) -> bytes:
    """Exactly `length` bytes."""
    data = bytearray()
    while len(data) < length:
        _wait(descriptor, selectors.EVENT_READ, ask)
        piece = os.read(descriptor, length - len(data))
        if not piece:
            raise NotDecoded("the decoder has gone")
        data += piece
    return bytes(data)


def _wait(descriptor: int, event: int, ask: Ask) -> None:
    """Until there is something to read, or room to write; `ask` is called meanwhile."""
    silent, step = 0.0, min(1.0, SILENCE_S / 2)
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, event)
        ask()
        while not selector.select(step):
            ask()
            silent += step
            if silent >= SILENCE_S:
                raise NotDecoded("the decoder fell silent")


def _sprite(tiles: dict[int, Image.Image], count: int, size: tuple[int, int]) -> bytes:
    if not count:
        return b""
    rows = -(-count // rules.COLUMNS)
    sheet = Image.new("RGB", (rules.COLUMNS * size[0], rows * size[1]), decoder.PAPER)
    for number, picture in tiles.items():
        row, column = divmod(number, rules.COLUMNS)
        sheet.paste(picture, (column * size[0], row * size[1]))
    out = io.BytesIO()
    sheet.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()
