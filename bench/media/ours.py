"""Drives our node: joins with tokens over its WebSocket as two people of a meeting do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

from bench.media import session
from bench.media.node import PEOPLE, SECRET
from bench.media.rig import Load, Recorded, Server, free_port, started
from recordings.journal import JournalReader
from recordings.keys import FileKeyRing
from video.media.tokens import JoinClaims, mint


class Ours(Server):
    name = "ours"

    async def _start(self) -> None:
        self._port = free_port()
        self.process = await started(
            "bench.media.node", self.address, str(self._port), str(self.folder), str(self.core)
        )
        self._links: list[ClientConnection] = []
        self._readers: list[asyncio.Task[None]] = []

    async def call(self, load: Load, number: int) -> None:
        ups = [await self._join(load, f"m{number}", role) for role in PEOPLE]
        async with asyncio.timeout(15):
            await asyncio.gather(*ups)

    async def _join(self, load: Load, meeting: str, role: str) -> asyncio.Future[Any]:
        info = PEOPLE[role]
        claims = JoinClaims(meeting, role, info.role, info.name_ar, info.name_en)
        link = await self._open()
        self._links.append(link)
        await link.send(json.dumps({"type": "join", "token": mint(SECRET, claims, now=time.time())}))
        while True:
            async with asyncio.timeout(10):
                message = json.loads(await link.recv())
            if message["type"] == "close":
                raise RuntimeError(f"the node closed the connection: {message['reason']}")
            if message["type"] == "offer":
                break
        name = f"{meeting}/{role}"
        peer = await load.new(name, self.address)
        remote = session.read(message["sdp"])
        parts = [
            (mid, kind, {"recvonly": "sendonly", "sendonly": "recvonly"}[direction])
            for mid, kind, direction in session.sections(message["sdp"])
        ]
        answer = session.write(peer, self.address, parts, {"audio": remote["audio"], "video": remote["video"]})
        await link.send(json.dumps({"type": "answer", "leg": message["leg"], "sdp": answer}))
        up = await load.connect(name, remote)
        self._readers.append(asyncio.create_task(self._keep(link)))
        return up

    async def _open(self) -> ClientConnection:
        deadline = time.monotonic() + 20
        while True:
            try:
                return await websockets.connect(f"ws://127.0.0.1:{self._port}/ws", ping_interval=None)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def _keep(self, link: ClientConnection) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await link.send(json.dumps({"type": "ping", "t": 0}))
                async with asyncio.timeout(5) as waiting:
                    with contextlib.suppress(TimeoutError):
                        while not waiting.expired():
                            await link.recv()

    async def _hang_up(self) -> None:
        for reader in self._readers:
            reader.cancel()
        for link in self._links:
            await link.close()

    def recorded(self) -> Recorded:
        """Read after the node has gone: the journal must open with its key and end in order."""
        keys = FileKeyRing(self.folder / "key")
        packets = octets = 0
        whole = True
        for path in self.folder.glob("*.journal"):
            with JournalReader(path, keys) as journal:
                for _, _, packet in journal.packets():
                    if not 192 <= packet[1] <= 223:
                        packets += 1
                        octets += len(packet)
                whole = whole and journal.finished
        return Recorded(packets, octets, whole)
