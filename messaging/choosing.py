"""Which gateway gets the next text: priority, health, fail-over, the way back. Pure; `now` is seconds of one clock.

A gateway's health is the share of its late hand-overs that went well, later ones counting more. It falls within a few
failures and heals by itself with time, so that whoever was left for another is tried again. After several failures in a
row it rests altogether, longer each time, and then a single text tells whether it is back.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

GOOD, BAD = 0.1, 0.3  # how much one hand-over weighs against all before
HEALS_IN_S = 60.0  # of what is missing from full health, half is given back in this time
ROW = 4
REST_S, LONGEST_REST_S = 1.0, 30.0
WORTH = 10.0  # places of priority that no health at all costs
LATE_S = 0.1  # so long a slot of a limited line can still be used
LOW_S = 0.05  # of slots in store, before more are asked for


@dataclass(frozen=True, slots=True)
class Health:
    share: float = 1.0
    at: float = 0.0
    row: int = 0  # failures without a success between them
    rests: int = 0
    rests_until: float = 0.0

    def now(self, now: float) -> float:
        """Health at this moment, time having healed some."""
        return 1.0 - (1.0 - self.share) * 0.5 ** (max(0.0, now - self.at) / HEALS_IN_S)

    def resting(self, now: float) -> bool:
        return now < self.rests_until

    def probing(self, now: float) -> bool:
        """Its rest is over, but nothing has gone well since: one text at a time."""
        return self.rests > 0 and not self.resting(now)


def after(health: Health, good: bool, *, now: float) -> Health:
    share = health.now(now)
    if good:
        return Health(share + (1.0 - share) * GOOD, now)
    row = health.row + 1
    share -= share * BAD
    if row < ROW:
        return replace(health, share=share, at=now, row=row)
    rests = health.rests + 1
    rest = min(REST_S * 2 ** (rests - 1), LONGEST_REST_S)
    return Health(share, now, row, rests, now + rest)


class Candidate(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def priority(self) -> int: ...
    @property
    def load(self) -> float: ...


T = TypeVar("T", bound=Candidate)


def choose(able: Sequence[tuple[T, float]], *, avoid: str | None = None) -> T | None:
    """The best of those that can take a text now, given with their health; `avoid` just failed this very text.

    A lower number of priority goes first until bad health costs more than the distance. Equals share by free room.
    """
    best: tuple[tuple[bool, float, float, str], T] | None = None
    for candidate, health in able:
        cost = candidate.priority + WORTH * (1.0 - health) ** 2
        rank = (candidate.name == avoid, round(cost, 1), candidate.load, candidate.name)
        if best is None or rank < best[0]:
            best = rank, candidate
    return best[1] if best else None


class Pace:
    """A throughput limit: so many a second, and no more than a tenth of a second's worth at once.

    A gateway that says it is being hurried halves the pace; it recovers by a tenth each second. A limit that is set is
    the provider's, for all workers together: a part then needs a slot that was lent to us (`messaging.lent`).
    """

    def __init__(self, rate: float | None, *, now: float = 0.0, shared: bool = False) -> None:
        self.rate, self._now_rate, self._at = rate, rate, now
        self._room = self._most()
        self._eased = now
        self._slots: deque[float] | None = deque() if shared and rate is not None else None
        self.hungry = False  # something waits, and hardly a slot is left

    @property
    def now_rate(self) -> float | None:
        return self._now_rate

    @property
    def shared(self) -> bool:
        return self._slots is not None

    def _most(self) -> float:
        return max(1.0, (self._now_rate or 0.0) / 10)

    def wait(self, *, now: float) -> float:
        """Seconds until one more may go; 0: at once."""
        if self._now_rate is None:
            return 0.0
        self._ease(now)
        if self._slots is not None:
            return self._wait_for_slot(self._slots, now)
        self._room = min(self._most(), self._room + (now - self._at) * self._now_rate)
        self._at = now
        return 0.0 if self._room >= 1.0 else (1.0 - self._room) / self._now_rate

    def _wait_for_slot(self, slots: deque[float], now: float) -> float:
        kept = max(LATE_S, 1.0 / (self.rate or 1.0))
        while slots and slots[0] < now - kept:
            slots.popleft()  # not used in its time: it comes to nobody any more
        self.hungry = not slots or slots[-1] < now + LOW_S
        return max(0.0, slots[0] - now) if slots else LOW_S

    def lend(self, begin: float, count: int) -> None:
        """Slots of the provider's line, one after the other at our present pace."""
        if self._slots is not None and self._now_rate is not None:
            self._slots.extend(begin + place / self._now_rate for place in range(count))
            self.hungry = False

    def went(self) -> None:
        if self._slots:
            self._slots.popleft()
        self._room -= 1.0

    def slow(self, seen: float, *, now: float) -> None:
        """`seen`: parts a second that went of late, for a gateway whose limit nobody told us."""
        if self._now_rate is None or now - self._eased >= 0.5:
            self._now_rate = max(1.0, (self._now_rate or max(seen, 2.0)) / 2)
        self._eased, self._at, self._room = now, now, 0.0
        if self._slots:
            self._slots.clear()

    def _ease(self, now: float) -> None:
        while self._now_rate is not None and now - self._eased >= 1.0:
            self._eased += 1.0
            self._now_rate *= 1.1
            if self.rate is not None and self._now_rate >= self.rate:
                self._now_rate, self._eased = self.rate, now
            elif self.rate is None and self._now_rate > 2000:
                self._now_rate = None
