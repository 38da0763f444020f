"""Live pages: a change becomes a hint ("changed: queue:…") on exactly the screens that may know of it.

Every web process follows the outbox table and hints its own sockets. A hint carries no data: the page fetches itself
again and is authorised anew. See docs/decisions/003-hints.md.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import anyio
import socketio
import structlog
from sqlalchemy import select

from core import clock
from core.db import Database
from core.events import OutboxEvent
from core.staff import service as staff_service
from core.staff.models import Staff
from web.http import SESSION_COOKIE
from web.topics import may_watch, topics_of

log = structlog.get_logger()
EVERY = 0.25  # seconds between looks where no commit of our own wakes us
WINDOW = timedelta(seconds=10)  # rows are looked at again this long: ids are given before their commit is seen


class Live:
    def __init__(self, db: Database) -> None:
        self.db = db
        self.sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=[], transports=["websocket"])
        self.sio.on("connect", self._connect)
        self.sio.on("watch", self._watch)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._seen: dict[int, float] = {}

    def wake(self) -> None:
        """Called from any thread after a commit."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def follow(self) -> None:
        """Follow the outbox for ever; a fault of the database is waited out."""
        self._loop = asyncio.get_running_loop()
        started = clock.now()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), EVERY)
            self._woken.clear()
            try:
                rows = await anyio.to_thread.run_sync(self._fresh, max(started, clock.now() - WINDOW))
            except Exception as error:
                log.warning("live: cannot read the outbox", error=str(error))
                await asyncio.sleep(2)
                continue
            topics = {topic for name, payload in rows for topic in topics_of(name, payload)}
            for topic in topics:
                await self.sio.emit("changed", {"topic": topic}, room=topic)

    def _fresh(self, since: Any) -> list[tuple[str, dict[str, Any]]]:
        with self.db.read() as session:
            rows = session.execute(
                select(OutboxEvent.id, OutboxEvent.name, OutboxEvent.payload, OutboxEvent.occurred_at).where(
                    OutboxEvent.occurred_at >= since
                )
            ).all()
        fresh = [row for row in rows if row.id not in self._seen]
        self._seen.update({row.id: row.occurred_at.timestamp() for row in fresh})
        horizon = since.timestamp() - WINDOW.total_seconds()
        self._seen = {key: at for key, at in self._seen.items() if at > horizon}
        return [(row.name, row.payload) for row in fresh]

    async def _connect(self, sid: str, environ: dict[str, Any], _auth: Any = None) -> None:
        cookie = SimpleCookie(environ.get("HTTP_COOKIE", ""))
        token = cookie[SESSION_COOKIE].value if SESSION_COOKIE in cookie else None
        await self.sio.save_session(sid, {"token": token})

    async def _watch(self, sid: str, data: Any) -> dict[str, list[str]]:
        """Join the rooms of the topics that this socket's person may watch; the others are silently left out."""
        wished = [str(t) for t in (data or {}).get("topics", [])][:20] if isinstance(data, dict) else []
        token = (await self.sio.get_session(sid)).get("token")
        allowed = await anyio.to_thread.run_sync(self._allowed, token, wished)
        for topic in allowed:
            await self.sio.enter_room(sid, topic)
        return {"topics": allowed}

    def _allowed(self, token: str | None, wished: list[str]) -> list[str]:
        with self.db.read() as session:
            found = staff_service.session_of(session, token, now=clock.now()) if token else None
            person: Staff | None = found[0] if found else None
            return [topic for topic in wished if may_watch(session, person, topic)]


Wake = Callable[[], None]
