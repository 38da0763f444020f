"""A line with faults, in a process of its own: UDP doors and TCP relays that lose, delay, throttle and go dark.

    python -m tests.media.proxy PORT [SEED]

Every client has a line with two ways, `up` (client to node) and `down`. What goes through a line shares its
faults, whichever door it takes. The process is steered by lines of JSON on PORT; `Proxy` and `Line` speak them:

    with running_proxy() as proxy:
        line = proxy.line("sara")
        line.set(up={"loss": 0.05, "delay_ms": 75}, down={"kbps": 250})
        port = line.door("127.0.0.1", 40000)       # UDP, a NAT in front of the node
        port = line.relay("127.0.0.1", 8080)       # TCP, for pages and WebSockets
        line.blackout(5)                           # both ways, UDP dropped, TCP held
        line.rebind()                              # the node sees another source from now on
        line.cut()                                 # every TCP connection is reset
        line.forget()                              # every TCP connection falls silent, and nobody is told

How a page's media are led through a line: `tests.media.lines.lead`.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Literal

import uvloop

ROOT = Path(__file__).resolve().parents[2]
HEADERS = 28
"""Bytes of IPv4 and UDP that a line carries with each packet."""
BUFFER = 1 << 20
Addr = tuple[str, int]
Side = Literal["up", "down", "both"]


class Way:
    """One direction: decides of each packet whether and when it comes out."""

    def __init__(self, seed: str) -> None:
        self.loss = 0.0
        self.burst = 1.0
        """Mean length of a loss: 1 is independent loss, more comes in bursts (Gilbert)."""
        self.delay_ms = self.jitter_ms = 0.0
        self.reorder = False
        """Whether jitter may let packets overtake each other."""
        self.kbps = 0.0
        """0: as fast as it comes."""
        self.queue_ms = 300.0
        """How long a packet may wait for a throttled line before it is dropped."""
        self.dark_until = 0.0
        self.counts = {"passed": 0, "bytes": 0, "lost": 0, "overflowed": 0, "dark": 0}
        self._random = random.Random(seed)
        self._losing = False
        self._free_at = self._last = 0.0

    def set(self, **values: Any) -> None:
        for name, value in values.items():
            if name not in ("loss", "burst", "delay_ms", "jitter_ms", "reorder", "kbps", "queue_ms"):
                raise ValueError(f"a way has no {name}")
            setattr(self, name, value)

    def packet(self, size: int, *, now: float) -> float | None:
        """When a datagram that enters now leaves; None: never."""
        if now < self.dark_until:
            self.counts["dark"] += 1
            return None
        if self.loss and self._lost():
            self.counts["lost"] += 1
            return None
        leaves = now
        if self.kbps:
            begins = max(now, self._free_at)
            if (begins - now) * 1000 > self.queue_ms:
                self.counts["overflowed"] += 1
                return None
            leaves = self._free_at = begins + (size + HEADERS) * 8 / (self.kbps * 1000)
        self.counts["passed"] += 1
        self.counts["bytes"] += size
        return self._delayed(leaves)

    def chunk(self, size: int, *, now: float) -> float:
        """When bytes of a TCP connection that come now leave: nothing gets lost, it is late."""
        leaves = max(now, self.dark_until)
        if self.kbps:
            leaves = self._free_at = max(leaves, self._free_at) + size * 8 / (self.kbps * 1000)
        return leaves + self.delay_ms / 1000

    def _lost(self) -> bool:
        if self.burst <= 1:
            return self._random.random() < self.loss
        turn = 1 / self.burst if self._losing else self.loss / (self.burst * (1 - self.loss))
        if self._random.random() < turn:
            self._losing = not self._losing
        return self._losing

    def _delayed(self, leaves: float) -> float:
        if self.delay_ms or self.jitter_ms:
            leaves += (self.delay_ms + self._random.random() * self.jitter_ms) / 1000
        if not self.reorder:
            leaves = max(leaves, self._last)
        self._last = leaves
        return leaves


class Timetable:
    """What leaves later, in order, behind one timer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, Callable[[bytes], None], bytes]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = float("inf")

    def add(self, leaves: float, send: Callable[[bytes], None], data: bytes, *, now: float) -> None:
        if leaves <= now:
            send(data)
            return
        self._count += 1
        heapq.heappush(self._heap, (leaves, self._count, send, data))
        if leaves < self._wakes_at:
            self._arm(leaves)

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = at
        self._timer = self._loop.call_later(max(0.0, at - time.monotonic()), self._wake)

    def _wake(self) -> None:
        self._timer, self._wakes_at = None, float("inf")
        now = time.monotonic() + 0.0005
        while self._heap and self._heap[0][0] <= now:
            _, _, send, data = heapq.heappop(self._heap)
            send(data)
        if self._heap:
            self._arm(self._heap[0][0])


class Flow(asyncio.DatagramProtocol):
    """What one client address has on the node's side of a door: a source port of its own, as behind a NAT."""

    def __init__(self, door: Door, client: Addr) -> None:
        self._door = door
        self._client = client
        self._transport: asyncio.DatagramTransport | None = None
        self._former: list[asyncio.DatagramTransport] = []
        self._waiting: list[bytes] = []

    async def open(self, address: str | None = None) -> None:
        """Takes a (new) source port; what still comes to the former one is lost, as in a NAT that forgot it."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Upstream(self), local_addr=(address, 0) if address else None, remote_addr=self._door.target
        )
        _widen(transport)
        if self._transport is not None:
            self._former.append(self._transport)
        self._transport = transport
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.up(data)

    def up(self, data: bytes) -> None:
        if self._transport is None:
            self._waiting.append(data)
        elif not self._transport.is_closing():
            self._transport.sendto(data)

    def heard(self, transport: asyncio.BaseTransport | None, data: bytes) -> None:
        if transport is self._transport:
            self._door.down(data, self._client)

    def close(self) -> None:
        for transport in [*self._former, *([self._transport] if self._transport else [])]:
            transport.close()


class Upstream(asyncio.DatagramProtocol):
    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Addr) -> None:
        self._flow.heard(self._transport, data)

    def error_received(self, exc: Exception) -> None:
        """The node's port is closed: the client hears nothing of it, as on a real line."""


class Door(asyncio.DatagramProtocol):
    """A UDP port that leads to one address of the node."""

    def __init__(self, wires: Wires, timetable: Timetable, target: Addr) -> None:
        self.target = target
        self.flows: dict[Addr, Flow] = {}
        self._wires = wires
        self._timetable = timetable
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: Addr) -> None:
        now = time.monotonic()
        flow = self.flows.get(addr)
        if flow is None:
            flow = self.flows[addr] = Flow(self, addr)
            self._wires.start(flow.open())
        leaves = self._wires.up.packet(len(data), now=now)
        if leaves is not None:
            self._timetable.add(leaves, flow.up, data, now=now)

    def down(self, data: bytes, client: Addr) -> None:
        now = time.monotonic()
        leaves = self._wires.down.packet(len(data), now=now)
        if leaves is not None:
            self._timetable.add(leaves, lambda data: self._send(data, client), data, now=now)

    def _send(self, data: bytes, client: Addr) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, client)

    def error_received(self, exc: Exception) -> None:
        """A client that is gone."""

    def close(self) -> None:
        for flow in self.flows.values():
            flow.close()
        if self._transport is not None:
            self._transport.close()


class Wires:
    """One client's line."""

    def __init__(self, name: str, seed: int, timetable: Timetable) -> None:
        self.up, self.down = Way(f"{seed}/{name}/up"), Way(f"{seed}/{name}/down")
        self.doors: dict[Addr, tuple[Door, int]] = {}
        self.relays: dict[Addr, tuple[asyncio.Server, int]] = {}
        self.refuses_until = 0.0
        self.forgotten = 0
        """How often all connections were forgotten: those from before pass nothing any more."""
        self._timetable = timetable
        self._connections: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def ways(self, side: Side) -> list[Way]:
        return {"up": [self.up], "down": [self.down], "both": [self.up, self.down]}[side]

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def door(self, target: Addr) -> int:
        """The port that leads to `target`; the same one each time, for a NAT keeps its mapping too."""
        if target not in self.doors:
            door = Door(self, self._timetable, target)
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: door, local_addr=("127.0.0.1", 0))
            _widen(transport)
            self.doors[target] = door, transport.get_extra_info("sockname")[1]
        return self.doors[target][1]

    async def relay(self, target: Addr) -> int:
        if target not in self.relays:

            async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await self._connect(target, reader, writer)

            server = await asyncio.start_server(accepted, "127.0.0.1", 0)
            self.relays[target] = server, server.sockets[0].getsockname()[1]
        return self.relays[target][1]

    async def rebind(self, address: str | None) -> None:
        for door, _ in self.doors.values():
            for flow in door.flows.values():
                await flow.open(address)

    def cut(self) -> None:
        for writer in self._connections:
            writer.transport.abort()

    def close(self) -> None:
        self.cut()
        for door, _ in self.doors.values():
            door.close()
        for server, _ in self.relays.values():
            server.close()
        self.doors.clear()
        self.relays.clear()

    async def _connect(self, target: Addr, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        onward: asyncio.StreamWriter | None = None
        try:
            born = self.forgotten
            while (wait := self.up.dark_until - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if time.monotonic() < self.refuses_until:
                return
            answers, onward = await asyncio.open_connection(*target)
            self._connections.add(onward)

            def dead() -> bool:
                return born < self.forgotten

            await asyncio.gather(_pump(self.up, reader, onward, dead), _pump(self.down, answers, writer, dead))
        except (OSError, RuntimeError):  # RuntimeError: uvloop, where the other side has closed already
            pass
        finally:
            for one in (writer, onward):
                if one is not None:
                    self._connections.discard(one)
                    one.transport.abort()


async def _pump(way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dead: Callable[[], bool]) -> None:
    held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(256)

    async def take() -> None:
        while True:
            try:
                data = await reader.read(65_536)
            except OSError:
                data = b""
            await held.put((way.chunk(len(data), now=time.monotonic()), data))
            if not data:
                return

    taking = asyncio.ensure_future(take())
    try:
        while True:
            leaves, data = await held.get()
            while (wait := max(leaves, way.dark_until) - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if dead():
                if not data:
                    return
                continue
            if not data:
                if not writer.is_closing() and writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(data)
            await writer.drain()
    finally:
        taking.cancel()


def _widen(transport: asyncio.BaseTransport) -> None:
    sock = transport.get_extra_info("socket")
    if sock is not None:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)


class Exchange:
    """Every line, and the door through which they are steered."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._timetable = Timetable(asyncio.get_running_loop())
        self._lines: dict[str, Wires] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for text in reader:
            try:
                answer = await self.do(**json.loads(text))
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def do(self, do: str, line: str, **given: Any) -> dict[str, Any]:
        wires = self._lines.get(line)
        if wires is None:
            wires = self._lines[line] = Wires(line, self._seed, self._timetable)
        if do == "set":
            wires.up.set(**given["up"])
            wires.down.set(**given["down"])
        elif do == "door":
            return {"port": await wires.door((given["host"], given["port"]))}
        elif do == "relay":
            return {"port": await wires.relay((given["host"], given["port"]))}
        elif do == "blackout":
            for way in wires.ways(given["side"]):
                way.dark_until = time.monotonic() + given["seconds"]
            now = time.time()
            return {"from": now, "until": now + given["seconds"]}
        elif do == "rebind":
            await wires.rebind(given["address"])
        elif do == "cut":
            wires.refuses_until = time.monotonic() + given["refuse_s"]
            wires.cut()
        elif do == "forget":
            wires.forgotten += 1
        elif do == "counts":
            return {"up": wires.up.counts, "down": wires.down.counts}
        elif do == "close":
            wires.close()
            del self._lines[line]
        else:
            raise ValueError(f"nothing is called {do}")
        return {}


async def _main(port: int, seed: int) -> None:
    exchange = Exchange(seed)
    server = await asyncio.start_server(exchange.serve, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# The hand that steers it


class Line:
    """One client's line, from outside."""

    def __init__(self, proxy: Proxy, name: str) -> None:
        self.name = name
        self._proxy = proxy

    def set(self, *, up: dict[str, Any] | None = None, down: dict[str, Any] | None = None, **both: Any) -> None:
        """`loss` (0–1), `burst`, `delay_ms`, `jitter_ms`, `reorder`, `kbps` (0: unlimited), `queue_ms`; a name
        that isn't given stays as it is.
        """
        self._do("set", up=both | (up or {}), down=both | (down or {}))

    def clear(self) -> None:
        """No faults at all."""
        self.set(loss=0, burst=1, delay_ms=0, jitter_ms=0, reorder=False, kbps=0, queue_ms=300)
        self.blackout(0)

    def door(self, host: str, port: int) -> int:
        """The UDP port of 127.0.0.1 that leads to the node's address."""
        return int(self._do("door", host=host, port=port)["port"])

    def relay(self, host: str, port: int) -> int:
        """The TCP port of 127.0.0.1 that leads there."""
        return int(self._do("relay", host=host, port=port)["port"])

    def blackout(self, seconds: float, side: Side = "both") -> tuple[float, float]:
        """Nothing passes from now on for so long (0: light again); (from, until) in seconds since the epoch."""
        answer = self._do("blackout", seconds=seconds, side=side)
        return answer["from"], answer["until"]

    def rebind(self, address: str | None = None) -> None:
        """The node sees another source port, and another address where one of 127.0.0.0/8 is given."""
        self._do("rebind", address=address)

    def cut(self, refuse_s: float = 0) -> None:
        """Resets every TCP connection, and new ones for some time."""
        self._do("cut", refuse_s=refuse_s)

    def forget(self) -> None:
        """TCP connections that exist pass nothing any more and aren't reset, as behind a NAT that lost its table."""
        self._do("forget")

    def counts(self) -> dict[str, dict[str, int]]:
        """Datagrams passed, lost, overflowed (throttled line) and swallowed by the dark; for each way."""
        return self._do("counts")

    def close(self) -> None:
        """The line is gone with all its ports; its name begins anew."""
        self._do("close")

    def _do(self, do: str, **given: Any) -> dict[str, Any]:
        return self._proxy.ask(do=do, line=self.name, **given)


class Proxy:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._file = self._socket.makefile("rw", encoding="utf-8")

    def line(self, name: str) -> Line:
        return Line(self, name)

    def ask(self, **request: Any) -> dict[str, Any]:
        self._file.write(json.dumps(request) + "\n")
        self._file.flush()
        answer: dict[str, Any] = json.loads(self._file.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@contextlib.contextmanager
def running_proxy(seed: int = 1) -> Iterator[Proxy]:
    """The proxy's process; the same seed loses the same packets of the same sequence."""
    from tests.children import die_with_parent  # which loads the product: nothing for the proxy itself

    process = subprocess.Popen(
        [sys.executable, "-m", "tests.media.proxy", "0", str(seed)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
    )
    assert process.stdout is not None
    try:
        proxy = Proxy(int(process.stdout.readline()))
        try:
            yield proxy
        finally:
            proxy.close()
    finally:
        process.terminate()
        process.wait(5)
        process.stdout.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_main(int(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 1))
