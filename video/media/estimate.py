"""How much one downlink carries, judged by its receiver's transport-wide feedback. Used with three and four
people.

Deliberately plain: the cap stands at its ceiling until there is evidence of congestion (packets lost, or a
queue that grows), falls below what was really delivered, waits, and climbs again. The publisher is held to
the lowest of its downlinks by REMB. A call of two needs none of it: there the feedback reaches the
publisher's own, better estimator.
"""

from __future__ import annotations

from collections import deque

from video.media.twcc import Report

CEILING = 2_500_000
FLOOR = 120_000
LOSS_LIMIT = 0.10
QUEUE_LIMIT_US = 120_000
"""Delay above the least seen lately that counts as a queue."""
HOLD_S = 1.0
GROWTH_PER_S = 1.08
WINDOW_S = 1.0
BASELINE_S = 10.0
KEPT = 2_000


class Downlink:
    """Numbers the packets sent to one receiver and turns its feedback into a cap in bits per second."""

    def __init__(self, *, now: float) -> None:
        self.cap = float(CEILING)
        self.loss = 0.0
        self._number = 0
        self._sent: dict[int, tuple[float, int]] = {}
        self._window: deque[tuple[float, int, bool]] = deque()
        self._least: deque[tuple[float, float]] = deque()
        self._held_until = now
        self._updated = now

    def number(self, size: int, *, now: float) -> int:
        """The next transport-wide sequence number, and a note of when it left."""
        self._number = (self._number + 1) & 0xFFFF
        self._sent[self._number] = (now, size)
        if len(self._sent) > KEPT:
            del self._sent[next(iter(self._sent))]
        return self._number

    def heard(self, reports: list[Report], *, now: float) -> None:
        """Takes the feedback in; numbers that were not ours are left out."""
        queue = 0.0
        for report in reports:
            noted = self._sent.pop(report.number, None)
            if noted is None:
                continue
            left, size = noted
            self._window.append((now, size, report.arrived_us is not None))
            if report.arrived_us is not None:
                delay = report.arrived_us - left * 1e6
                self._least.append((now, delay))
                queue = delay
        while self._window and self._window[0][0] < now - WINDOW_S:
            self._window.popleft()
        while self._least and self._least[0][0] < now - BASELINE_S:
            self._least.popleft()
        if not self._window:
            return
        total = len(self._window)
        self.loss = sum(1 for _, _, arrived in self._window if not arrived) / total
        if self._least and queue:
            queue -= min(delay for _, delay in self._least)
        self._decide(queue, total, now)

    def _decide(self, queue: float, total: int, now: float) -> None:
        elapsed = min(1.0, max(0.0, now - self._updated))
        self._updated = now
        congested = (self.loss > LOSS_LIMIT and total >= 20) or queue > QUEUE_LIMIT_US
        if congested and now >= self._held_until:
            delivered = 8 * sum(size for _, size, arrived in self._window if arrived) / WINDOW_S
            self.cap = max(FLOOR, min(self.cap, 0.85 * delivered))
            self._held_until = now + HOLD_S
        elif not congested and now >= self._held_until:
            self.cap = min(CEILING, self.cap * GROWTH_PER_S**elapsed)
