"""The seam between packets and disk, and the watch over it.

`PacketSink` is all the media plane knows of recording: a journal behind a writer thread implements it
elsewhere. `Recorder` opens one for a meeting that goes live, stamps what it is given, and says within three
seconds when what was received stops becoming durable. Nothing here waits for a disk: opening and closing run
in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from video.media import rtp

log = logging.getLogger(__name__)

LIMIT_S = 2.0
"""How long something received may stay undurable; with the half-second tick the alarm comes within 3 s."""
RETRY_S = 5.0
OPENING_S = 10.0

State = Literal["off", "starting", "on", "lost", "closed"]


class PacketSink(Protocol):
    """Takes the packets of one meeting. No call may block, none is made from another thread.

    `at` is seconds since the sink was opened, on a monotonic clock. A `leg` names one stream of one
    connection (`<participant>/<connection>/<kind>`): it never comes back with another meaning, and a
    participant who joins again brings new ones.
    """

    @property
    def last_durable_at(self) -> float:
        """The `at` of the newest packet of which it and all before it survive a crash; negative before the
        first.
        """
        ...

    def track(self, leg: str, participant_id: str, kind: str, codec: str, clock_rate: int, at: float) -> None:
        """Announces a leg; always before its first `write`."""
        ...

    def write(self, leg: str, at: float, packet: bytes) -> None:
        """Plain RTP, or one RTCP sender report of the leg's stream. Packets may come late and out of order."""
        ...

    def mark(self, at: float, kind: str, data: dict[str, Any]) -> None: ...

    def close(self, at: float) -> None:
        """Makes durable what was written; may block (it is called from a thread of its own)."""
        ...

    def healthy(self) -> bool: ...


OpenSink = Callable[[str], PacketSink]
"""Opens the sink of a meeting; called in a thread; raises where the meeting cannot be recorded."""


@dataclass
class Watch:
    """Decides when a recording counts as lost. Pure: fed with what was written and what became durable."""

    written: float = -1.0
    mark: float = -1.0
    marked_at: float = 0.0

    def wrote(self, at: float) -> None:
        self.written = at

    def stalled(self, durable: float, *, now: float, limit: float = LIMIT_S) -> bool:
        """Whether something written longer than `limit` ago is still not durable.

        The mark is the newest packet at the moment the last mark had become durable, so silence is no stall:
        with nothing new written, there is nothing to wait for.
        """
        if durable >= self.mark:
            self.mark, self.marked_at = self.written, now
        return self.mark > durable and now - self.marked_at >= limit


class Recorder:
    """The recording of one meeting: off → starting → on ⇄ lost → closed."""

    def __init__(
        self,
        meeting_id: str,
        open_sink: OpenSink,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.meeting_id = meeting_id
        self.state: State = "off"
        self.why = ""
        self._open_sink = open_sink
        self._monotonic = monotonic
        self._sink: PacketSink | None = None
        self._zero = 0.0
        self._watch = Watch()
        self._tracks: dict[str, tuple[str, str]] = {}
        self._taken: list[Any] = []
        """Leg, time and packet, over and over: what `hand_over` is to give to the sink."""
        self._closing: asyncio.Task[None] | None = None
        self._retry_at = 0.0
        self._untold = False
        """Lost since the last `check`."""

    @property
    def running(self) -> bool:
        return self._sink is not None

    @property
    def at(self) -> float:
        """Seconds since the recording started, as the sink counts them."""
        return self._monotonic() - self._zero

    async def start(self) -> bool:
        """Opens the sink; False (state 'lost', `why` set) where that fails."""
        self.state = "starting"
        opening = asyncio.ensure_future(asyncio.to_thread(self._open_sink, self.meeting_id))
        try:
            sink = await asyncio.wait_for(asyncio.shield(opening), OPENING_S)
        except Exception as error:
            opening.add_done_callback(_close_late)
            log.exception("the recording of meeting %s cannot start", self.meeting_id)
            self._lose(f"cannot open: {type(error).__name__}")
            return False
        if self.state != "starting":  # closed while we waited
            await _close_quietly(sink, 0.0)
            return False
        self._zero = self._monotonic()
        self._watch = Watch(marked_at=self._zero)
        self._sink = sink
        self._tracks.clear()
        self.state, self.why = "on", ""
        return True

    def write(self, leg: str, participant_id: str, kind: str, packet: bytes, now: float) -> None:
        """Takes one packet, announcing its leg first where it is new. Never raises, never blocks."""
        if self._sink is None:
            return
        if leg not in self._tracks:
            self._announce(self._sink, leg, participant_id, kind, now)
        self._taken += (leg, now, packet)

    def _announce(self, sink: PacketSink, leg: str, participant_id: str, kind: str, now: float) -> None:
        self._tracks[leg] = (participant_id, kind)
        codec = "opus" if kind == "audio" else "vp8"
        try:
            sink.track(leg, participant_id, kind, codec, rtp.CLOCK_RATES[kind], now - self._zero)
        except Exception:
            log.exception("the recorder of meeting %s refused a stream", self.meeting_id)
            self._drop("write failed")

    def hand_over(self) -> None:
        """Gives what was taken to the sink: twenty times a second, for many at once cost less than each by itself."""
        taken, self._taken = self._taken, []
        sink = self._sink
        if sink is None or not taken:
            return
        write, zero = sink.write, self._zero
        parts = iter(taken)
        now = zero
        try:
            for leg, now, packet in zip(parts, parts, parts, strict=True):
                write(leg, now - zero, packet)
        except Exception:
            log.exception("the recorder of meeting %s refused a packet", self.meeting_id)
            self._drop("write failed")
            return
        self._watch.written = now - zero

    def report(self, leg: str, packet: bytes, *, now: float) -> None:
        """Hands over a sender report; one that comes before the first packet of its leg has nothing to
        align.
        """
        if leg in self._tracks:
            participant_id, kind = self._tracks[leg]
            self.write(leg, participant_id, kind, packet, now)

    def mark(self, kind: str, data: dict[str, Any]) -> float | None:
        """Notes a moment; the time in the recording, or None where none is running."""
        self.hand_over()
        if self._sink is None:
            return None
        at = self.at
        try:
            self._sink.mark(at, kind, data)
        except Exception:
            log.exception("the recorder of meeting %s refused a mark", self.meeting_id)
            self._drop("write failed")
            return None
        return at

    def forgive(self, late: float) -> None:
        """Nobody looked for so long: what was written meanwhile had no time to become durable."""
        self._watch.marked_at += late

    def check(self, *, now: float) -> bool:
        """Looks whether the sink keeps up; True when the recording has been lost since the last look."""
        self.hand_over()
        if self._sink is not None:
            self._look(self._sink, now)
        untold, self._untold = self._untold, False
        return untold

    def _look(self, sink: PacketSink, now: float) -> None:
        try:
            healthy, durable = sink.healthy(), sink.last_durable_at
        except Exception:
            log.exception("the recorder of meeting %s does not answer", self.meeting_id)
            healthy, durable = False, -1.0
        if not healthy:
            self._drop("writer failed")
        elif self._watch.stalled(durable, now=now):
            self._drop("not durable")

    def may_retry(self, *, now: float) -> bool:
        """Whether a lost recording should be opened again now."""
        return self.state == "lost" and now >= self._retry_at

    async def close(self) -> None:
        self.hand_over()
        sink, self._sink = self._sink, None
        self.state = "closed"
        if sink is not None:
            await _close_quietly(sink, self.at)

    def _drop(self, why: str) -> None:
        """Lets go of a sink that failed; what it still holds gets a chance to reach the disk on closing."""
        sink, self._sink = self._sink, None
        if sink is not None:
            self._closing = asyncio.ensure_future(_close_quietly(sink, self.at))
        self._untold = True
        self._lose(why)

    def _lose(self, why: str) -> None:
        if self.state != "closed":
            self.state, self.why = "lost", why
        self._retry_at = self._monotonic() + RETRY_S


def _close_late(opening: asyncio.Future[PacketSink]) -> None:
    """A sink that opens after we gave up waiting is closed again."""
    if not opening.cancelled() and opening.exception() is None:
        closing = asyncio.ensure_future(_close_quietly(opening.result(), 0.0))
        _late.add(closing)
        closing.add_done_callback(_late.discard)


_late: set[asyncio.Future[None]] = set()


async def _close_quietly(sink: PacketSink, at: float) -> None:
    try:
        await asyncio.wait_for(asyncio.to_thread(sink.close, at), OPENING_S)
    except Exception:
        log.exception("a recording did not close in order")
