"""Debian's Janus with its video call plugin, each call recorded to mjr files, as a call of ours is to the journal."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

from bench.media import session
from bench.media.film import OPUS, VP8
from bench.media.gauges import favour, pin
from bench.media.rig import Load, Recorded, Server, free_port

TYPES = {"audio": OPUS, "video": VP8}
_PROTOCOL = Subprotocol("janus-protocol")
_PARTS = [("0", "audio", "sendrecv"), ("1", "video", "sendrecv")]


def installed() -> str:
    """Its version; empty where there is none."""
    binary = shutil.which("janus")
    if binary is None or not _libraries("plugins"):
        return ""
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    found = re.search(r"\d+\.\d+\.\d+", said)
    return found[0] if found else "?"


def _libraries(kind: str) -> list[Path]:
    return [
        file for root in ("/usr/lib", "/usr/local/lib") for file in Path(root).glob(f"**/janus/{kind}/*.so")
        if file.is_file()
    ]  # fmt: skip


class Janus(Server):
    """`event_loops` 0: a thread for each connection, as Debian's configuration has it."""

    name = "janus"
    event_loops = 0

    async def _start(self) -> None:
        self._port = free_port()
        self._write_configuration()
        with (self.folder / "log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                "janus", "--configs-folder", str(self.folder), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True, preexec_fn=lambda: pin(0, self.core),
            )  # fmt: skip
        favour(self.process.pid)
        self._links: list[_Handle] = []

    def _write_configuration(self) -> None:
        plugins, transports = _libraries("plugins"), _libraries("transports")
        unused = ",".join(file.name for file in plugins if "videocall" not in file.name)
        silent = ",".join(file.name for file in transports if "websockets" not in file.name)
        loops = f"  event_loops = {self.event_loops}\n" if self.event_loops else ""
        (self.folder / "janus.jcfg").write_text(
            f'general: {{\n  plugins_folder = "{plugins[0].parent}"\n  transports_folder = "{transports[0].parent}"\n'
            f'  configs_folder = "{self.folder}"\n  debug_level = 2\n  protected_folders = []\n{loops}}}\n'
            f'nat: {{\n  ice_lite = true\n  ice_enforce_list = "{self.address}"\n}}\n'
            f"media: {{\n  ipv6 = false\n}}\n"
            f'plugins: {{\n  disable = "{unused}"\n}}\ntransports: {{\n  disable = "{silent}"\n}}\n'
            "events: {\n  broadcast = false\n}\n"
        )
        (self.folder / "janus.transport.websockets.jcfg").write_text(
            f'general: {{\n  json = "compact"\n  ws = true\n  ws_port = {self._port}\n  ws_ip = "127.0.0.1"\n'
            "  wss = false\n}\nadmin: {\n  admin_ws = false\n}\n"
        )
        (self.folder / "janus.plugin.videocall.jcfg").write_text("general: {\n  events = false\n}\n")

    async def call(self, load: Load, number: int) -> None:
        caller, callee = await self._handle(f"a{number}"), await self._handle(f"b{number}")
        own = await load.new(caller.name, self.address)
        offer = session.write(own, self.address, _PARTS, TYPES)
        await caller.say({"request": "call", "username": callee.name}, {"type": "offer", "sdp": offer})
        incoming = (await callee.until("incomingcall"))["jsep"]["sdp"]
        peer = await load.new(callee.name, self.address)
        answer = session.write(peer, self.address, _mirrored(incoming), TYPES)
        await callee.say({"request": "accept"}, {"type": "answer", "sdp": answer})
        accepted = (await caller.until("accepted"))["jsep"]["sdp"]
        ups = [
            await load.connect(callee.name, session.read(incoming)),
            await load.connect(caller.name, session.read(accepted)),
        ]
        for up in ups:
            await asyncio.wait_for(up, 15)
        for one in (caller, callee):
            await one.say({"request": "set", "record": True, "filename": str(self.folder / one.name)})
            await one.until("set")

    async def _handle(self, name: str) -> _Handle:
        deadline = time.monotonic() + 20
        while True:
            try:
                link = await websockets.connect(
                    f"ws://127.0.0.1:{self._port}",
                    subprotocols=[_PROTOCOL],
                    ping_interval=None,
                )
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)
        handle = _Handle(name, link)
        self._links.append(handle)
        await handle.open()
        return handle

    async def _hang_up(self) -> None:
        for handle in self._links:
            await handle.say({"request": "hangup"})
        await asyncio.sleep(0.3)
        for handle in self._links:
            await handle.close()

    def recorded(self) -> Recorded:
        """An mjr file: `MJR00002`, a length (2) and JSON; then frames: `MEET`, milliseconds (4), length (2), packet."""
        packets = octets = 0
        whole = True
        for path in self.folder.glob("*.mjr"):
            data = path.read_bytes()
            at = 10 + int.from_bytes(data[8:10], "big")
            while data[at : at + 4] == b"MEET":
                size = int.from_bytes(data[at + 8 : at + 10], "big")
                packets, octets, at = packets + 1, octets + size, at + 10 + size
            whole = whole and at == len(data)
        return Recorded(packets, octets, whole)


def _mirrored(offer: str) -> list[tuple[str, str, str]]:
    turned = {"sendonly": "recvonly", "recvonly": "sendonly"}
    return [(mid, kind, turned.get(direction, direction)) for mid, kind, direction in session.sections(offer)]


class _Handle:
    """One session with one handle of the plugin, on one WebSocket."""

    def __init__(self, name: str, link: ClientConnection) -> None:
        self.name = name
        self._link = link
        self._session = self._id = 0
        self._numbers = itertools.count()
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        self._tasks.append(asyncio.create_task(self._read()))
        self._session = (await self._ask(janus="create"))["data"]["id"]
        self._id = (await self._ask(janus="attach", plugin="janus.plugin.videocall"))["data"]["id"]
        self._tasks.append(asyncio.create_task(self._keep()))
        await self.say({"request": "register", "username": self.name})
        await self.until("registered")

    async def say(self, body: dict[str, Any], jsep: dict[str, Any] | None = None) -> None:
        words = {"janus": "message", "body": body} | ({"jsep": jsep} if jsep else {})
        await self._ask(**words)

    async def until(self, event: str) -> dict[str, Any]:
        async with asyncio.timeout(15):
            while True:
                words = await self._events.get()
                data = words.get("plugindata", {}).get("data", {})
                if "error" in data:
                    raise RuntimeError(f"Janus: {data['error']}")
                if data.get("result", {}).get("event") == event:
                    return words

    async def _ask(self, **words: Any) -> dict[str, Any]:
        transaction = f"{self.name}-{next(self._numbers)}"
        answer = self._answers[transaction] = asyncio.get_running_loop().create_future()
        places = {"session_id": self._session} if self._session else {}
        places |= {"handle_id": self._id} if self._id else {}
        await self._link.send(json.dumps({**words, **places, "transaction": transaction}))
        said = await asyncio.wait_for(answer, 15)
        if said["janus"] == "error":
            raise RuntimeError(f"Janus: {said['error']['reason']}")
        return said

    async def _read(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                words = json.loads(await self._link.recv())
                if words["janus"] == "event":  # it may overtake the answer, and has the same transaction
                    self._events.put_nowait(words)
                    continue
                waiting = self._answers.pop(words.get("transaction", ""), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(words)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(20)
            await self._link.send(
                json.dumps({"janus": "keepalive", "session_id": self._session, "transaction": "keep"})
            )

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._link.close()


class JanusLoops(Janus):
    """The same with one event loop for each core, which its documentation recommends for many connections."""

    name = "janus_loops"
    event_loops = os.cpu_count() or 1
