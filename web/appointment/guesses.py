"""Links that were never sent, counted by the address that asks for them.

A link has 131 bits: nobody finds one by asking. What is limited is the work that asking makes, so an address that has
asked too often is answered in one line, and the links that were sent go on working for its neighbours behind one NAT.
"""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

MOST = 20
WITHIN = timedelta(minutes=15)
REMEMBERED = 4096  # addresses


class Guesses:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def missed(self, address: str, *, now: datetime) -> bool:
        """Count one more; True when it is one too many of this quarter of an hour."""
        with self._lock:
            since, count = self._seen.pop(address, (now, 0))
            if not timedelta() <= now - since < WITHIN:
                since, count = now, 0
            self._seen[address] = (since, count + 1)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            return count >= MOST

    def forget(self) -> None:
        with self._lock:
            self._seen.clear()


guesses = Guesses()
