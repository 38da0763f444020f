"""A participant without a browser who counts every packet: our signalling, one real leg (`bench.media.peer`)."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from bench.media import session
from bench.media.film import SECONDS, Piece, film
from bench.media.peer import Identity, Peer, Remote

_FILM: list[Piece] = []
_IDENTITY: list[Identity] = []
ADDRESS = "127.0.0.1"


class Open(Peer):
    """A peer that tells its keys, and that goes on sending when it is told goodbye."""

    keys: tuple[bytes, ...] = ()

    def fail(self, why: str) -> None:
        if self.state != "up":
            super().fail(why)

    def _key(self) -> None:
        super()._key()
        if self.state == "up" and self._ssl is not None:
            size = 32 if "256" in self.profile else 16
            material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (size + 14))
            self.keys = material[:size], material[size : 2 * size]


class Raw:
    """Joins at once with `token` or `resume`; answers what it is offered, and sends a film while it is connected.

    `messages` is all that the node said, `closed` the reason it gave at the end, `peer` the leg (None before an offer).
    """

    def __init__(self, url: str, *, answers: bool = True, **join: Any) -> None:
        self.messages: list[dict[str, Any]] = []
        self.closed: str | None = None
        self.over = False
        self.peer: Open | None = None
        self.offer = ""
        self.answer = ""
        self.at_close = 0
        self._answers = answers
        self._lock = threading.Lock()
        self._opening = connect(url.replace("http", "ws", 1), proxy=None, max_size=1 << 17)
        self._link = self._opening.__enter__()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._play)]
        self.say("join", **join)
        for thread in self._threads:
            thread.start()

    @property
    def packets(self) -> int:
        """Media packets that reached our socket up to now, whoever sent them and whatever is in them."""
        with self._lock:
            if self.peer is None:
                return 0
            self.peer.readable()
            return sum(stream.packets for stream in self.peer.incoming.values())

    @property
    def resume(self) -> str:
        return str(self.said("welcome")[-1]["resume"])

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in list(self.messages) if message["type"] == kind]

    def say(self, kind: str, /, **values: Any) -> None:
        with contextlib.suppress(ConnectionClosed):
            self._link.send(json.dumps({"type": kind, **values}))

    def until(self, holds: Callable[[Raw], Any], seconds: float = 25) -> Any:
        end = time.monotonic() + seconds
        while not (found := holds(self)):
            heard = [message["type"] for message in self.messages]
            assert time.monotonic() < end, f"it did not come about; heard {heard}, closed {self.closed}"
            time.sleep(0.01)
        return found

    def ends(self) -> str | None:
        """Waits for the end of the link and returns the reason."""
        self.until(lambda one: one.closed is not None or not one._threads[0].is_alive())
        return self.closed

    def leave(self) -> None:
        self.over = True
        self._opening.__exit__(None, None, None)
        for thread in self._threads:
            thread.join(3)
        if self.peer is not None:
            self.peer.close()

    def _listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            for text in self._link:
                message = json.loads(text)
                if message["type"] == "close":
                    self.at_close = self.packets
                    self.closed = message["reason"]
                self.messages.append(message)
                if message["type"] == "offer" and self._answers:
                    self._answer(message)

    def _answer(self, message: dict[str, Any]) -> None:
        if not _IDENTITY:
            _IDENTITY.append(Identity())
        peer = Open(message["leg"], _IDENTITY[0], ADDRESS)
        self.offer = message["sdp"]
        remote = session.read(self.offer)
        turned = {"recvonly": "sendonly", "sendonly": "recvonly"}
        parts = [(mid, kind, turned[direction]) for mid, kind, direction in session.sections(self.offer)]
        ours = {
            "ufrag": peer.ufrag,
            "password": peer.password,
            "fingerprint": _IDENTITY[0].fingerprint,
            "port": peer.port,
            "ssrc": peer.ssrc,
        }
        types = {"audio": remote["audio"], "video": remote["video"]}
        self.answer = session.write(ours, ADDRESS, parts, types)
        self.say("answer", leg=message["leg"], sdp=self.answer)
        with self._lock:
            if self.peer is not None:
                self.peer.close()
            peer.connect(Remote(**remote))
            self.peer = peer

    def _play(self) -> None:
        if not _FILM:
            _FILM.extend(film())
        begun, place, turn = time.monotonic(), 0, 0
        while not self.over:
            now = time.monotonic()
            with self._lock:
                peer = self.peer
                if peer is not None:
                    peer.tick(now)
                    peer.readable()
                while turn * SECONDS + _FILM[place].at <= now - begun:
                    if peer is not None and peer.state == "up":
                        peer.send(_FILM[place], turn + 1)
                    place += 1
                    if place == len(_FILM):
                        place, turn = 0, turn + 1
            time.sleep(0.004)


def refused(url: str, **headers: str) -> int:
    """The HTTP status with which a WebSocket is refused; 101 where it is not."""
    try:
        with connect(url.replace("http", "ws", 1), additional_headers=headers, proxy=None):
            return 101
    except InvalidStatus as error:
        return error.response.status_code
