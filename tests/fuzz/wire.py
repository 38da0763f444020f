"""Datagrams below the packets: STUN, DTLS, and whatever else arrives at a port."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from aioice import stun as aioice_stun
from aiortc import RTCCertificate, RTCDtlsTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from OpenSSL import SSL

from tests.fuzz import seeds
from tests.fuzz.dice import Dice, damaged
from video.media import hooks, stun


def checks(data: bytes) -> None:
    """Binding requests: what we read of them is what the ICE library reads."""
    dice = Dice(data)
    datagram = dice.rest()[:1500] if dice.one_in(8) else damaged(dice, seeds.check(dice))
    request, user = stun.is_request(datagram), stun.local_user(datagram)
    authentic = stun.is_authentic(datagram, seeds.PASSWORD.encode())
    assert not stun.is_authentic(datagram, b"another")
    try:
        message = aioice_stun.parse_message(datagram)
    except Exception:  # struct.error, UnicodeDecodeError: what it raises stays at the port
        return
    if not request:
        return
    assert message.message_method == aioice_stun.Method.BINDING
    assert message.message_class == aioice_stun.Class.REQUEST
    assert message.check_message_integrity(seeds.PASSWORD.encode()) == authentic
    name = message.attributes.get("USERNAME", "")
    if authentic and name.isascii():
        assert user == name.partition(":")[0]


class Cable:
    """In the place of an ICE transport: delivers what is given, then breaks."""

    role = "controlled"

    def __init__(self, datagrams: list[bytes]) -> None:
        self._datagrams = datagrams
        self.sent: list[bytes] = []

    async def _recv(self) -> bytes:
        if not self._datagrams:
            raise ConnectionError
        return self._datagrams.pop(0)

    async def _send(self, data: bytes) -> None:
        self.sent.append(data)


_CERTIFICATE: list[RTCCertificate] = []
_HELLO: list[bytes] = []


def _hello() -> bytes:
    """What a client begins a handshake with."""
    if not _HELLO:
        client = SSL.Connection(SSL.Context(SSL.DTLS_METHOD))
        client.set_connect_state()
        with contextlib.suppress(SSL.WantReadError):
            client.do_handshake()
        _HELLO.append(client.bio_read(1500))
    return _HELLO[0]


def handshake(data: bytes) -> None:
    """Records, and damaged beginnings of a handshake: it fails, and in no other way."""
    dice = Dice(data)
    datagrams = []
    for _ in range(1 + dice.below(6)):
        made = damaged(dice, _hello(), most=6) if dice.one_in(2) else seeds.record(dice)
        datagrams.append(made or b"\x16")
    server = dice.one_in(3)

    async def scene() -> None:
        if not _CERTIFICATE:
            _CERTIFICATE.append(RTCCertificate.generateCertificate())
        cable: Any = Cable(datagrams)
        dtls = RTCDtlsTransport(cable, _CERTIFICATE)
        hooks.as_server(dtls, not server)
        await dtls.start(RTCDtlsParameters([RTCDtlsFingerprint("sha-256", seeds.PRINT)]))
        assert dtls.state == "failed"
        await dtls.stop()

    asyncio.run(scene())
