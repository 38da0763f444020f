"""One signalling connection: what goes out waits in a short queue, what comes in is counted."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from video.media import messages
from video.media.messages import CloseReason, Closing

log = logging.getLogger(__name__)

WAITING = 256
RATE, BURST = 40.0, 120.0
WEIGHT = 1000
"""Characters that count as much as another message: what someone says is sent on to three others."""
FAREWELL_S = 2.0
SILENT_S = 30.0
CLOSE_CODE = 4000


class WireClosed(Exception):
    """The other side has gone."""


class Wire(Protocol):
    """A text channel: a WebSocket, or a pair of queues in a test."""

    async def receive(self) -> str:
        """Raises `WireClosed`."""
        ...

    async def send(self, text: str) -> None:
        """Raises `WireClosed`."""
        ...

    async def close(self, code: int, reason: str) -> None: ...


class Link:
    """Sends never wait: a client that doesn't read is let go ('too_slow')."""

    def __init__(self, wire: Wire, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.closed: CloseReason | None = None
        self.heard_at = monotonic()
        self._wire = wire
        self._monotonic = monotonic
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._allowance = BURST
        self._gone = asyncio.Event()
        self._writer = asyncio.ensure_future(self._write())

    def send(self, kind: str, /, **values: Any) -> None:
        if self.closed is not None or self._gone.is_set():
            return
        if self._queue.qsize() >= WAITING:
            self.close(CloseReason.TOO_SLOW)
            return
        self._queue.put_nowait(json.dumps({"type": kind, **values}, ensure_ascii=False))

    def close(self, reason: CloseReason) -> None:
        """Says why and ends the connection; the first reason stands."""
        if self.closed is None:
            self.closed = reason
            self._queue.put_nowait(json.dumps({"type": "close", "reason": reason.value}))
            self._queue.put_nowait(None)
            # One who doesn't read doesn't take the farewell either.
            asyncio.get_running_loop().call_later(FAREWELL_S, self._writer.cancel)

    async def receive(self) -> dict[str, Any]:
        """The next message; raises `WireClosed` when the connection has ended, `Closing` for misuse."""
        reading = asyncio.ensure_future(self._wire.receive())
        ending = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                raise WireClosed
            text = reading.result()
        finally:
            for task in (reading, ending):
                if not task.done():
                    task.cancel()
            del task, reading, ending  # an error's frames hold what is named here, and the task the error
        self._count(text)
        return messages.read(text)

    def _count(self, text: str) -> None:
        now = self._monotonic()
        self._allowance = min(BURST, self._allowance + (now - self.heard_at) * RATE) - 1 - len(text) // WEIGHT
        self.heard_at = now
        if self._allowance < 0:
            raise Closing(CloseReason.FLOODING)

    async def _write(self) -> None:
        try:
            while (text := await self._queue.get()) is not None:
                await self._wire.send(text)
            reason = self.closed.value if self.closed else ""
            await self._wire.close(CLOSE_CODE, reason)
        except WireClosed:
            pass
        except Exception:
            log.exception("a signalling connection failed in writing")
        finally:
            self._gone.set()

    async def finish(self) -> None:
        """Lets what waits go out for a moment, then stops the writer."""
        if self.closed is None:
            self._queue.put_nowait(None)
        done, _ = await asyncio.wait([self._writer], timeout=FAREWELL_S)
        if not done:
            self._writer.cancel()
