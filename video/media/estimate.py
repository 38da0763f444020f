"""How much one downlink carries, judged by its receiver's transport-wide feedback. Used with three and four.

After draft-ietf-rmcat-gcc-02, plainer: a queue that grows, one that is long, or one packet lost in ten is congestion.
Then the cap falls below what was really delivered. It climbs slowly while it is near the rate at which the line last
gave way (§5.5: "near convergence"), and faster once that is behind it, since a line that got free is worth having soon.
Far ahead of what is sent it goes slowly too, for what was not tried is not known. The publishers are held to their
share of it by REMB. A call of two needs none of it: there the feedback reaches the publisher's own, better estimator.
"""

from __future__ import annotations

from collections import deque
from itertools import takewhile

from video.media.twcc import Report

START = 3_000_000
CEILING = 7_500_000
FLOOR = 150_000
LOSS_LIMIT = 0.10
LONG_QUEUE_US = 120_000
"""Delay above the least seen lately that is too much, growing or not."""
STANDS_S = 0.5
"""What has drained by then was a burst: the key frames of three cameras at once are no congestion."""
SHORT_QUEUE_US = 40_000
"""Below it nothing is a queue: frames are sent in bursts."""
SLOPE_US = 60_000
"""By so much a queue grows in a second where more is sent than fits: 6 % too much."""
SLOPE_S = 0.8
ENOUGH = 20
"""Packets in the window below which loss says nothing."""
HOLD_S = 1.0
EPISODE_S = 4.0
"""Congestion again so soon is the same one."""
AGAIN = 0.8
"""Of what the full line delivered: in one episode the cap falls no faster. Retransmissions take their part meanwhile,
and what is delivered seems less than the line carries."""
BACKOFF = 0.85
NEAR = (0.6, 1.15)
"""What counts as near the rate at which the line gave way."""
NEAR_GROWTH_PER_S = 1.04
GROWTH_PER_S = 1.25
AHEAD, AHEAD_BPS = 1.5, 200_000
"""Beyond so much more than what is delivered the cap runs ahead of what is known."""
WINDOW_S = 1.0
BASELINE_S = 10.0
APART_S = 0.02
"""Readings closer together are one: browsers send twenty feedbacks a second, and each is compared with all of those."""
KEPT = 2_000
REPAIR = 0.25
"""Of the cap, for what is sent again: a full line is not emptied by filling it twice."""
PLUNGE_S = 0.4
"""The line suddenly carries far less: so much of what arrived lately says how much."""
FULL_QUEUE_US = 150_000
FULL_S = 0.15
"""A queue that was so long for so long empties into the sound's time. No burst of key frames stands like it."""
CUT_S = 0.4
"""Nothing of what was sent over so long a time arrives: the line was cut, which says nothing of how much it carries."""
BURST, BURST_SHARE = 4, 0.15
"""Packets lost lately, and their part, that mean an overflow where there is a queue too."""


class Queue:
    """How long packets wait on the way, and whether ever longer."""

    def __init__(self) -> None:
        self.length_us = 0.0
        self._delays: deque[tuple[float, float]] = deque()

    def read(self, delay_us: float, *, now: float) -> None:
        while self._delays and self._delays[0][0] < now - BASELINE_S:
            self._delays.popleft()
        if self._delays and now - self._delays[-1][0] < APART_S:
            self._delays[-1] = (self._delays[-1][0], min(self._delays[-1][1], delay_us))
        else:
            self._delays.append((now, delay_us))
        self.length_us = delay_us - min(delay for _, delay in self._delays)

    @property
    def congested(self) -> bool:
        if self.length_us <= SHORT_QUEUE_US:
            return False
        standing = self.standing(STANDS_S)
        return standing > LONG_QUEUE_US or (standing > SHORT_QUEUE_US and self._slope() > SLOPE_US)

    def standing(self, lately_s: float) -> float:
        """The least of what waited lately; 0 until that long was looked at."""
        least = min(delay for _, delay in self._delays)
        newest = self._delays[-1][0]
        waited = float("inf")
        for at, delay in reversed(self._delays):
            waited = min(waited, delay - least)
            if at <= newest - lately_s:
                return waited
        return 0.0

    def _slope(self) -> float:
        """Least squares over the last readings, in µs a second."""
        newest = self._delays[-1][0]
        points = []
        for at, delay in reversed(self._delays):
            if at < newest - SLOPE_S:
                break
            points.append((at - newest, delay))
        if len(points) < 4:
            return 0.0
        mean_at = sum(at for at, _ in points) / len(points)
        mean = sum(delay for _, delay in points) / len(points)
        spread = sum((at - mean_at) ** 2 for at, _ in points)
        return sum((at - mean_at) * (delay - mean) for at, delay in points) / spread if spread else 0.0


class Capacity:
    """Turns the feedback about one downlink into a cap in bits per second."""

    def __init__(self, *, now: float) -> None:
        self.cap = float(START)
        self.loss = 0.0
        self._queue = Queue()
        self._gave_way: float | None = None
        self._full: float | None = None
        self._backed_off_at = float("-inf")
        self._sent: dict[int, tuple[float, int]] = {}
        self._window: deque[tuple[float, int, bool]] = deque()
        self._held_until = now
        self._updated = now
        self._plunged_at = float("-inf")
        self._room, self._room_at = 0.0, now
        self._reached = False
        """Something has arrived; what was lost before may have been sent into the dark."""

    @property
    def queue_us(self) -> float:
        return self._queue.length_us

    def sent(self, number: int, size: int, *, now: float) -> None:
        self._sent[number] = (now, size)
        if len(self._sent) > KEPT:
            del self._sent[next(iter(self._sent))]

    def spares(self, size: int, *, now: float) -> bool:
        """Whether there is room to send a packet again: a quarter of the cap, saved up for a tenth of a second, and
        nothing while a queue stands: sound and new pictures wait in it already.
        """
        room = REPAIR * self.cap / 8
        self._room = min(max(room / 10, 1_500), self._room + room * (now - self._room_at))
        self._room_at = now
        if self._room < size or self.queue_us > LONG_QUEUE_US:
            return False
        self._room -= size
        return True

    def heard(self, reports: list[Report], *, now: float) -> None:
        """Takes the feedback in; numbers that were not ours are left out."""
        delays = []
        lost: list[tuple[float, int]] = []
        gone_since: float | None = None
        was_cut = not self._reached
        for report in reports:
            noted = self._sent.pop(report.number, None)
            if noted is None:
                continue
            left, size = noted
            if report.arrived_us is None:
                gone_since = left if gone_since is None else gone_since
                lost.append(noted)
                continue
            was_cut |= gone_since is not None and left - gone_since >= CUT_S
            gone_since, self._reached = None, True
            self._window.append((now, size, True))
            delays.append(report.arrived_us - left * 1e6)
        if not was_cut:  # else sound that was sent again stands between the lost ones
            self._window.extend((now, size, False) for _, size in lost)
        while self._window and self._window[0][0] <= now - WINDOW_S:
            self._window.popleft()
        if not self._window:
            return
        if delays:
            # The least of each feedback: one packet that waited behind a busy processor is no queue.
            self._queue.read(min(delays), now=now)
        self.loss = sum(1 for _, _, arrived in self._window if not arrived) / len(self._window)
        self._decide(now)

    def _decide(self, now: float) -> None:
        elapsed = min(1.0, max(0.0, now - self._updated))
        self._updated = now
        if self._plunge(now) or now < self._held_until:
            return
        delivered = 8 * sum(size for _, size, arrived in self._window if arrived) / WINDOW_S
        lossy = self.loss > LOSS_LIMIT and len(self._window) >= ENOUGH
        if lossy or self._queue.congested:
            self._back_off(delivered, now)
        elif self.queue_us < SHORT_QUEUE_US:  # else what waits must drain first
            self.cap = min(CEILING, self.cap * self._growth(delivered) ** elapsed)

    def _plunge(self, now: float) -> bool:
        """Obeys a line that has suddenly become thin at once, without waiting for a second's average."""
        if now - self._plunged_at < PLUNGE_S or self.queue_us <= SHORT_QUEUE_US:
            return False
        lately = list(takewhile(lambda entry: entry[0] > now - PLUNGE_S, reversed(self._window)))
        before = len(self._window) - len(lately)
        since = self._window[before - 1][0] if before else now - PLUNGE_S
        lost = sum(1 for *_, arrived in lately if not arrived)
        overflows = lost >= BURST and lost >= BURST_SHARE * len(lately)
        if not overflows and self._queue.standing(FULL_S) < FULL_QUEUE_US:
            return False
        carried = 8 * sum(size for _, size, arrived in lately if arrived) / (now - since)
        if BACKOFF * carried >= self.cap:
            return False
        self._plunged_at = self._backed_off_at = now
        self._full = self._gave_way = max(carried, FLOOR)
        self.cap = max(FLOOR, BACKOFF * carried)
        self._held_until = now + HOLD_S
        return True

    def _back_off(self, delivered: float, now: float) -> None:
        if now - self._backed_off_at >= EPISODE_S:
            self._full = None  # what is delivered now came as the line filled
            self._gave_way = max(delivered, FLOOR)
        elif self._full is None:
            self._full = self._gave_way = max(delivered, FLOOR)
        else:
            self._full = delivered = max(delivered, AGAIN * self._full)
        self.cap = max(FLOOR, min(self.cap, BACKOFF * delivered))
        self._backed_off_at = now
        self._held_until = now + HOLD_S

    def _growth(self, delivered: float) -> float:
        if self.cap > AHEAD * delivered + AHEAD_BPS:
            return NEAR_GROWTH_PER_S
        if self._gave_way is not None:
            low, high = NEAR
            if low * self._gave_way <= self.cap <= high * self._gave_way:
                return NEAR_GROWTH_PER_S
            if self.cap > self._gave_way:
                self._gave_way = None
        return GROWTH_PER_S
