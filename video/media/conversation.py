"""What is written in a meeting, so that nothing of it is lost while a link is away, and nothing is said twice.

Both ends of a line may break and come back: whoever writes says everything again that was not answered with `taken`;
whoever reads tells at the return what was heard last and is told the rest. It lives in memory and with the room.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

KEPT = 200
"""Lines that someone who is away may miss at most; a fast typist writes ten in a minute."""


@dataclass(frozen=True, slots=True)
class Said:
    number: int
    participant: str
    line: int
    text: str
    final: bool
    to: frozenset[str]
    """Who was inside when it was said. Nobody else is ever told, whenever they come."""


class Conversation:
    """`first`: where the numbers begin; above those of a node that died, which clients may remember."""

    def __init__(self, *, first: int) -> None:
        self.number = first
        """Of the last text; whoever comes now has missed nothing up to here."""
        self._said: dict[int, Said] = {}
        self._open: dict[tuple[str, int], int] = {}
        self._taken: dict[str, tuple[str, int]] = {}

    def is_new(self, participant: str, writer: str, number: int) -> bool:
        """Whether this was not taken before. `writer`: the page that wrote it, whose numbers rise."""
        last, taken = self._taken.get(participant, ("", 0))
        if writer == last and number <= taken:
            return False
        self._taken[participant] = writer, number
        return True

    def say(self, participant: str, line: int, text: str, *, final: bool, to: Collection[str]) -> Said:
        """A line as it stands now; what it was before needs nobody to be told any more."""
        self.number += 1
        said = Said(self.number, participant, line, text, final, frozenset(to))
        self._said.pop(self._open.pop((participant, line), 0), None)
        self._said[said.number] = said
        if not final:
            self._open[participant, line] = said.number
        if len(self._said) > KEPT:
            oldest = self._said.pop(next(iter(self._said)))
            if self._open.get((oldest.participant, oldest.line)) == oldest.number:
                del self._open[oldest.participant, oldest.line]
        return said

    def after(self, number: int, reader: str) -> list[Said]:
        """What the reader has missed, in order."""
        return [said for said in self._said.values() if said.number > number and reader in said.to]
