"""What a room has started and does not wait for, above all telling the directory.

A directory that is out of reach for a moment must hear all the same what happened then: a meeting of which it never
learnt that it went live would end as one that was not held. What could not be told waits, and all behind it, for the
order is half of the news.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any

from video.media.directory import Directory, Refused

log = logging.getLogger(__name__)

MOST_TRIES = 60
"""At one thing, a second apart while the directory can be read: what it can never take must not keep back the rest."""


class Errands:
    def __init__(self, meeting_id: str, directory: Directory) -> None:
        self._meeting_id = meeting_id
        self._directory = directory
        self._telling = asyncio.Lock()
        self._untold: deque[tuple[str, tuple[Any, ...]]] = deque()
        self._tries = 0
        self._tasks: set[asyncio.Future[Any]] = set()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def tell(self, what: str, *arguments: Any) -> None:
        """Tells the directory, one thing after the other; that it cannot listen must not disturb a meeting."""
        self._untold.append((what, arguments))
        self.run(self.told())

    def again(self) -> None:
        """The directory was reached: it may listen to what it could not be told."""
        if self._untold and not self._telling.locked():
            self.run(self.told())

    async def told(self) -> None:
        """Waits until everything was told, or the directory cannot listen."""
        async with self._telling:
            while self._untold and await self._is_told(*self._untold[0]):
                self._untold.popleft()
                self._tries = 0

    async def done(self) -> None:
        """Waits until all that was started is done."""
        while self._tasks:
            await asyncio.wait(list(self._tasks), timeout=15)

    async def _is_told(self, what: str, arguments: tuple[Any, ...]) -> bool:
        """False where it should be tried again."""
        try:
            await getattr(self._directory, what)(self._meeting_id, *arguments)
        except Refused as refused:
            log.warning("the directory refuses: %s of meeting %s: %s", what, self._meeting_id, refused.reason)
        except Exception:
            self._tries += 1
            if self._tries < MOST_TRIES:
                log.warning("not told yet: %s of meeting %s", what, self._meeting_id, exc_info=self._tries == 1)
                return False
            log.exception("the directory could not be told: %s of meeting %s", what, self._meeting_id)
        return True

    def _finished(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of meeting %s failed", self._meeting_id, exc_info=task.exception())
