"""Puts the packets of one RTP stream back in order, drops duplicates, and gives up on what never came.

Giving up is by time and not only by count: at audio's 50 packets a second, a limit of packets alone holds
the sound back for seconds, while a video burst overruns it at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

WAIT_S = 1.5  # later than any retransmission that a live receiver would have asked for
HOLD_PACKETS = 4096
JUMP = 3000  # RFC 3550 appendix A.1, MAX_DROPOUT: beyond it the sender has restarted
HEAD_ROOM = 32  # packets that may turn out to precede the first one that came


class Reorder(Generic[T]):
    """`push` and `flush` return (extended sequence number, item); a number left out was lost."""

    def __init__(self, *, wait: float = WAIT_S, hold: int = HOLD_PACKETS) -> None:
        self._wait = wait
        self._hold = hold
        self._next: int | None = None
        self._held: dict[int, tuple[float, T]] = {}  # in order of arrival
        self._suspect: tuple[int, float, T] | None = None
        self.duplicates = 0

    def push(self, sequence: int, at: float, item: T) -> Iterable[tuple[int, T]]:
        due = self._next
        if due is None:
            due = self._next = 0x10000 + sequence - HEAD_ROOM
        distance = (sequence - due + 0x8000 & 0xFFFF) - 0x8000
        if distance == 0 and not self._held:
            self._next = due + 1
            self._suspect = None
            return ((due, item),)
        if abs(distance) > JUMP:
            return self._restart(sequence, at, item)
        self._suspect = None
        extended = due + distance
        if distance < 0 or extended in self._held:
            self.duplicates += 1
            return ()
        self._held[extended] = (at, item)
        return self._release(at)

    def expire(self, now: float) -> Iterable[tuple[int, T]]:
        """What has waited long enough for what is missing before it, although nothing more comes."""
        return self._release(now) if self._held else ()

    def flush(self) -> list[tuple[int, T]]:
        """Everything that still waits, at the end of the stream."""
        left = [(extended, self._held[extended][1]) for extended in sorted(self._held)]
        self._held.clear()
        if left:
            self._next = left[-1][0] + 1
        return left

    def _release(self, at: float) -> list[tuple[int, T]]:
        held, due, out = self._held, self._next or 0, []
        while held:
            if due in held:
                out.append((due, held.pop(due)[1]))
                due += 1
            elif len(held) > self._hold or at - next(iter(held.values()))[0] > self._wait:
                due = min(held)
            else:
                break
        self._next = due
        return out

    def _restart(self, sequence: int, at: float, item: T) -> list[tuple[int, T]]:
        """One odd packet is noise; a second that follows it means that the sender began anew."""
        first = self._suspect
        if first is None or sequence != (first[0] + 1) & 0xFFFF:
            self._suspect = (sequence, at, item)
            return []
        out = self.flush()
        self._suspect = None
        epoch = ((self._next or 0) >> 16) + 2
        self._next = (epoch << 16) + first[0] - HEAD_ROOM
        start = (epoch << 16) + first[0]
        self._held = {start: (first[1], first[2]), start + 1: (at, item)}
        return out
