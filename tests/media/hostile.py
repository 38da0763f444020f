"""A participant who floods, in a process of their own so that it costs nobody else's time but the node's.

    python -m tests.media.hostile URL WHAT SECONDS TOKEN TOKEN

First it does the same to nobody for as long, which costs the machine as much and the node nothing.

Two people join (the tokens: an official and a visitor), so that the meeting is live; then the visitor does WHAT:
`garbage` (50,000 datagrams a second from the address of the leg and from another), `media` (5000 sound packets a
second), `reports` (1000 sound reports a second), `messages` (120 a second). Prints what came of it, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.media import raw as raws
from tests.media.raw import Raw
from tests.media.sketch import sketch

Send = Callable[[int], None]


def garbage(raw: Raw) -> tuple[int, Send]:
    """What looks like media of this very leg, like DTLS, like STUN, and like nothing; half of it from elsewhere."""
    assert raw.peer is not None
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ssrc = struct.pack("!I", raw.peer.ssrc["video"])
    chance = random.Random(1)
    datagrams = [b"\x90\x60" + chance.randbytes(6) + ssrc + chance.randbytes(chance.randrange(1100)) for _ in range(64)]
    datagrams += [b"\x80\xc9" + chance.randbytes(60) for _ in range(16)]
    datagrams += [b"\x16\xfe\xfd" + chance.randbytes(10) + b"\x00\x20" + chance.randbytes(32) for _ in range(16)]
    datagrams += [b"\x00\x01\x00\x08\x21\x12\xa4\x42" + chance.randbytes(20) for _ in range(16)]
    datagrams += [chance.randbytes(chance.randrange(1, 1400)) for _ in range(16)]

    def send(count: int) -> None:
        assert raw.peer is not None
        own, to = raw.peer.socket, raw.peer.socket.getpeername()
        for index in range(count):
            data = datagrams[(index >> 1) % len(datagrams)]
            with contextlib.suppress(OSError):
                if index & 1:
                    stranger.sendto(data, to)
                else:
                    own.send(data)

    return 50_000, send


def media(raw: Raw) -> tuple[int, Send]:
    pieces = sketch()
    place = 0

    def send(count: int) -> None:
        nonlocal place
        assert raw.peer is not None
        for _ in range(count):
            raw.peer.send(pieces[place % len(pieces)], place // len(pieces))
            place += 1

    return 5000, send


def reports(raw: Raw) -> tuple[int, Send]:
    def send(count: int) -> None:
        for _ in range(count):
            assert raw.peer is not None
            raw.peer.report()

    return 1000, send


def messages(raw: Raw) -> tuple[int, Send]:
    def send(count: int) -> None:
        for index in range(count):
            raw.say("text", line=index, text="س" * 10, final=False)

    return 120, send


WHATS: dict[str, Callable[[Raw], tuple[int, Send]]] = {
    "garbage": garbage,
    "media": media,
    "reports": reports,
    "messages": messages,
}


def main(url: str, what: str, seconds: float, official: str, visitor: str) -> dict[str, Any]:
    raws._FILM.extend(sketch())
    host, bad = Raw(url, token=official), Raw(url, token=visitor)
    for one in (host, bad):
        one.until(lambda raw: raw.peer is not None and raw.peer.state == "up")
    bad.until(lambda raw: raw.packets > 20)
    assert bad.peer is not None
    bad.over = True  # its film: from here on one thread alone has the socket
    time.sleep(0.05)
    rate, send = WHATS[what](bad)
    print("control", flush=True)
    with aside(bad):
        keep_on(bad, rate, send, seconds)
    print("begins", flush=True)
    sent, after = keep_on(bad, rate, send, seconds)
    return {"per_second": round(sent / after), "closed": bad.closed, "after": round(after, 2), "host": host.closed}


def keep_on(bad: Raw, rate: int, send: Send, seconds: float) -> tuple[int, float]:
    """So many a second; returns how many it were, and in how long."""
    began, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds and bad.closed is None:
        assert bad.peer is not None
        bad.peer.tick(began + elapsed)
        bad.peer.readable()
        due = int(elapsed * rate) - sent
        if due > 0:
            send(min(due, rate // 50))
            sent += min(due, rate // 50)
        else:
            time.sleep(0.0005)
    return sent, time.monotonic() - began


@contextlib.contextmanager
def aside(raw: Raw) -> Iterator[None]:
    """What is sent goes to a socket that nobody reads, what is said to nobody."""
    assert raw.peer is not None
    with contextlib.ExitStack() as stack:
        sink, out = (stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2))
        sink.bind((raws.ADDRESS, 0))
        out.connect(sink.getsockname())
        out.setblocking(False)
        true: tuple[Any, Any] = raw.peer.socket, raw._link
        raw.peer.socket, raw._link = out, Deaf()  # type: ignore[assignment]
        try:
            yield
        finally:
            raw.peer.socket, raw._link = true


class Deaf:
    def send(self, text: str) -> None:
        return None


if __name__ == "__main__":
    os.nice(5)
    url, what, seconds, official, visitor = sys.argv[1:]
    print(json.dumps(main(url, what, float(seconds), official, visitor)), flush=True)
    os._exit(0)
