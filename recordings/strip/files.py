"""Two sealed files beside a recording's sides: the journal's marks (JSON), so that a page need not walk a journal of
gigabytes for what was written in it; and the strip: a length (4 bytes), JSON, and one WebP with all stills.

They can be made again at any time, so the manifest doesn't name them.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from recordings import container
from recordings.journal_records import Mark
from recordings.keys import KeyRing
from recordings.sealed import SealedWriter

MARKS, STRIP = "marks.sealed", "strip.sealed"


class Sealed(Protocol):
    @property
    def size(self) -> int: ...
    def read_at(self, offset: int, length: int) -> bytes: ...


_LENGTH = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Strip:
    """`peaks`: for each side, loudness 0–255 in equal steps over the whole length. `stills`: a WebP of tiles in rows of
    `columns`; the n-th shows `moments[n]`, unless n is in `blank`."""

    peaks: dict[str, bytes]
    moments: tuple[float, ...]
    blank: tuple[int, ...]
    columns: int
    tile: tuple[int, int]
    stills: bytes


def write_marks(folder: Path, marks: Sequence[Mark], keyring: KeyRing) -> None:
    """`folder` is the recording's."""
    _seal(folder, MARKS, json.dumps([[m.at, m.kind, m.data] for m in marks], ensure_ascii=False).encode(), keyring)


def marks_of(sealed: Sealed) -> list[Mark]:
    return [Mark(at, kind, data) for at, kind, data in json.loads(sealed.read_at(0, sealed.size))]


def write_strip(folder: Path, strip: Strip, keyring: KeyRing) -> None:
    head = json.dumps(
        {
            "peaks": {side: base64.b64encode(values).decode() for side, values in strip.peaks.items()},
            "moments": [round(at, 2) for at in strip.moments],
            "blank": strip.blank,
            "columns": strip.columns,
            "tile": strip.tile,
        }
    ).encode()
    _seal(folder, STRIP, _LENGTH.pack(len(head)) + head + strip.stills, keyring)


def head_of(sealed: Sealed) -> dict[str, Any]:
    """What the page needs to draw with: all but the pictures."""
    (length,) = _LENGTH.unpack(sealed.read_at(0, _LENGTH.size))
    head: dict[str, Any] = json.loads(sealed.read_at(_LENGTH.size, length))
    return head


def stills_of(sealed: Sealed) -> bytes:
    """A WebP; empty where there never was a picture."""
    (length,) = _LENGTH.unpack(sealed.read_at(0, _LENGTH.size))
    return sealed.read_at(_LENGTH.size + length, sealed.size)


def _seal(folder: Path, name: str, data: bytes, keyring: KeyRing) -> None:
    header = container.read_header(folder / "journal")
    data_key = header.data_key(keyring)
    with SealedWriter(folder / name, keyring, owner=header.owner, data_key=data_key) as sealed:
        sealed.write(data)
