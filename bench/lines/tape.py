"""What a recording lacks: holes in the numbering of its packets, after everything that was repaired."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from recordings.journal import JournalReader
from recordings.keys import FileKeyRing

CLOCK = {"audio": 48_000, "video": 90_000}
FRAME_S = 1 / 30
Packet = tuple[float, int, int]
"""When it was written, its number and its stamp."""


@dataclass(frozen=True)
class Hole:
    packets: int
    seconds: float
    """Between the stamps at its edges; 0 where both edges belong to one picture."""


@dataclass(frozen=True)
class Track:
    """One stream of one leg as it was recorded."""

    participant: str
    kind: str
    packets: int
    holes: tuple[Hole, ...]

    @property
    def missing(self) -> int:
        return sum(hole.packets for hole in self.holes)


def holes(packets: Iterable[Packet], kind: str) -> tuple[Hole, ...]:
    """Packets may be given late and out of order, and more than once."""
    stamps: dict[int, int] = {}
    highest: int | None = None
    for _, number, stamp in packets:
        highest = number if highest is None else highest
        whole = highest + (number - highest + 0x8000) % 0x10000 - 0x8000
        highest = max(highest, whole)
        stamps[whole] = stamp
    found = []
    numbers = sorted(stamps)
    for before, after in pairwise(numbers):
        if after - before > 1:
            seconds = ((stamps[after] - stamps[before]) & 0xFFFFFFFF) / CLOCK[kind]
            found.append(Hole(after - before - 1, seconds))
    return tuple(found)


def read(path: Path, key: Path) -> tuple[list[Track], bool]:
    """Every stream of a journal, and whether it was ended in order."""
    streams: dict[int, list[Packet]] = {}
    with JournalReader(path, FileKeyRing(key)) as journal:
        for leg, at, packet in journal.packets():
            if not 192 <= packet[1] <= 223:
                number, stamp = packet[2] << 8 | packet[3], int.from_bytes(packet[4:8], "big")
                streams.setdefault(leg, []).append((at, number, stamp))
        tracks = []
        for leg, packets in streams.items():
            declared = journal.legs[leg][0]
            found = holes(packets, declared.kind)
            tracks.append(Track(declared.participant_id, declared.kind, len(packets), found))
        return tracks, journal.finished
