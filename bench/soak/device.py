"""A participant by WHIP and WHEP: no link, no way back, every start with a fresh token."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from bench.media import session
from bench.soak.person import PATIENCE_S, Person
from video.media import rtp

TYPES = {"audio": rtp.OPUS, "video": rtp.VP8}
WAYS = {"whip": "sendonly", "whep": "recvonly"}
SDP = "application/sdp"
_SOUND = f"a=rtcp-fb:{rtp.OPUS} transport-cc"
_SOUND_AGAIN = f"a=rtcp-fb:{rtp.OPUS} nack"
"""Sound that a device doesn't promise to send again is not asked for; GStreamer's promises it with `do-nack`."""


class Device(Person):
    """Knows no retransmission (its offers have no RTX), so what it asks for again comes as it was."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", trust_env=False, timeout=10)
        self._open: dict[str, tuple[str, str]] = {}
        """Way → the session's address and the name of its peer."""
        self._bearer = ""

    async def arrive(self) -> None:
        self._bearer = self._token()
        ups = [await self._post(way) for way in WAYS]
        try:
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(*(up for up in ups if up is not None))
        except (TimeoutError, RuntimeError) as error:
            if not self.gone:
                self._surprised(f"{self.name}: the device did not connect: {error or type(error).__name__}")

    async def reload(self) -> None:
        await self._goodbye()
        await self.arrive()

    async def stumble(self) -> None:
        """Offers, and doesn't connect."""
        await self._drop(farewell=True)
        self._bearer = self._token()
        for way in WAYS:
            await self._post(way, connects=False)
        await self._drop(farewell=False)
        await asyncio.sleep(0.4)
        await self.arrive()

    async def lose_link(self) -> None:
        """It has none; it is switched off and on instead, with no word to anybody."""
        await self._drop(farewell=False)
        await self.arrive()

    async def second_tab(self) -> None:
        """Another device of the same person takes over both ways."""
        first, self._open = self._open, {}
        bearer = self._bearer
        await self.arrive()
        for address, peer in first.values():
            answer = await self._client.delete(address, headers={"authorization": f"Bearer {bearer}"})
            if answer.status_code != 404:
                self._surprised(f"{self.name}: the first device's session is still there: {answer.status_code}")
            await self._load.ask("drop", name=peer, farewell=True)

    async def go_dark(self, seconds: float) -> None:
        self._dark_until = time.monotonic() + seconds
        for _, peer in self._open.values():
            await self._load.ask("dark", name=peer, seconds=seconds)
        await asyncio.sleep(seconds)
        await self._drop(farewell=False)
        await self.arrive()

    async def leave(self) -> None:
        self.gone = True
        await self._goodbye()

    async def vanish(self) -> None:
        self.gone = True
        await self._drop(farewell=False)

    async def clear(self) -> None:
        self.gone = True
        await self._drop(farewell=True)
        await self._client.aclose()

    async def _post(self, way: str, *, connects: bool = True) -> asyncio.Future[None] | None:
        self._made += 1
        name = f"{self.name}.{way}{self._made}"
        peer = await self._load.new(name, self._address)
        parts = [(str(index), kind, WAYS[way]) for index, kind in enumerate(("audio", "video") * (1 + (way == "whep")))]
        offer = session.write(peer, self._address, parts, TYPES).replace(_SOUND, f"{_SOUND}\r\n{_SOUND_AGAIN}")
        answer = await self._client.post(
            f"/{way}/{self.meeting}",
            content=offer,
            headers={"authorization": f"Bearer {self._bearer}", "content-type": SDP},
        )
        if answer.status_code != 201:
            await self._load.ask("drop", name=name, farewell=False)
            if not self.gone:
                self._surprised(f"{self.name}: {way} was refused: {answer.status_code} {answer.text.strip()}")
            return None
        self._open[way] = answer.headers["location"], name
        if not connects:
            return None
        return await self._load.connect(name, {**session.read(answer.text), "pairs": []}, sends=way == "whip")

    async def _goodbye(self) -> None:
        for address, _ in self._open.values():
            answer = await self._client.delete(address, headers={"authorization": f"Bearer {self._bearer}"})
            if answer.status_code != 200 and not self.gone:
                self._surprised(f"{self.name}: DELETE was answered with {answer.status_code}")
        await self._drop(farewell=True)

    async def _drop(self, *, farewell: bool) -> None:
        opened, self._open = self._open, {}
        for _, peer in opened.values():
            await self._load.ask("drop", name=peer, farewell=farewell)
