"""Bytes turned into choices: the same harness runs under hypothesis, atheris, or a plain random generator.

A fuzzer that flips bits in raw packets rarely gets past the first length field. Here its bytes choose which sound
packet is built and where it is then damaged.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

ODD = (0, 1, 2, 0x7F, 0x80, 0xFF)
ODD_16 = (0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x0100, 0xBEDE, 0x1000)
ODD_32 = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


class Dice:
    """Reads choices off the input; when it is used up, everything is zero."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def used_up(self) -> bool:
        return self._at >= len(self._data)

    def number(self, size: int = 1) -> int:
        return int.from_bytes(self.take(size), "big")

    def below(self, limit: int) -> int:
        """0 ≤ n < limit."""
        if limit <= 1:
            return 0
        return self.number(1 if limit <= 256 else 2 if limit <= 65536 else 4) % limit

    def one_in(self, many: int) -> bool:
        """Never once the input is used up."""
        return self.below(many) == many - 1

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def take(self, size: int) -> bytes:
        """Exactly so many bytes."""
        found = self._data[self._at : self._at + size]
        self._at += size
        return found + bytes(size - len(found))

    def rest(self) -> bytes:
        found, self._at = self._data[self._at :], len(self._data)
        return found

    def odd_16(self) -> int:
        return self.pick(ODD_16) if self.one_in(2) else self.number(2)

    def odd_32(self) -> int:
        return self.pick(ODD_32) if self.one_in(2) else self.number(4)


def damaged(dice: Dice, packet: bytes, most: int = 4) -> bytes:
    """The packet with up to `most` faults, mostly near its beginning, where the lengths are."""
    made = bytearray(packet)
    for _ in range(dice.below(most + 1)):
        size = len(made)
        if not size:
            return bytes(made)
        at = dice.below(min(size, 24)) if dice.one_in(2) else dice.below(size)
        fault = dice.below(8)
        if fault == 0:
            made[at] ^= 1 << dice.below(8)
        elif fault == 1:
            made[at] = dice.pick(ODD)
        elif fault == 2:
            made[at] = dice.number()
        elif fault == 3 and at + 2 <= size:
            struct.pack_into("!H", made, at, dice.odd_16())
        elif fault == 4 and at + 4 <= size:
            struct.pack_into("!I", made, at, dice.odd_32())
        elif fault == 5:
            del made[at:]
        elif fault == 6:
            made[at:at] = dice.take(dice.below(9))
        else:
            made += made[at : at + 1 + dice.below(40)]
    return bytes(made)


def damaged_text(dice: Dice, text: str, most: int = 4, *, pieces: Sequence[str] = ()) -> str:
    """The text with lines and pieces dropped, doubled, swapped, cut, or replaced by what `pieces` offers."""
    lines = text.split("\n")
    for _ in range(dice.below(most + 1)):
        at = dice.below(len(lines))
        fault = dice.below(8)
        line = lines[at]
        if fault == 0 and len(lines) > 1:
            del lines[at]
        elif fault == 1:
            lines.insert(at, line)
        elif fault == 2:
            other = dice.below(len(lines))
            lines[at], lines[other] = lines[other], line
        elif fault == 3:
            lines[at] = line[: dice.below(len(line) + 1)]
        elif fault == 4 and pieces:
            lines[at] = dice.pick(pieces)
        elif fault == 5 and pieces:
            lines.insert(at, dice.pick(pieces))
        elif fault == 6:
            cut = dice.below(len(line) + 1)
            lines[at] = line[:cut] + dice.take(dice.below(6)).decode("latin-1") + line[cut:]
        else:
            words = line.replace(":", ": ").split(" ")
            words[dice.below(len(words))] = dice.pick(("", "-1", "0", "9" * 40, "99999999999", "x", "٣", "1/2"))
            lines[at] = " ".join(words)
    return "\n".join(lines)
