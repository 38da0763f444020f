"""How busy this process is: whether another meeting would cost those that run."""

from __future__ import annotations

FULL_CPU, FREE_CPU = 0.80, 0.65
"""Shares of one core. Forwarding is one thread: beyond four fifths of it, packets begin to wait."""
FULL_LAG_S, FREE_LAG_S = 0.25, 0.1
SMOOTH_S = 5.0
"""One long breath (a collection of garbage, a busy neighbour) is no load."""


class Load:
    """Fed twice a second; full above the upper marks, free again only below the lower ones."""

    def __init__(self, *, most_meetings: int = 0) -> None:
        self.cpu = self.lag = 0.0
        self._busy = False
        self._most = most_meetings
        """0: as many as the process can carry."""

    def sample(self, *, cpu: float, lag: float, elapsed: float) -> None:
        """`cpu`: share of a core used in the last `elapsed` seconds; `lag`: how late the clock ran."""
        weight = min(1.0, elapsed / SMOOTH_S)
        self.cpu += (cpu - self.cpu) * weight
        self.lag += (lag - self.lag) * weight
        if self.cpu >= FULL_CPU or self.lag >= FULL_LAG_S:
            self._busy = True
        elif self.cpu < FREE_CPU and self.lag < FREE_LAG_S:
            self._busy = False

    def full(self, meetings: int) -> bool:
        """`meetings`: how many run here. With none, the load is somebody else's and there is nobody to protect."""
        return (self._busy and meetings > 0) or 0 < self._most <= meetings
