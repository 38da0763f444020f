"""The only place that reads the clock. Edges call it and hand `now` down; a test bans it in rules and services.

Time doesn't run backwards here. A machine whose clock is put back a few minutes (a wrong clock set right) would make
waits negative and turn the order of a hall round; so the old count goes on, at half its pace, until the clock has
caught up. A step of more than `MOST` is believed at once: then the clock was so wrong that the day was too.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MOST = timedelta(minutes=15)
NOISE = timedelta(milliseconds=5)  # by which two readings of two clocks may differ
_PACE = 0.5


class Steady:
    """A wall clock beside the machine's count of seconds since its start, by which a step of the one shows."""

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        count: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read_wall, self._read_count = wall, count
        self._lock = threading.Lock()
        self._wall, self._count = wall(), count()

    def now(self) -> datetime:
        with self._lock:
            wall, count = self._read_wall(), self._read_count()
            passed = timedelta(seconds=count - self._count)
            ahead = self._wall + passed - wall
            if NOISE < ahead <= MOST:
                wall = max(wall, self._wall + passed * _PACE)
            elif timedelta() < ahead <= NOISE:
                wall = max(wall, self._wall)
            self._wall, self._count = wall, count
            return wall


_STEADY = Steady()


def now() -> datetime:
    """The present instant, aware, in UTC; never before what was told before, but for a step of more than `MOST`."""
    return _STEADY.now()
