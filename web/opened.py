"""Which pages a session has lately opened: a page that renews itself was opened once, and leaves one row.

Only that it asks for itself again is a browser's own word (`X-Fragment`), which anybody can send: so it counts where a
row of that very address was written, and not for long. Each web process knows what it has written itself; what another
one wrote, or one before it, becomes a second row, never none.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock

LASTS = timedelta(hours=1)  # a page that stays open leaves a row for each
MOST = 10_000  # screens; the oldest is forgotten first


class Opened:
    def __init__(self) -> None:
        self._at: OrderedDict[bytes, datetime] = OrderedDict()
        self._lock = Lock()  # pages are served by many threads

    def lately(self, session: str, address: str, *, now: datetime) -> bool:
        with self._lock:
            at = self._at.get(_key(session, address))
        return at is not None and now - at < LASTS

    def keep(self, session: str, address: str, *, now: datetime) -> None:
        with self._lock:
            key = _key(session, address)
            self._at[key] = now
            self._at.move_to_end(key)
            if len(self._at) > MOST:
                self._at.popitem(last=False)


def _key(session: str, address: str) -> bytes:
    return sha256(f"{session} {address}".encode()).digest()
