"""What a room has started and does not wait for, above all telling the directory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from video.media.directory import Directory

log = logging.getLogger(__name__)


class Errands:
    def __init__(self, meeting_id: str, directory: Directory) -> None:
        self._meeting_id = meeting_id
        self._directory = directory
        self._telling = asyncio.Lock()
        self._tasks: set[asyncio.Future[Any]] = set()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def tell(self, what: str, *arguments: Any) -> None:
        """Tells the directory, one thing after the other; that it cannot listen must not disturb a meeting."""
        self.run(self._tell(what, arguments))

    async def done(self) -> None:
        """Waits until all that was started is done."""
        while self._tasks:
            await asyncio.wait(list(self._tasks), timeout=15)

    async def _tell(self, what: str, arguments: tuple[Any, ...]) -> None:
        try:
            async with self._telling:
                await getattr(self._directory, what)(self._meeting_id, *arguments)
        except Exception:
            log.exception("the directory could not be told: %s of meeting %s", what, self._meeting_id)

    def _finished(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of meeting %s failed", self._meeting_id, exc_info=task.exception())
