"""Whether a journal is whole: it ends, its chain holds to the last byte, its key opens it, no picture is missing."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from recordings.container import SealBroken
from recordings.journal import JournalReader
from recordings.journal_records import BadRecord
from recordings.keys import FileKeyRing
from recordings.sealed_log import walk_chain
from video.media.source import TOO_MANY


@dataclass(frozen=True)
class Checked:
    broken: str = ""
    """Why, or nothing."""
    octets: int = 0
    packets: int = 0
    marks: int = 0
    pictures: int = 0
    """Packets of pictures, by their numbers."""
    expected: int = 0
    """As many as lie between the first and the last number of each stream, but for pauses."""
    pauses: int = 0
    """Gaps so wide that nobody asks for what they leave out: the sender was in the dark."""


def ended(path: Path) -> bool:
    """Whether the last frame is there. Raises SealBroken."""
    last = None
    for last in walk_chain(path):  # noqa: B007
        continue
    return last is not None and last.final and last.end == path.stat().st_size


def check(path: Path, keys: FileKeyRing) -> Checked:
    octets = path.stat().st_size
    numbers: dict[tuple[int, int], list[int]] = {}
    packets = 0
    try:
        if not ended(path):
            return Checked(f"{path.name}: not ended", octets)
        with JournalReader(path, keys) as journal:
            for leg, _, packet in journal.packets():
                if not 192 <= packet[1] <= 223:
                    packets += 1
                    numbers.setdefault((leg, int.from_bytes(packet[8:12], "big")), []).append(
                        packet[2] << 8 | packet[3]
                    )
            kinds = {number: tracks[0].kind for number, tracks in journal.legs.items()}
            finished, marks = journal.finished, len(journal.marks)
    except (SealBroken, BadRecord) as error:
        return Checked(f"{path.name}: {error}", octets, packets)
    streams = [_counted(found) for (leg, _), found in numbers.items() if kinds[leg] == "video"]
    return Checked(
        "" if finished else f"{path.name}: no end",
        octets,
        packets,
        marks,
        sum(came for came, _, _ in streams),
        sum(span for _, span, _ in streams),
        sum(pauses for _, _, pauses in streams),
    )


def _counted(numbers: list[int]) -> tuple[int, int, int]:
    """(packets, as many as there should be, pauses)"""
    whole, last = set(), numbers[0]
    for number in numbers:
        last += (number - last + 0x8000) % 0x10000 - 0x8000
        whole.add(last)
    ordered = sorted(whole)
    steps = [later - earlier for earlier, later in itertools.pairwise(ordered)]
    pauses = [step for step in steps if step > TOO_MANY]
    return len(ordered), 1 + sum(steps) - sum(pauses) + len(pauses), len(pauses)
