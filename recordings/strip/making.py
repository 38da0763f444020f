"""A strip is made from the sealed sides: decoded in memory alone, one side after the other."""

from __future__ import annotations

import io
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image

from recordings.container import SealBroken
from recordings.journal import JournalReader
from recordings.journal_records import Mark
from recordings.keys import KeyRing
from recordings.sealed import SealedReader
from recordings.strip import rules
from recordings.strip.files import Strip

LOUDNESS_RATE = 8000
QUALITY = 62
Ask = Callable[[], None]  # called often; raises to stop


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
    """Decodes every side's sound and the stills' pictures. Raises SealBroken, KeyDestroyed, KeyRefused, OSError."""
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
    peaks = [0] * count
    with _open(source, keyring, owner) as sealed, av.open(sealed) as film:
        if not film.streams.audio:
            return bytes(count)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=LOUDNESS_RATE)
        film.streams.audio[0].codec_context.thread_count = 1
        for frame in film.decode(audio=0):
            ask()
            index = min(int((frame.time or 0.0) / max(duration, 0.001) * count), count - 1)
            for part in resampler.resample(frame):
                samples = array("h", bytes(part.planes[0])[: part.samples * 2])
                if samples:
                    peaks[index] = max(peaks[index], max(samples), -min(samples))
    return bytes(min(255, peak >> 7) for peak in peaks)


def _stills(
    source: Source, wanted: list[tuple[int, float]], size: tuple[int, int], keyring: KeyRing, owner: str, ask: Ask
) -> Iterator[tuple[int, Image.Image]]:
    if not wanted:
        return
    with _open(source, keyring, owner) as sealed, av.open(sealed) as film:
        if not film.streams.video:
            return
        stream = film.streams.video[0]
        stream.codec_context.thread_count = 1
        for number, at in wanted:
            film.seek(int(at / stream.time_base), stream=stream)
            last = None
            for frame in film.decode(stream):
                ask()
                if last is not None and frame.time is not None and frame.time > at:
                    break
                last = frame
            if last is not None:
                yield number, _fitted(last.to_image(), size)


def _fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Whole, never cut: a picture of another shape stands in the middle of its tile."""
    small = picture.copy()
    small.thumbnail(size, Image.Resampling.BILINEAR)
    tile = Image.new("RGB", size, (16, 23, 21))
    tile.paste(small, ((size[0] - small.width) // 2, (size[1] - small.height) // 2))
    return tile


def _sprite(tiles: dict[int, Image.Image], count: int, size: tuple[int, int]) -> bytes:
    if not count:
        return b""
    rows = -(-count // rules.COLUMNS)
    sheet = Image.new("RGB", (rules.COLUMNS * size[0], rows * size[1]), (16, 23, 21))
    for number, picture in tiles.items():
        row, column = divmod(number, rules.COLUMNS)
        sheet.paste(picture, (column * size[0], row * size[1]))
    out = io.BytesIO()
    sheet.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()
