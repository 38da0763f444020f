"""Drives `relay`: what a recorded call costs with aiortc as it comes."""

from __future__ import annotations

import asyncio
import json

import av

from bench.media import session
from bench.media.rig import Load, Recorded, Server, started


class Plain(Server):
    """Not pinned: it needs more than one core."""

    name = "aiortc"

    async def _start(self) -> None:
        self.process = await started("bench.media.relay", str(self.folder), talks=True)

    async def call(self, load: Load, number: int) -> None:
        assert self.process is not None and self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"call": number}).encode() + b"\n")
        line = await asyncio.wait_for(self.process.stdout.readline(), 20)
        offers: list[str] = json.loads(line)["offers"]
        remotes = [session.read(offer) for offer in offers]
        names = [f"{number}{side}" for side in "ab"]
        answers = []
        for name, offer, remote in zip(names, offers, remotes, strict=True):
            peer = await load.new(name, self.address)
            types = {"audio": remote["audio"], "video": remote["video"]}
            answers.append(session.write(peer, self.address, session.sections(offer), types))
        self.process.stdin.write(json.dumps({"answers": answers}).encode() + b"\n")
        for up in [await load.connect(name, remote) for name, remote in zip(names, remotes, strict=True)]:
            await asyncio.wait_for(up, 15)

    def recorded(self) -> Recorded:
        octets = pictures = 0
        for path in self.folder.glob("*.webm"):
            octets += path.stat().st_size
            with av.open(str(path)) as container:
                pictures += sum(1 for packet in container.demux(video=0) if packet.size)
        return Recorded(0, octets, True, pictures)
