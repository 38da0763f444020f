"""The recorded part of a meeting: it goes live when the recording runs, and not before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from video.media.recorder import OpenSink, Recorder

log = logging.getLogger(__name__)

Spawn = Callable[[Coroutine[Any, Any, Any]], None]


class Proceedings:
    """Starts the recording, watches it, opens it again when it is lost, and says what became of it.

    `began` is called each time a recording runs, with True when this made the meeting live; `lost(why)` once for
    each loss; `changed` whenever participants should be told.
    """

    def __init__(
        self,
        meeting_id: str,
        open_sink: OpenSink,
        *,
        spawn: Spawn,
        began: Callable[[bool], None],
        lost: Callable[[str], None],
        changed: Callable[[], None],
        wall: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self.live = False
        self.started_at: float | None = None
        self.recorder = Recorder(meeting_id, open_sink, monotonic=monotonic)
        self._meeting_id = meeting_id
        self._open_sink = open_sink
        self._spawn = spawn
        self._began = began
        self._lost = lost
        self._changed = changed
        self._wall = wall
        self._monotonic = monotonic
        self._starting = False
        self._told_lost = False

    def shown(self) -> dict[str, Any] | None:
        """What participants are told; None while there is nothing to tell."""
        if self.recorder.state in ("off", "closed"):
            return None
        return {
            "state": self.recorder.state,
            "started_at": self.started_at,
            "now": self._wall(),
            "why": self.recorder.why or None,
        }

    def want(self) -> None:
        """The meeting should be recorded now; nothing happens where it is, or a failed try is too fresh."""
        recorder = self.recorder
        if self._starting or recorder.running or recorder.state == "closed":
            return
        if recorder.state == "lost" and not recorder.may_retry(now=self._monotonic()):
            return
        self._starting = True
        self._spawn(self._start(recorder))

    async def _start(self, recorder: Recorder) -> None:
        starting = asyncio.ensure_future(recorder.start())
        await asyncio.sleep(0)  # the recorder says 'starting' now
        self._changed()
        try:
            started = await starting
        finally:
            self._starting = False
        if recorder is not self.recorder or recorder.state == "closed":
            return
        if not started:
            self._tell_lost()
            return
        self._told_lost = False
        self.started_at = self._wall()
        first, self.live = not self.live, True
        recorder.mark("started", {"at": self.started_at, "again": not first})
        self._began(first)
        self._changed()

    def tick(self, *, now: float) -> None:
        if self.recorder.check(now=now):
            self._tell_lost()
        if self.live:
            self.want()

    def _tell_lost(self) -> None:
        self._changed()
        if not self._told_lost:
            self._told_lost = True
            self._lost(self.recorder.why)

    def rest(self) -> None:
        """Everybody has gone: the recording is closed; another begins when the meeting is taken up again."""
        if self.recorder.state == "off":
            return
        self.live = False
        self._spawn(self.recorder.close())
        self.recorder = Recorder(self._meeting_id, self._open_sink, monotonic=self._monotonic)

    def close(self, reason: str) -> None:
        self.recorder.mark("ended", {"reason": reason})
        self.live = False
        self._spawn(self.recorder.close())
