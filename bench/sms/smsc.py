"""The other end of an SMPP line: a gateway that does as it is told. Written on `struct` alone, with nothing of ours.

In a test: `with Smsc() as smsc: smsc.port, smsc.texts`. As a process, `python -m bench.sms.smsc` says its port on
stdout, and at its end one line of JSON with what came when.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import random
import signal
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from struct import pack, unpack_from
from typing import Any

OK, THROTTLED, SYSTEM_ERROR, INVALID_NUMBER = 0, 0x58, 0x08, 0x0B
NEVER = -1  # as a status: no answer at all


@dataclass(slots=True)
class Submit:
    """One submit_sm as it came."""

    at: float
    to: str
    sender: str
    esm_class: int
    data_coding: int
    octets: bytes
    id: str
    pdu: bytes = b""

    @property
    def text(self) -> str:
        body = self.octets[self.octets[0] + 1 :] if self.esm_class & 0x40 else self.octets
        return body.decode("utf-16-be") if self.data_coding == 8 else body.decode("latin-1")


@dataclass
class Behaviour:
    """What this gateway is like."""

    status: Callable[[Submit], int] = lambda _submit: OK
    delay: float = 0.0  # seconds to an answer
    receipts: str = "DELIVRD"  # the word of every receipt; "" for none
    receipt_delay: float = 0.0
    shuffled: bool = False  # receipts in another order than texts
    id_of: Callable[[int], str] = lambda n: f"{n:08X}"
    id_told: Callable[[str], str] = str  # how a receipt writes the id
    password: str = ""
    keep: bool = True  # every submit, for whoever looks later


class _Session(asyncio.Protocol):
    def __init__(self, smsc: Smsc) -> None:
        self.smsc, self.buffer, self.bound = smsc, b"", False
        self.told: dict[int, Submit] = {}  # receipts that nobody has acknowledged

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.smsc.sessions.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self.smsc.sessions.discard(self)
        for submit in self.told.values():  # they are told again, to whoever comes next
            self.smsc.owe(submit, self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        out: list[bytes] = []
        start = 0
        while len(self.buffer) - start >= 16:
            length, command, status, sequence = unpack_from("!IIII", self.buffer, start)
            if len(self.buffer) - start < length:
                break
            pdu = self.buffer[start : start + length]
            start += length
            if not self.smsc.deaf:
                self._pdu(command, status, sequence, pdu, out)
        self.buffer = self.buffer[start:]
        if out:
            self.transport.write(b"".join(out))

    def _pdu(self, command: int, status: int, sequence: int, pdu: bytes, out: list[bytes]) -> None:
        if command in (1, 2, 9):
            password = pdu[16:].split(b"\0")[1].decode()
            wrong = self.smsc.behaviour.password not in ("", password)
            self.bound = not wrong
            out.append(_packed(command | 0x80000000, 0x0E if wrong else 0, sequence, b"smsc\0"))
        elif command == 4:
            self._submit(sequence, pdu, out)
        elif command == 0x15:
            self.smsc.enquired += 1
            out.append(_packed(0x80000015, 0, sequence))
        elif command == 6:
            out.append(_packed(0x80000006, 0, sequence))
        elif command == 0x80000005:
            self.smsc.acknowledged.append(sequence)
            self.told.pop(sequence, None)

    def _submit(self, sequence: int, pdu: bytes, out: list[bytes]) -> None:
        smsc, behaviour = self.smsc, self.smsc.behaviour
        submit = _read(pdu, behaviour.id_of(smsc.next_id()))
        status = behaviour.status(submit)
        smsc.came(submit, status)
        if status == NEVER:
            return
        answer = _packed(0x80000004, status, sequence, submit.id.encode() + b"\0" if status == OK else b"")
        if behaviour.delay:
            asyncio.get_running_loop().call_later(behaviour.delay, self.transport.write, answer)
        else:
            out.append(answer)
        if status == OK and behaviour.receipts:
            smsc.owe(submit, self)

    def receipt(self, submit: Submit, word: str) -> None:
        told = self.smsc.behaviour.id_told(submit.id)
        stamp = time.strftime("%y%m%d%H%M")
        words = f"id:{told} sub:001 dlvrd:001 submit date:{stamp} done date:{stamp} stat:{word} err:000 text:"
        self.told[self.deliver(submit.to, submit.sender, words.encode(), esm_class=4)] = submit

    def deliver(self, source: str, to: str, octets: bytes, *, esm_class: int = 0, data_coding: int = 0) -> int:
        sequence = self.smsc.next_id()
        if not self.transport.is_closing():
            self.transport.write(deliver_sm(sequence, source, to, octets, esm_class=esm_class, data_coding=data_coding))
        return sequence


@dataclass
class Smsc:
    """`port` is known once it has started. Everything but `texts` and the counts is called on its own loop."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    port: int = 0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self.sessions: set[_Session] = set()
        self.submits: list[Submit] = []
        self.counts: collections.Counter[str] = collections.Counter()
        self.acknowledged: list[int] = []
        self.enquired = 0
        self.deaf = False
        self._ids = random.Random(1).randrange(1 << 20)
        self._owed: list[tuple[Submit, _Session]] = []
        self._thread: threading.Thread | None = None
        self._started = threading.Event()
        self.on_submit: Callable[[Submit], None] | None = None

    # in a thread of its own

    def __enter__(self) -> Smsc:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._stop.set)
        assert self._thread is not None
        self._thread.join(10)

    def call(self, act: Callable[..., Any], *arguments: Any) -> None:
        self.loop.call_soon_threadsafe(act, *arguments)

    def down(self) -> None:
        """The gateway goes away: every line falls, and nobody can come."""
        done = threading.Event()

        def act() -> None:
            self.server.close()
            for session in list(self.sessions):
                session.transport.abort()
            done.set()

        self.call(act)
        assert done.wait(10)

    def up(self) -> None:
        asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(10)

    def text(self, source: str, to: str, octets: bytes, *, esm_class: int = 0, data_coding: int = 0) -> None:
        """Somebody writes to us, on every line."""

        def act() -> None:
            for session in list(self.sessions)[:1]:
                session.deliver(source, to, octets, esm_class=esm_class, data_coding=data_coding)

        self.call(act)

    def tell(self, submit: Submit, word: str) -> None:
        self.call(lambda: [session.receipt(submit, word) for session in list(self.sessions)[:1]])

    # on the loop

    async def main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await self._listen()
        self._started.set()
        teller = asyncio.create_task(self._tell_owed())
        await self._stop.wait()
        teller.cancel()
        self.server.close()
        for session in list(self.sessions):
            session.transport.abort()

    async def _listen(self) -> None:
        self.server = await self.loop.create_server(
            lambda: _Session(self), "127.0.0.1", self.port, ssl=self.tls, reuse_address=True
        )
        self.port = self.server.sockets[0].getsockname()[1]

    def _run(self) -> None:
        asyncio.run(self.main())

    async def _tell_owed(self) -> None:
        """Receipts, once their delay is over, in order or not."""
        while True:
            await asyncio.sleep(0.02)
            before = time.monotonic() - self.behaviour.receipt_delay
            due = [one for one in self._owed if one[0].at <= before]
            if not due:
                continue
            live = [session for session in self.sessions if session.bound]
            if not live:
                continue
            self._owed = [one for one in self._owed if one[0].at > before]
            if self.behaviour.shuffled:
                random.Random(len(due)).shuffle(due)
            for submit, session in due:
                (session if session in live else live[-1]).receipt(submit, self.behaviour.receipts)

    def owe(self, submit: Submit, session: _Session) -> None:
        self._owed.append((submit, session))

    def next_id(self) -> int:
        self._ids += 1
        return self._ids

    def came(self, submit: Submit, status: int) -> None:
        self.counts["all"] += 1
        self.counts[f"status {status}"] += 1
        if self.behaviour.keep:
            self.submits.append(submit)
        if self.on_submit:
            self.on_submit(submit)

    @property
    def texts(self) -> list[str]:
        return [submit.text for submit in self.submits]


def deliver_sm(
    sequence: int, source: str, to: str, octets: bytes, *, esm_class: int = 0, data_coding: int = 0, tlvs: bytes = b""
) -> bytes:
    """SMPP 3.4 §4.6.1."""
    body = (
        b"\0" + bytes((1, 1)) + source.removeprefix("+").encode() + b"\0"
        + bytes((0, 1)) + to.removeprefix("+").encode() + b"\0"
        + bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, data_coding, 0, len(octets))) + octets + tlvs
    )  # fmt: skip
    return _packed(5, 0, sequence, body)


def _packed(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    return pack("!IIII", 16 + len(body), command, status, sequence) + body


def _read(pdu: bytes, identity: str) -> Submit:
    """SMPP 3.4 §4.4.1."""
    at = pdu.index(b"\0", 16) + 3
    end = pdu.index(b"\0", at)
    sender = pdu[at:end].decode("latin-1")
    at = end + 3
    end = pdu.index(b"\0", at)
    to = pdu[at:end].decode("latin-1")
    esm_class = pdu[end + 1]
    at = pdu.index(b"\0", end + 4) + 1
    at = pdu.index(b"\0", at) + 1
    data_coding, length = pdu[at + 2], pdu[at + 4]
    octets = pdu[at + 5 : at + 5 + length]
    return Submit(time.monotonic(), to, sender, esm_class, data_coding, octets, identity, pdu)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--receipts", default="DELIVRD")
    parser.add_argument("--codes", default="", help="what a one-time code's text begins with")
    options = parser.parse_args()
    codes: dict[str, float] = {}
    smsc = Smsc(Behaviour(delay=options.delay, receipts=options.receipts, keep=False))
    numbers: collections.Counter[str] = collections.Counter()
    times: list[float] = []

    def note(submit: Submit) -> None:
        times.append(submit.at)
        numbers[submit.to] += 1
        if options.codes and submit.to.startswith(options.codes):
            codes.setdefault(submit.to, submit.at)

    smsc.on_submit = note

    async def run() -> None:
        task = asyncio.create_task(smsc.main())
        while not smsc._started.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        print(smsc.port, flush=True)
        loop = asyncio.get_running_loop()
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, smsc._stop.set)
        await task

    asyncio.run(run())
    told = {
        "texts": len(numbers),
        "parts": smsc.counts["all"],
        "first": min(times, default=0.0),
        "last": max(times, default=0.0),
        "acknowledged": len(smsc.acknowledged),
        "codes": codes,
        "twice": sum(1 for count in numbers.values() if count > 1),
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    sys.exit(main())
