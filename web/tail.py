"""The end of the outbox as one process follows it: each committed row once, however late its commit is seen.

A row's id is given when it is written, before it is committed, so a later id may be seen before an earlier one. What is
missing between two ids is looked for again a while. Clocks are not compared: neither a transaction that waited long
for its turn nor another machine's clock loses a row.
"""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.events import OutboxEvent

PATIENCE = 120.0  # seconds that a missing id is looked for; then it belonged to a transaction that was rolled back
MOST = 500  # ids looked for at a time


class Tail:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: int | None = None
        self._missing: dict[int, float] = {}

    def fresh(self, session: Session) -> list[tuple[str, dict[str, Any]]]:
        """(name, payload) of the rows seen for the first time. The first call only finds out where the end is."""
        now = self._clock()
        if self._last is None:
            self._begin(session, now)
            return []
        new = OutboxEvent.id > self._last
        query = select(OutboxEvent.id, OutboxEvent.name, OutboxEvent.payload).order_by(OutboxEvent.id)
        rows = session.execute(query.where(or_(new, OutboxEvent.id.in_(self._missing)) if self._missing else new)).all()
        self._note({row.id for row in rows}, now)
        return [(row.name, row.payload) for row in rows]

    def _begin(self, session: Session, now: float) -> None:
        self._last = session.scalar(select(func.max(OutboxEvent.id))) or 0
        first = max(self._last - MOST, 0)
        known = set(session.scalars(select(OutboxEvent.id).where(OutboxEvent.id > first)))
        self._last = max(known, default=self._last)
        self._missing = {gap: now for gap in range(first + 1, self._last) if gap not in known}

    def _note(self, seen: set[int], now: float) -> None:
        before = self._last or 0
        self._last = max(seen, default=before) if max(seen, default=0) > before else before
        for gap in range(max(before, self._last - MOST) + 1, self._last):
            self._missing.setdefault(gap, now)
        kept = [(gap, at) for gap, at in self._missing.items() if gap not in seen and now - at < PATIENCE]
        self._missing = dict(kept[-MOST:])
