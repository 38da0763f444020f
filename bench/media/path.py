"""What a packet costs between the kernel and the kernel: every leg of N recorded calls in one loop, nothing else.

    python -m bench.media.path                    # 20 calls, batches as a node has them
    python -m bench.media.path --calls 1 --batch 1

Datagrams lie in the inbox as the kernel would have put them there, and what leaves is forgotten instead of sent:
decrypting, routing, cache, the handing over to the journal and encrypting remain. The median over the batches hardly
notices what else the machine does, so this tells small savings apart where `python -m bench.media` can't.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from pylibsrtp import Policy, Session

from bench.media.film import SECONDS, Piece, Reel, film
from recordings.journal import open_journal
from recordings.keys import FileKeyRing
from video.media import datagrams, hooks, sockets
from video.media.devices import plug
from video.media.leg import Leg
from video.media.node import FAST_S
from video.media.recorder import Recorder
from video.media.router import Router
from video.media.sockets import Port, Sockets

PROFILE = Policy.SRTP_PROFILE_AEAD_AES_256_GCM
HOST = "127.0.0.1"


def keyed(key: bytes, kind: int) -> Session:
    return Session(Policy(key, ssrc_type=kind, srtp_profile=PROFILE))


class Sender:
    """A participant's end of one leg: what it sends lies protected, in the order of the film."""

    def __init__(self, number: int, port: Port, ports: Sockets) -> None:
        inward, outward = secrets.token_bytes(44), secrets.token_bytes(44)
        self.session = keyed(inward, Policy.SSRC_ANY_OUTBOUND)
        self.leg = Leg(f"leg/{number}", sockets=ports, changed=lambda leg: None)
        self.leg.open()
        self.leg._dtls._rx_srtp = keyed(inward, Policy.SSRC_ANY_INBOUND)
        self.leg._dtls._tx_srtp = keyed(outward, Policy.SSRC_ANY_OUTBOUND)
        self.leg._keys = hooks.Keys(self.leg._dtls)
        self.leg.state = "up"
        connection = self.leg._ice._connection
        protocol = connection._protocols[0]
        address = (HOST, 20_000 + number)
        connection._nominated[1] = SimpleNamespace(protocol=protocol, remote_addr=address)  # type: ignore[assignment]
        self.name = datagrams.name_of(port.family, address)
        port._bind(self.name[: port._inbox.key_size], protocol.transport)  # type: ignore[arg-type]
        self.ssrc = {True: 2 * number + 1000, False: 2 * number + 1001}
        self._numbers = {True: secrets.randbits(15), False: secrets.randbits(15)}
        self._counter = 0

    def protected(self, piece: Piece, round_: int) -> bytes:
        number = self._numbers[piece.video] = (self._numbers[piece.video] + 1) & 0xFFFF
        self._counter = (self._counter + 1) & 0xFFFF
        packet = bytearray(piece.plain)
        stamp = piece.tick + round_ * (180_000 if piece.video else 96_000)
        packet[2:4], packet[4:8] = number.to_bytes(2, "big"), stamp.to_bytes(4, "big")
        packet[8:12] = self.ssrc[piece.video].to_bytes(4, "big")
        packet[piece.counted_at : piece.counted_at + 2] = self._counter.to_bytes(2, "big")
        return self.session.protect(bytes(packet))


class Stage:
    """N recorded calls on one port that is not read from and not written to."""

    def __init__(self, calls: int, folder: Path) -> None:
        self._sockets = Sockets([HOST])
        self._sockets.open()
        self.port = self._sockets.ports[0]
        asyncio.get_running_loop().remove_reader(self.port.socket.fileno())
        self.port._more, sockets.BUSY = True, datagrams.BATCH  # no rest before a look, and none after
        self.senders = [Sender(number, self.port, self._sockets) for number in range(2 * calls)]
        self._folder = folder
        self._recorders: list[Recorder] = []
        self._routers: list[Router] = []

    async def begin(self) -> None:
        keys = FileKeyRing(self._folder / "key")

        def open_sink(name: str) -> Any:
            return open_journal(
                self._folder / name, keys, recording_id=name, meeting_id=name, started_at=datetime.now(UTC)
            )

        for number in range(0, len(self.senders), 2):
            recorder = Recorder(f"m{number}", open_sink)
            await recorder.start()
            self._recorders.append(recorder)
            router = Router(recorder, monotonic=time.monotonic)
            for here, there in ((number, number + 1), (number + 1, number)):
                plug(router, self.senders[here].leg, str(here), {0: str(there)})
            router.flow(True)
            self._routers.append(router)

    def batch(self, packets: list[tuple[int, bytes]]) -> None:
        """Puts datagrams (of whom, what) where the kernel would have put them."""
        inbox = self.port._inbox
        for index, (sender, packet) in enumerate(packets):
            inbox.octets[index * datagrams.ROOM : index * datagrams.ROOM + len(packet)] = packet
            name = self.senders[sender].name
            inbox.names[index * datagrams.NAME : index * datagrams.NAME + len(name)] = name
            inbox.lengths[index * datagrams.LENGTH + datagrams.LENGTH_AT] = len(packet)
        inbox.receive = lambda: len(packets)  # type: ignore[method-assign]

    def tick(self) -> None:
        """What the node does twenty times a second, as far as the routers go."""
        now = time.monotonic()
        for router in self._routers:
            router.tick(now=now)

    async def end(self) -> None:
        for recorder in self._recorders:
            await recorder.close()
        for sender in self.senders:
            await sender.leg.close()
        self._sockets.close()


class Forgotten(datagrams.Outbox):
    """What would have left."""

    left = 0

    def flush(self) -> None:
        Forgotten.left += self.filled
        self.filled = 0


def timetable(pieces: list[Piece], senders: int) -> Iterator[tuple[int, Piece, int]]:
    reel, round_ = Reel(pieces, senders), 1
    while True:
        for sender, number, before in reel.events:
            yield sender, pieces[number], round_ - before
        round_ += 1


class Costs(NamedTuple):
    """Microseconds a packet: of each batch, and of each tick for the packets since the last one."""

    packets: list[float]
    ticks: list[float]


def measure(stage: Stage, pieces: list[Piece], *, batch: int, packets: int, rest: float) -> Costs:
    events = timetable(pieces, len(stage.senders))
    between = round(len(stage.senders) * len(pieces) / SECONDS * FAST_S)
    costs = Costs([], [])
    begun = Forgotten.left = since = 0
    clock = time.perf_counter_ns
    for _ in range(packets // batch):
        upcoming = [next(events) for _ in range(batch)]
        stage.batch([(sender, stage.senders[sender].protected(piece, round_)) for sender, piece, round_ in upcoming])
        if rest:
            time.sleep(rest)
        begun = clock()
        stage.port.look()
        costs.packets.append((clock() - begun) / 1000 / batch)
        stage.port._more = True
        since += batch
        if since >= between:
            begun = clock()
            stage.tick()
            costs.ticks.append((clock() - begun) / 1000 / since)
            since = 0
    if Forgotten.left < packets // batch * batch:
        raise RuntimeError(f"only {Forgotten.left} packets would have left")
    return costs


async def play(options: argparse.Namespace, folder: Path) -> Costs:
    stage = Stage(options.calls, folder)
    stage.port.outbox.__class__ = Forgotten
    await stage.begin()
    try:
        return measure(stage, film(), batch=options.batch, packets=options.packets, rest=options.rest)
    finally:
        await stage.end()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.media.path", description="the path of a packet, in memory")
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--batch", type=int, default=9, help="datagrams that are there at each look")
    parser.add_argument("--packets", type=int, default=40_000)
    parser.add_argument("--rest", type=float, default=0.0, help="seconds of sleep before each look: caches forget")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="majlis-path-") as name:
        costs = asyncio.run(play(options, Path(name)))
    for name, values in costs._asdict().items():
        least, median, most = statistics.quantiles(values[len(values) // 5 :], n=4)
        print(f"{name}: {median:.2f} us a packet ({least:.2f}-{most:.2f})")


if __name__ == "__main__":
    main()
