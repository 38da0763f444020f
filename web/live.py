"""Live pages: a change becomes a hint ("changed: queue:…") on exactly the screens that may know of it.

Every web process follows the outbox table and hints its own sockets. A hint carries no data: the page fetches itself
again and is authorised anew. See docs/decisions/003-hints.md.

A socket outlives what it was let in by: once a minute those who have signed out, were deactivated or have other roles
now leave their rooms, and their page is hinted a last time, so that it asks for itself and is told.
"""

import asyncio
import contextlib
import time
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
LOOK_AGAIN = 60.0  # seconds between looks whether those who were let in may still be there

Standing = tuple[str, frozenset[str], str | None, str | None]
"""A person with all that `may_watch` goes by: their roles, their centre, their department."""


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
        self._let_in: dict[str, tuple[str, Standing]] = {}

    def wake(self) -> None:
        """Called from any thread after a commit."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def follow(self) -> None:
        """Follow the outbox for ever; a fault of the database is waited out, and nothing here may end the loop."""
        self._loop = asyncio.get_running_loop()
        thread = anyio.CapacityLimiter(1)  # our own: pages that wait for the database don't hold up the hints
        seen: object = None
        looked = time.monotonic()
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
                if time.monotonic() - looked > LOOK_AGAIN:
                    looked = time.monotonic()
                    await self._look_again(thread)
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
            allowed, standing = await anyio.to_thread.run_sync(self._allowed, token, wished)
            for topic in allowed:
                await self.sio.enter_room(sid, topic)
            if standing is not None:
                self._let_in.setdefault(sid, (token, standing))  # the first one: the oldest room was entered by it
        except (KeyError, ValueError):  # what socket.io raises for one that left meanwhile
            return {"topics": []}
        return {"topics": allowed}

    def _allowed(self, token: str | None, wished: list[str]) -> tuple[list[str], Standing | None]:
        with self.db.read() as session:
            found = staff_service.session_of(session, token, now=clock.now()) if token else None
            person: Staff | None = found[0] if found else None
            allowed = [topic for topic in wished if may_watch(session, person, topic)]
            return allowed, _standing(person) if person else None

    async def _look_again(self, thread: anyio.CapacityLimiter) -> None:
        """One question for all who were let in, and a closer look at those for whom something has changed."""
        self._let_in = {sid: held for sid, held in self._let_in.items() if self.sio.rooms(sid)}  # the others have left
        held = list(self._let_in.items())
        if not held:
            return
        tokens = {token for _, (token, _) in held}
        standings = await anyio.to_thread.run_sync(self._standings, tokens, limiter=thread)
        for sid, (token, before) in held:
            if standings.get(token) == before:
                continue
            rooms = [room for room in self.sio.rooms(sid) if room != sid]
            allowed, standing = await anyio.to_thread.run_sync(self._allowed, token, rooms, limiter=thread)
            for room in set(rooms).difference(allowed):
                await self.sio.leave_room(sid, room)
            self._let_in.pop(sid, None)
            if standing is not None:
                self._let_in[sid] = (token, standing)
            await self.sio.emit("changed", {}, room=sid)

    def _standings(self, tokens: set[str]) -> dict[str, Standing]:
        with self.db.read() as session:
            found = staff_service.holders(session, tokens, now=clock.now())
            return {token: _standing(person) for token, person in found.items()}


def _standing(person: Staff) -> Standing:
    return person.id, person.roles, person.centre_id, person.department_id
