"""A room device as others build them: aiortc's own peer connection, speaking WHIP and WHEP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import httpx
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, MediaStreamTrack, VideoStreamTrack
from av import VideoFrame


class Film(VideoStreamTrack):
    """A small moving picture."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        self._count += 1
        frame = VideoFrame(width=320, height=240)
        for plane in frame.planes:
            plane.update(bytes([(self._count * 7) & 0xFF]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        return frame


class Device:
    """Works in a thread with a loop of its own, since browsers' tests have a loop in theirs."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.loop = asyncio.new_event_loop()
        self.peers: dict[str, RTCPeerConnection] = {}
        self.addresses: dict[str, str] = {}
        self.frames = {"audio": 0, "video": 0}
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._watching: list[Any] = []

    def open(self, way: str, meeting: str, token: str) -> httpx.Response:
        """POSTs an offer; connects where it is answered."""
        return self._run(self._open(way, meeting, token))

    def request(self, method: str, way: str, token: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", **more.pop("headers", {})}
        with httpx.Client(trust_env=False) as client:
            return client.request(method, self._base_of(way), headers=headers, **more)

    def state(self, way: str) -> str:
        return self.peers[way].connectionState

    def close(self) -> None:
        for peer in self.peers.values():
            self._run(peer.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)

    async def _open(self, way: str, meeting: str, token: str) -> httpx.Response:
        peer = RTCPeerConnection(RTCConfiguration([]))
        if way == "whip":
            peer.addTransceiver(AudioStreamTrack(), direction="sendonly")
            peer.addTransceiver(Film(), direction="sendonly")
        else:
            peer.addTransceiver("audio", direction="recvonly")
            peer.addTransceiver("video", direction="recvonly")
            peer.on("track", lambda track: self._watching.append(asyncio.ensure_future(self._watch(track))))
        await peer.setLocalDescription(await peer.createOffer())
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{self.base}/media/{way}/{meeting}",
                content=peer.localDescription.sdp,
                headers={"authorization": f"Bearer {token}", "content-type": "application/sdp"},
            )
        if answer.status_code != 201:
            await peer.close()
            return answer
        self.peers[way] = peer
        self.addresses[way] = answer.headers["location"]
        await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        return answer

    async def _watch(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                await track.recv()
                self.frames[track.kind] += 1
        except MediaStreamError:
            pass

    def _base_of(self, way: str) -> str:
        return self.base + self.addresses[way]

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)
