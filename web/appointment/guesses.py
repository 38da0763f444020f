"""Asks that anybody may make, counted by where they come from: links that were never sent, codes for a number, tickets.

A link has 131 bits: nobody finds one by asking. What is limited is the work that asking makes, so an address that has
asked too often is answered in one line, and the links that were sent go on working for its neighbours behind one NAT.

Where the answer must not tell whether somebody is known, every ask counts, and before anything is looked up.

Each process counts for itself and forgets with its end: behind several web processes an address has as many times the
measure, and no row is written for a stranger.
"""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from core.staff.rules import source_of

MOST = 20
WITHIN = timedelta(minutes=15)
REMEMBERED = 4096  # sources


class Guesses:
    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[str, str], tuple[datetime, int]] = OrderedDict()

    def too_often(self, address: str, *, at: str = "", now: datetime) -> bool:
        """Count one more; True when it is one too many of this quarter of an hour. Each place `at` counts apart."""
        source = (at, source_of(address))
        with self._lock:
            since, count = self._seen.pop(source, (now, 0))
            if not timedelta() <= now - since < WITHIN:
                since, count = now, 0
            self._seen[source] = (since, count + 1)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            return count >= self._most

    def forget(self) -> None:
        with self._lock:
            self._seen.clear()


guesses = Guesses()
