"""Live pages: a change becomes a hint ("changed: queue:…") on exactly the screens that may know of it.

Every web process follows the outbox table and hints its own sockets. A hint carries no data: the page fetches itself
again and is authorised anew. See docs/decisions/003-hints.md.
"""

import asyncio
import contextlib
from typing import Any

import anyio
import socketio
import structlog
from starlette.requests import cookie_parser

from core import clock
from core.db import Database
from core.staff import service as staff_service
from core.staff.models import Staff
from web.http import SESSION_COOKIE
from web.origin import is_ours
from web.tail import Tail
from web.topics import may_watch, topics_of

log = structlog.get_logger()
EVERY = 0.1  # seconds between looks where no commit of our own wakes us
BREATH = 0.04  # seconds of rest after a hint: it goes to hundreds of screens, and what changes meanwhile is one hint
TOPICS = 40  # that one socket may watch
TOPIC_LENGTH = 80


class Live:
    def __init__(self, db: Database, public_url: str = "") -> None:
        self.db = db
        self.public_url = public_url
        self.sio = socketio.AsyncServer(
            async_mode="asgi", cors_allowed_origins=self._is_ours, transports=["websocket"], max_http_buffer_size=16384
        )
        self.sio.on("connect", self._connect)
        self.sio.on("watch", self._watch)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._tail = Tail()

    def wake(self) -> None:
        """Called from any thread after a commit."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def follow(self) -> None:
        """Follow the outbox for ever; a fault of the database is waited out, and nothing here may end the loop."""
        self._loop = asyncio.get_running_loop()
        thread = anyio.CapacityLimiter(1)  # our own: pages that wait for the database don't hold up the hints
        seen: object = None
        while True:
            try:
                mark = self.db.mark()
                rows = [] if mark == seen else await anyio.to_thread.run_sync(self._fresh, limiter=thread)
                seen = mark
                at = round(clock.now().timestamp() * 1000)  # for whoever measures the way to a screen
                topics = {topic for name, payload in rows for topic in topics_of(name, payload)}
                for topic in topics:
                    await self.sio.emit("changed", {"topic": topic, "at": at}, room=topic)
                if topics:
                    await asyncio.sleep(BREATH)
            except Exception as error:
                log.warning("live: cannot follow the outbox", error=str(error))
                await asyncio.sleep(2)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), EVERY)
            self._woken.clear()

    def _fresh(self) -> list[tuple[str, dict[str, Any]]]:
        with self.db.read() as session:
            return self._tail.fresh(session)

    def _is_ours(self, _origin: str | None, environ: dict[str, Any]) -> bool:
        # By the origin alone: browsers don't agree about Sec-Fetch-Site between the schemes http and ws.
        named = {"origin": "HTTP_ORIGIN", "host": "HTTP_HOST"}
        return is_ours({name: environ[key] for name, key in named.items() if key in environ}, self.public_url)

    async def _connect(self, sid: str, environ: dict[str, Any], _auth: Any = None) -> None:
        token = cookie_parser(environ.get("HTTP_COOKIE", "")).get(SESSION_COOKIE)
        with contextlib.suppress(KeyError):  # it has left already
            await self.sio.save_session(sid, {"token": token})

    async def _watch(self, sid: str, data: Any) -> dict[str, list[str]]:
        """Join the rooms of the topics that this socket's person may watch; the others are silently left out."""
        asked = data.get("topics") if isinstance(data, dict) else None
        room_left = TOPICS - len(self.sio.rooms(sid))
        wished = [t for t in asked if isinstance(t, str) and len(t) <= TOPIC_LENGTH] if isinstance(asked, list) else []
        wished = wished[: max(room_left, 0)]
        if not wished:
            return {"topics": []}
        try:
            token = (await self.sio.get_session(sid)).get("token")
            allowed = await anyio.to_thread.run_sync(self._allowed, token, wished)
            for topic in allowed:
                await self.sio.enter_room(sid, topic)
        except (KeyError, ValueError):  # what socket.io raises for one that left meanwhile
            return {"topics": []}
        return {"topics": allowed}

    def _allowed(self, token: str | None, wished: list[str]) -> list[str]:
        with self.db.read() as session:
            found = staff_service.session_of(session, token, now=clock.now()) if token else None
            person: Staff | None = found[0] if found else None
            return [topic for topic in wished if may_watch(session, person, topic)]
