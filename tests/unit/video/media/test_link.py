"""One signalling connection: those who say too much, and those who don't listen."""

from __future__ import annotations

import asyncio
import json

import pytest

from video.media import link as links
from video.media.link import BURST, WAITING, WEIGHT, Link, WireClosed
from video.media.messages import CloseReason, Closing


class Wire:
    """Delivers what is put in; `stuck` never gets rid of what it should send."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.stuck = stuck
        self.sent: list[str] = []
        self.code: int | None = None
        self.up: asyncio.Queue[str] = asyncio.Queue()

    async def receive(self) -> str:
        return await self.up.get()

    async def send(self, text: str) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        self.sent.append(text)

    async def close(self, code: int, reason: str) -> None:
        self.code = code


def test_a_message_counts_and_each_thousand_characters_count_as_another() -> None:
    async def scene() -> None:
        for size, most in ((0, BURST), (10 * WEIGHT, BURST // 11)):
            wire = Wire()
            link = Link(wire, monotonic=lambda: 100.0)
            text = json.dumps({"type": "text", "text": "x" * size})
            for _ in range(int(most)):
                wire.up.put_nowait(text)
                await link.receive()
            wire.up.put_nowait(text)
            with pytest.raises(Closing) as caught:
                await link.receive()
            assert caught.value.reason == CloseReason.FLOODING
            await link.finish()

    asyncio.run(scene())


def test_a_client_that_does_not_read_is_let_go_even_if_it_says_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "FAREWELL_S", 0.05)

    async def scene() -> None:
        link = Link(Wire(stuck=True))
        for number in range(WAITING + 2):
            link.send("pong", t=number)
            await asyncio.sleep(0)
        assert link.closed == CloseReason.TOO_SLOW
        with pytest.raises(WireClosed):
            await asyncio.wait_for(link.receive(), 2)

    asyncio.run(scene())


def test_the_farewell_is_said_to_whoever_listens() -> None:
    async def scene() -> None:
        wire = Wire()
        link = Link(wire)
        link.close(CloseReason.REMOVED)
        link.close(CloseReason.ENDED)
        link.send("pong", t=1)
        await link.finish()
        assert [json.loads(text) for text in wire.sent] == [{"type": "close", "reason": "removed"}]
        assert wire.code == links.CLOSE_CODE

    asyncio.run(scene())
