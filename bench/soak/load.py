"""The load process of the soak: peers come and go while others send.

    python -m bench.soak.load FILM CORE SEATS LOSS

Beyond the words of bench.media.load: `drop`, `dark`, `came`, `took` (what was seen since the last time it was asked).
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.media.film import Piece, Reel
from bench.media.gauges import pin
from bench.media.load import Engine, quantile
from bench.media.peer import Peer, Remote
from bench.soak.peer import LivelyPeer


class Nobody:
    """Sits where nobody sends."""

    def send(self, piece: Piece, round_: int) -> None:
        return None


NOBODY: Any = Nobody()


class LivelyEngine(Engine):
    """`seats`: how many may send at once. Whoever is connected takes a free one."""

    kind = LivelyPeer

    def __init__(self, film: list[Piece], seats: int) -> None:
        super().__init__(film)
        self._senders = [NOBODY] * seats
        self._reel = Reel(film, seats)
        self._zero = time.monotonic()
        self._gone: Counter[str] = Counter()
        self._latencies: list[int] = []
        self._before: Counter[str] = Counter()

    def _readable(self, fd: int) -> None:
        if not fd or fd in self._by_fd:  # it may have been dropped a moment ago
            super()._readable(fd)

    def _tell(self, peer: Peer) -> None:
        assert isinstance(peer, LivelyPeer)
        if peer.state == "up" and peer.sends and peer not in self._senders and NOBODY in self._senders:
            self._senders[self._senders.index(NOBODY)] = peer
        super()._tell(peer)

    def _do_connect(self, name: str, remote: dict[str, Any], sends: bool = True) -> dict[str, Any]:
        peer = self._peers.get(name)
        if not isinstance(peer, LivelyPeer):  # dropped a moment ago
            return {"is": "gone", "name": name}
        peer.sends = sends
        peer.repairs = {again: media for media, again in remote.pop("pairs")}
        peer.connect(Remote(**remote))
        return {"is": "connecting", "name": name}

    def _do_drop(self, name: str, farewell: bool) -> dict[str, Any]:
        peer = self._peers.pop(name, None)
        if isinstance(peer, LivelyPeer):
            del self._by_fd[peer.socket.fileno()]
            self._epoll.unregister(peer.socket.fileno())
            if peer in self._senders:
                self._senders[self._senders.index(peer)] = NOBODY
            peer.close(farewell=farewell)
            self._told.discard(name)
            self._gone += _counted(peer)
            self._latencies += peer.tally.latencies_us
        return {"is": "dropped", "name": name}

    def _do_dark(self, name: str, seconds: float) -> dict[str, Any]:
        peer = self._peers.get(name)
        if isinstance(peer, LivelyPeer):
            peer.dark_until = time.monotonic() + seconds
        return {"is": "dark", "name": name}

    def _do_came(self, name: str) -> dict[str, Any]:
        peer = self._peers.get(name)
        came = sum(stream.came for stream in peer.streams.values()) if isinstance(peer, LivelyPeer) else 0
        return {"is": "came", "packets": came}

    def _do_took(self) -> dict[str, Any]:
        whole = Counter(self._gone)
        latencies, self._latencies = self._latencies, []
        for peer in self._peers.values():
            assert isinstance(peer, LivelyPeer)
            whole.update(_counted(peer))
            latencies += peer.tally.latencies_us
            peer.tally.latencies_us = []
        latencies.sort()
        now = Counter(whole)
        now.subtract(self._before)
        self._before = whole
        late, self._late = self._late, 0.0
        skipped, self._skipped = self._skipped, 0
        return {
            "is": "took",
            "peers": sum(1 for peer in self._peers.values() if peer.state == "up"),
            "counts": dict(now),
            "p50_ms": (quantile(latencies, 50) or 0) / 1000,
            "p99_ms": (quantile(latencies, 99) or 0) / 1000,
            "late_ms": round(late * 1000, 1),
            "skipped": skipped,
        }


def _counted(peer: LivelyPeer) -> Counter[str]:
    streams = peer.streams.values()
    sounds = [stream for stream in streams if not stream.video]
    return Counter(
        {
            **peer.counts,
            "sent": peer.sent_in_all,
            "came": sum(stream.came for stream in streams),
            "gaps": sum(stream.gaps for stream in streams),
            "sounds": sum(stream.came for stream in sounds),
            "sounds_lost": sum(stream.gaps for stream in sounds),
            "sounds_repaired": sum(stream.repaired for stream in sounds),
            "repaired": sum(stream.repaired for stream in streams),
            "given_up": sum(stream.given_up for stream in streams),
            "cut_off": sum(stream.cut_off for stream in streams),
            "wrong": peer.tally.wrong,
        }
    )


def main() -> None:
    film, core, seats, loss = sys.argv[1:]
    pin(0, int(core))
    LivelyPeer.loss = float(loss)
    engine = LivelyEngine(pickle.loads(Path(film).read_bytes()), int(seats))  # written by the bench a moment ago
    with contextlib.suppress(KeyboardInterrupt):
        engine.run()
    engine._do_close()


if __name__ == "__main__":
    main()
