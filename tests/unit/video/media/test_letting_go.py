"""What has ended is freed at once, and does not wait for the collector: there are SSL contexts and keys in it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest
from aiortc.rtcdtlstransport import RTCDtlsFingerprint

from video.media import sdp
from video.media.leg import Leg
from video.media.link import Link, WireClosed
from video.media.sockets import Sockets

PRINT = RTCDtlsFingerprint("sha-256", ":".join(["AB"] * 32))


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("answered", [False, True])
def test_a_leg_that_was_cut_is_gone_with_everything_below_it(answered: bool) -> None:
    async def life() -> list[weakref.ref[object]]:
        sockets = Sockets(["127.0.0.1"])
        sockets.open()
        try:
            leg = Leg("p7/1", sockets=sockets, changed=lambda leg: None)
            assert "a=ice-ufrag" in leg.offer()
            if answered:
                leg.connect(sdp.Answer("abcd", "p" * 24, (PRINT,), active=True))
                await asyncio.sleep(0.05)
            seen = [weakref.ref(leg), weakref.ref(leg._dtls), weakref.ref(leg._ice)]
            await leg.close()
            del leg
            await asyncio.sleep(0.05)
            return seen
        finally:
            sockets.close()

    assert [one() for one in asyncio.run(life())] == [None, None, None]


class Dropped:
    """A WebSocket that breaks when it is read for the second time."""

    def __init__(self) -> None:
        self.left = 1

    async def receive(self) -> str:
        if not self.left:
            raise WireClosed
        self.left -= 1
        return '{"type": "ping"}'

    async def send(self, text: str) -> None:
        return None

    async def close(self, code: int, reason: str) -> None:
        return None


def test_a_link_that_broke_is_gone_with_its_socket() -> None:
    async def talk(link: Link) -> None:
        try:
            while True:
                await link.receive()
        except WireClosed:
            pass
        finally:
            await link.finish()

    async def life() -> list[weakref.ref[object]]:
        wire = Dropped()
        link = Link(wire)
        seen = [weakref.ref(link), weakref.ref(wire)]
        await talk(link)
        del link, wire
        await asyncio.sleep(0.01)
        return seen

    assert [one() for one in asyncio.run(life())] == [None, None]
