"""The load process: every peer of a measurement in one synchronous loop. Told what to do by lines of JSON on stdin.

    python -m bench.media.load FILM CORE

Words: `new`, `connect`, `send`, `reset`, `report`, `close`, each answered by one line; `up` and `failed` come by
themselves. Packets leave at their time in the film, give or take `QUANTUM_S`, whatever arrives meanwhile.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import sys
import time
from pathlib import Path
from typing import Any

from bench.media.film import SECONDS, Piece, Reel
from bench.media.gauges import pin
from bench.media.peer import Identity, Peer, Remote

QUANTUM_S = 0.0002
IDLE_S = 0.02
TICK_S = 0.1
MOST_LATE_S = 0.25
"""Sending that is later than this is given up and counted, so that a stalled machine doesn't end in a burst."""


class Engine:
    kind: type[Peer] = Peer

    def __init__(self, film: list[Piece]) -> None:
        self._film = film
        self._peers: dict[str, Peer] = {}
        self._by_fd: dict[int, Peer] = {}
        self._identity = Identity()
        self._epoll = select.epoll()
        self._senders: list[Peer] = []
        self._reel = Reel(film, 0)
        self._zero = 0.0
        self._place = self._round = 0
        self._late = 0.0
        self._skipped = 0
        self._line = b""
        self._told: set[str] = set()
        self.over = False
        os.set_blocking(0, False)
        self._epoll.register(0, select.EPOLLIN)

    def run(self) -> None:
        tick_at = time.monotonic()
        ticks = 0
        while not self.over:
            now = time.monotonic()
            if self._senders:
                now = self._send_due(now)
                for fd, _ in self._epoll.poll(0):
                    self._readable(fd)
                time.sleep(QUANTUM_S)
            else:
                for fd, _ in self._epoll.poll(IDLE_S):
                    self._readable(fd)
            if now - tick_at >= TICK_S:
                tick_at = now
                ticks += 1
                self._tick(now, ticks)

    def _readable(self, fd: int) -> None:
        if fd:
            peer = self._by_fd[fd]
            peer.readable()
            if peer.name not in self._told and peer.state in ("up", "failed"):
                self._tell(peer)
        else:
            self._command()

    def _tick(self, now: float, ticks: int) -> None:
        for index, peer in enumerate(self._peers.values()):
            peer.tick(now)
            if peer.state == "up" and self._senders:
                peer.feedback()
                if (ticks + index) % 10 == 0:
                    peer.report()
            elif peer.state == "failed" and peer.name not in self._told:
                self._tell(peer)

    def _tell(self, peer: Peer) -> None:
        self._told.add(peer.name)
        _say({"is": peer.state, "name": peer.name, "why": peer.why, "profile": peer.profile})

    def _send_due(self, now: float) -> float:
        reel = self._reel
        passed = now - self._zero
        while True:
            due = self._round * SECONDS + reel.times[self._place]
            if due > passed:
                return now
            late = passed - due
            sender, number, before = reel.events[self._place]
            if late > self._late:
                self._late = late
            if late < MOST_LATE_S:
                self._senders[sender].send(self._film[number], self._round + 1 - before)
            else:
                self._skipped += 1
            self._place += 1
            if self._place == len(reel.times):
                self._place, self._round = 0, self._round + 1
            if self._place % 16 == 0:
                now = time.monotonic()
                passed = now - self._zero

    # What the bench says

    def _command(self) -> None:
        try:
            data = os.read(0, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self.over = True
            return
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            words = json.loads(line)
            _say(getattr(self, "_do_" + words.pop("do"))(**words))

    def _do_new(self, name: str, address: str) -> dict[str, Any]:
        peer = self.kind(name, self._identity, address)
        self._peers[name] = self._by_fd[peer.socket.fileno()] = peer
        self._epoll.register(peer.socket.fileno(), select.EPOLLIN)
        return {
            "is": "new",
            "name": name,
            "ufrag": peer.ufrag,
            "password": peer.password,
            "fingerprint": self._identity.fingerprint,
            "port": peer.port,
            "ssrc": peer.ssrc,
        }

    def _do_connect(self, name: str, remote: dict[str, Any]) -> dict[str, Any]:
        self._peers[name].connect(Remote(**remote))
        return {"is": "connecting", "name": name}

    def _do_send(self) -> dict[str, Any]:
        """Everybody who is connected begins to send."""
        self._senders = [peer for peer in self._peers.values() if peer.state == "up"]
        self._reel = Reel(self._film, len(self._senders))
        self._zero, self._place, self._round = time.monotonic() + 0.05, 0, 0
        return {"is": "sending", "senders": len(self._senders)}

    def _do_reset(self) -> dict[str, Any]:
        for peer in self._peers.values():
            peer.reset()
        self._late, self._skipped = 0.0, 0
        return {"is": "reset"}

    def _do_report(self) -> dict[str, Any]:
        streams = [stream for peer in self._peers.values() for stream in peer.incoming.values()]
        latencies = sorted(value for peer in self._peers.values() for value in peer.tally.latencies_us)
        return {
            "is": "report",
            "sent": sum(peer.tally.sent for peer in self._peers.values()),
            "refused": sum(peer.tally.refused for peer in self._peers.values()),
            "skipped": self._skipped,
            "received": sum(stream.packets for stream in streams),
            "expected": sum(stream.span for stream in streams),
            "silent": sum(1 for stream in streams if not stream.packets),
            "octets": sum(stream.octets for stream in streams),
            "wrong": sum(peer.tally.wrong for peer in self._peers.values()),
            "late_ms": round(self._late * 1000, 1),
            "sampled": len(latencies),
            "latency_us": {str(share): quantile(latencies, share) for share in (50, 90, 99)},
            "failed": [f"{peer.name}: {peer.why}" for peer in self._peers.values() if peer.state == "failed"],
        }

    def _do_stop(self) -> dict[str, Any]:
        self._senders = []
        return {"is": "stopped"}

    def _do_close(self) -> dict[str, Any]:
        self._senders = []
        sent = sum(peer.sent_in_all for peer in self._peers.values())
        for fd, peer in self._by_fd.items():
            self._epoll.unregister(fd)
            peer.close()
        self._peers.clear()
        self._by_fd.clear()
        self._told.clear()
        return {"is": "closed", "sent_in_all": sent}


def quantile(values: list[int], share: int) -> int | None:
    return values[min(len(values) - 1, len(values) * share // 100)] if values else None


def _say(words: dict[str, Any]) -> None:
    print(json.dumps(words), flush=True)


def main() -> None:
    pin(0, int(sys.argv[2]))
    film = pickle.loads(Path(sys.argv[1]).read_bytes())  # written by the bench itself a moment ago
    engine = Engine(film)
    try:
        engine.run()
    except KeyboardInterrupt:
        pass
    finally:
        engine._do_close()


if __name__ == "__main__":
    main()
