"""One participant as a client has them: a link that may break, a leg that may go, and the way back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Callable
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

from bench.media import session
from bench.media.node import SECRET
from bench.media.rig import Load
from bench.soak.node import PEOPLE
from video.media.tokens import JoinClaims, mint

MIRRORED = {"recvonly": "sendonly", "sendonly": "recvonly"}
PING_S = 5.0
PATIENCE_S = 45.0
"""To be connected, whatever is in the way."""
_PAIRS = re.compile(r"a=ssrc-group:FID (\d+) (\d+)")


class Person:
    """`surprised` is told of what should not have happened."""

    def __init__(
        self, meeting: str, role: str, *, port: int, address: str, load: Load, surprised: Callable[[str], None]
    ) -> None:
        self.meeting, self.role = meeting, role
        self.name = f"{meeting}/{role}"
        self.resume = self.leg = ""
        self.recording = ""
        self.gone = False
        self.media_port = 0
        self.busy = False
        """Something is being done to this participant."""
        self._peer = ""
        """Name of the leg's peer in the load process."""
        self._made = 0
        self._port, self._address, self._load = port, address, load
        self._surprised = surprised
        self._link: ClientConnection | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._up = asyncio.Event()
        self._welcomed = asyncio.Event()
        self._kept: str | None = None
        self._dark_until = 0.0
        self._line = 0
        self._heard: list[str] = []
        """What the node said last."""
        self._stops = ""
        """How far this client gets before it breaks off."""

    # Coming and going

    async def arrive(self) -> None:
        """Joins with a fresh token, and is connected afterwards."""
        await self._join({"token": self._token()})
        await self._connected("arriving")

    async def reload(self) -> None:
        """The page is loaded anew: link and leg are gone, the secret is kept."""
        await self._cut()
        await self._drop_leg(farewell=True)
        await asyncio.sleep(0.3)
        await self._join({"resume": self.resume})
        await self._connected("reloading")

    async def stumble(self) -> None:
        """Loaded anew before anything is connected: an offer without answer, an answer that leads nowhere."""
        for self._stops in ("at the offer", "at the answer"):
            await self._cut()
            await self._drop_leg(farewell=True)
            await self._join({"resume": self.resume})
            await asyncio.sleep(0.4)
        self._stops = ""
        await self.reload()

    async def lose_link(self) -> None:
        """The WebSocket breaks, the picture goes on."""
        leg, peer = self.leg, self._peer
        await self._cut()
        await asyncio.sleep(0.5)
        await self._join({"resume": self.resume, "leg": leg})
        if self._kept != leg:
            self._surprised(f"{self.name}: the leg did not go on when the link came back")
            await self._connected("coming back")
        elif peer != self._peer:
            self._surprised(f"{self.name}: an offer came although the leg went on")

    async def go_dark(self, seconds: float) -> None:
        """Nothing passes for a while. Whether the leg is kept or replaced is the node's affair."""
        self._dark_until = time.monotonic() + seconds
        await self._load.ask("dark", name=self._peer, seconds=seconds)
        await asyncio.sleep(seconds)
        leg, before = self._peer, await self._came()
        until = time.monotonic() + PATIENCE_S
        while not self.gone and ((self._peer == leg and await self._came() <= before) or not self._up.is_set()):
            if time.monotonic() > until:
                self._surprised(f"{self.name}: nothing came {PATIENCE_S:.0f} s after the dark")
                return
            await asyncio.sleep(0.2)

    async def _came(self) -> int:
        """Packets of others that this leg has got."""
        return int((await self._load.ask("came", name=self._peer))["packets"])

    async def second_tab(self) -> None:
        """The same person elsewhere: the first is told to go."""
        first, self._link = self._link, None
        old = self._peer
        self._peer = ""
        await self._join({"token": self._token()})
        await self._connected("opening a second tab")
        await self._load.ask("drop", name=old, farewell=True)
        if first is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(first.wait_closed(), 5)
            if first.close_reason != "taken_over":
                self._surprised(f"{self.name}: the first tab was closed with {first.close_reason!r}")

    async def leave(self) -> None:
        self.gone = True
        await self.say("leave")
        await self._drop_leg(farewell=True)

    async def end(self) -> None:
        """A host ends the meeting for all."""
        self.gone = True
        await self.say("end")

    async def vanish(self) -> None:
        """Power cut: no farewell of any kind."""
        self.gone = True
        await self._drop_leg(farewell=False)
        await self._cut()

    async def clear(self) -> None:
        """Whatever is still there of this side goes."""
        self.gone = True
        for task in self._tasks:
            task.cancel()
        await self._cut()
        await self._drop_leg(farewell=True)

    # Talking

    async def say(self, what: str, /, **values: Any) -> None:
        if self._link is not None:
            with contextlib.suppress(websockets.ConnectionClosed):
                await self._link.send(json.dumps({"type": what, **values}))

    async def type_a_line(self) -> None:
        """Real-time text: a line that grows."""
        self._line += 1
        words = "السلام عليكم ورحمة الله وبركاته"
        for end in range(4, len(words), 9):
            await self.say("text", line=self._line, text=words[:end], final=False)
            await asyncio.sleep(0.2)
        await self.say("text", line=self._line, text=words, final=True)

    # Inside

    def _token(self) -> str:
        info = PEOPLE[self.role]
        claims = JoinClaims(self.meeting, self.role, info.role, info.name_ar, info.name_en)
        return mint(SECRET, claims, now=time.time())

    async def _join(self, by: dict[str, Any]) -> None:
        self._welcomed.clear()
        self._heard = []
        link = await websockets.connect(f"ws://127.0.0.1:{self._port}/ws", ping_interval=None, proxy=None)
        self._link = link
        await link.send(json.dumps({"type": "join", **{key: value for key, value in by.items() if value}}))
        for work in (self._read(link), self._ping(link)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await asyncio.wait_for(self._welcomed.wait(), 10)
        except TimeoutError:
            self._surprised(f"{self.name}: no welcome; the link is {link.state.name} and said {self._heard}")

    async def _connected(self, doing: str) -> None:
        try:
            await asyncio.wait_for(self._up.wait(), PATIENCE_S)
        except TimeoutError:
            if not self.gone:
                self._surprised(f"{self.name}: not connected {PATIENCE_S:.0f} s after {doing}")

    async def _cut(self) -> None:
        """The link breaks without a word."""
        link, self._link = self._link, None
        if link is not None:
            link.transport.abort()

    async def _drop_leg(self, *, farewell: bool) -> None:
        peer, self._peer, self.leg = self._peer, "", ""
        self._up.clear()
        if peer:
            await self._load.ask("drop", name=peer, farewell=farewell)

    async def _ping(self, link: ClientConnection) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while link is self._link:
                await link.send(json.dumps({"type": "ping", "t": 0}))
                await asyncio.sleep(PING_S)

    async def _read(self, link: ClientConnection) -> None:
        try:
            async for text in link:
                await self._take(link, json.loads(text))
        except websockets.ConnectionClosed:
            pass
        except Exception as error:
            self._surprised(f"{self.name}: {type(error).__name__} {error}")
        if link is self._link and not self.gone:
            self._surprised(f"{self.name}: the node closed the link: {link.close_code} {link.close_reason}")
            self._link = None

    async def _take(self, link: ClientConnection, message: dict[str, Any]) -> None:
        kind = message["type"]
        self._heard = [*self._heard[-9:], f"{kind} {message['reason']}" if kind == "close" else kind]
        if kind == "welcome":
            self.resume, self._kept = message["resume"], message["leg"]
            self._welcomed.set()
        elif kind == "offer" and link is self._link:
            await self._answer(link, message["leg"], message["sdp"])
        elif kind == "recording":
            if message["state"] == "lost":
                self._surprised(f"{self.name}: the recording was lost: {message['why']}")
            self.recording = message["state"]
        elif kind == "refused":
            self._surprised(f"{self.name}: refused {message['what']}: {message['why']}")

    async def _answer(self, link: ClientConnection, leg: str, offer: str) -> None:
        await self._drop_leg(farewell=False)
        if self._stops == "at the offer":
            return
        self._made += 1
        name = f"{self.name}.{self._made}"
        self.leg, self._peer = leg, name
        peer = await self._load.new(name, self._address)
        left = self._dark_until - time.monotonic()
        if left > 0:
            await self._load.ask("dark", name=name, seconds=left)
        remote = session.read(offer)
        parts = [(mid, kind, MIRRORED[direction]) for mid, kind, direction in session.sections(offer)]
        answer = session.write(peer, self._address, parts, {"audio": remote["audio"], "video": remote["video"]})
        with contextlib.suppress(websockets.ConnectionClosed):
            await link.send(json.dumps({"type": "answer", "leg": leg, "sdp": answer}))
        if self._peer != name:  # dropped meanwhile, and maybe before the load process knew of it
            await self._load.ask("drop", name=name, farewell=False)
            return
        if self._stops:
            return
        self.media_port = remote["port"]
        remote["pairs"] = [[int(media), int(again)] for media, again in _PAIRS.findall(offer)]
        up = await self._load.connect(name, remote)
        task = asyncio.create_task(self._watch_up(name, up))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch_up(self, peer: str, up: asyncio.Future[None]) -> None:
        try:
            await up
        except RuntimeError as error:
            if peer == self._peer and not self.gone:
                self._surprised(str(error))
            return
        if peer == self._peer:
            self._up.set()
