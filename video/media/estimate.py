"""How much one downlink carries, judged by its receiver's transport-wide feedback. Used with three and four.

Deliberately plain: the cap rises slowly to its ceiling until there is evidence of congestion (packets lost, or a
queue that grows), falls below what was really delivered, waits, and climbs again. The publishers are held to the
lowest of their downlinks by REMB. A call of two needs none of it: there the feedback reaches the publisher's own,
better estimator.
"""

from __future__ import annotations

from collections import deque

from video.media.twcc import Report

START = 3_000_000
CEILING = 7_500_000
FLOOR = 150_000
LOSS_LIMIT = 0.10
QUEUE_LIMIT_US = 150_000
"""Delay above the least seen lately that counts as a queue."""
ENOUGH = 20
"""Packets in the window below which loss says nothing."""
HOLD_S = 1.0
GROWTH_PER_S = 1.15
WINDOW_S = 1.0
BASELINE_S = 10.0
KEPT = 2_000


class Capacity:
    """Turns the feedback about one downlink into a cap in bits per second."""

    def __init__(self, *, now: float) -> None:
        self.cap = float(START)
        self.loss = 0.0
        self.queue_us = 0.0
        self._sent: dict[int, tuple[float, int]] = {}
        self._window: deque[tuple[float, int, bool]] = deque()
        self._delays: deque[tuple[float, float]] = deque()
        self._held_until = now
        self._updated = now

    def sent(self, number: int, size: int, *, now: float) -> None:
        self._sent[number] = (now, size)
        if len(self._sent) > KEPT:
            del self._sent[next(iter(self._sent))]

    def heard(self, reports: list[Report], *, now: float) -> None:
        """Takes the feedback in; numbers that were not ours are left out."""
        delays = []
        for report in reports:
            noted = self._sent.pop(report.number, None)
            if noted is None:
                continue
            left, size = noted
            self._window.append((now, size, report.arrived_us is not None))
            if report.arrived_us is not None:
                delays.append(report.arrived_us - left * 1e6)
        while self._window and self._window[0][0] < now - WINDOW_S:
            self._window.popleft()
        while self._delays and self._delays[0][0] < now - BASELINE_S:
            self._delays.popleft()
        if not self._window:
            return
        if delays:
            # The least of each feedback: one packet that waited behind a busy processor is no queue.
            self._delays.append((now, min(delays)))
            self.queue_us = min(delays) - min(delay for _, delay in self._delays)
        self.loss = sum(1 for _, _, arrived in self._window if not arrived) / len(self._window)
        self._decide(now)

    def _decide(self, now: float) -> None:
        elapsed = min(1.0, max(0.0, now - self._updated))
        self._updated = now
        lossy = self.loss > LOSS_LIMIT and len(self._window) >= ENOUGH
        congested = lossy or self.queue_us > QUEUE_LIMIT_US
        if now < self._held_until:
            return
        if congested:
            delivered = 8 * sum(size for _, size, arrived in self._window if arrived) / WINDOW_S
            self.cap = max(FLOOR, min(self.cap, 0.85 * delivered))
            self._held_until = now + HOLD_S
        else:
            self.cap = min(CEILING, self.cap * GROWTH_PER_S**elapsed)
