"""The leg against aiortc's own peer connection over real sockets: the contract with the library, without a browser."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from video.media import hooks, rtcp, rtp
from video.media.leg import Leg
from video.media.sockets import Sockets

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not hooks.host_addresses(), reason="aiortc's client needs an address that is not loopback"),
]


class Scene:
    def __init__(self, sockets: Sockets | None = None) -> None:
        self.states: list[str] = []
        self.changed = asyncio.Event()
        self.sockets = sockets or Sockets(hooks.host_addresses()[:1])
        if sockets is None:
            self.sockets.open()
        self.leg = Leg("sara/1", sockets=self.sockets, changed=self._changed)
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.leg.on_rtp = lambda packet, now: self.rtp.append(packet)
        self.leg.on_rtcp = lambda packet, now: self.rtcp.append(packet)
        self.client = RTCPeerConnection(RTCConfiguration([], bundlePolicy=RTCBundlePolicy.MAX_COMPAT))

    def _changed(self, leg: Leg) -> None:
        self.states.append(leg.state)

    async def connect(self, change: Callable[[str], str] = lambda text: text) -> None:
        await self.client.setRemoteDescription(RTCSessionDescription(self.leg.offer(), "offer"))
        self.client.addTrack(AudioStreamTrack())
        await self.client.setLocalDescription(await self.client.createAnswer())
        self.leg.accept(change(self.client.localDescription.sdp))

    async def until(self, holds: Callable[[], Any], timeout: float = 10) -> None:
        async with asyncio.timeout(timeout):
            while not holds():
                await asyncio.sleep(0.02)


def play(scene: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        stage = Scene()
        try:
            await scene(stage)
        finally:
            await stage.client.close()
            await stage.leg.close()
            stage.sockets.close()

    asyncio.run(whole())


def test_packets_come_in_the_clear_and_go_out_under_their_ssrc() -> None:
    async def scene(stage: Scene) -> None:
        await stage.connect()
        await stage.until(lambda: len(stage.rtp) > 20 and stage.rtcp)
        assert stage.states == ["connecting", "up"]
        assert {packet[1] & 0x7F for packet in stage.rtp} == {rtp.OPUS}
        assert next(kind for kind, _, _ in rtcp.walk(stage.rtcp[0])) == rtcp.SR
        audio = stage.leg.slots[0].audio
        receiver = stage.client.getTransceivers()[2].receiver
        for packet in stage.rtp[:20]:
            stage.leg.send_rtp(packet, audio)
        await stage.until(lambda: [one.source for one in receiver.getSynchronizationSources()] == [audio])

    play(scene)


def test_a_client_that_hangs_up_is_noticed_at_once() -> None:
    async def scene(stage: Scene) -> None:
        await stage.connect()
        await stage.until(lambda: "up" in stage.states and stage.client.connectionState == "connected")
        await stage.client.close()
        await stage.until(lambda: stage.leg.state == "down", 3)
        assert stage.states == ["connecting", "up", "down"]

    play(scene)


def test_another_certificate_than_announced_gets_no_keys() -> None:
    async def scene(stage: Scene) -> None:
        await stage.connect(lambda text: re.sub(r"(fingerprint:\S+ )\S\S", r"\g<1>00", text))
        await stage.until(lambda: stage.leg.state == "down")
        assert stage.states == ["connecting", "down"] and stage.rtp == []

    play(scene)


def test_a_process_takes_one_port_of_the_range_for_all_its_legs_and_gives_it_back() -> None:
    async def scene(stage: Scene) -> None:
        address = hooks.host_addresses()[0]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        for _ in range(2):
            sockets = Sockets([f"{address}=203.0.113.9"], (port, port))
            sockets.open()
            for name in ("a/1", "b/1"):
                leg = Leg(name, sockets=sockets, changed=lambda one: None)
                assert f" 203.0.113.9 {port} typ host" in leg.offer()
                await leg.close()
            with pytest.raises(OSError):
                Sockets([address], (port, port)).open()
            sockets.close()

    play(scene)


def test_two_calls_share_a_port_and_never_hear_each_other() -> None:
    async def scene(stage: Scene) -> None:
        other = Scene(stage.sockets)
        try:
            await stage.connect()
            await other.connect()
            await stage.until(lambda: len(stage.rtp) > 20 and len(other.rtp) > 20)
            ours, theirs = ({packet[8:12] for packet in one.rtp} for one in (stage, other))
            assert len(ours) == len(theirs) == 1 and ours != theirs
            assert stage.leg.refused == other.leg.refused == 0
            await other.client.close()
            await stage.until(lambda: other.leg.state == "down", 3)
            assert stage.leg.state == "up"
        finally:
            await other.client.close()
            await other.leg.close()

    play(scene)
