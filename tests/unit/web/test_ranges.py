"""A part of a sealed file on its way to a browser that may go away at any moment."""

import asyncio
import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from core import clock
from recordings.access import Opened
from recordings.keys import FileKeyRing
from recordings.sealed import SealedReader, SealedWriter
from web.ranges import given

BYTES = bytes(range(256)) * 1000


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    ring = FileKeyRing(tmp_path / "archive.key")
    with SealedWriter(tmp_path / "a.sealed", ring, owner="r") as sealed:
        sealed.write(BYTES)
    return Opened(SealedReader(tmp_path / "a.sealed", ring), lambda _from, _to: None, 1.0, clock.now)


def send(opened: Opened, *, gone: bool) -> bytes:
    """What the client gets; `gone`: it has closed its end before anything was sent."""
    told: list[bytes] = []

    async def receive() -> MutableMapping[str, Any]:
        if not gone:
            await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def out(message: MutableMapping[str, Any]) -> None:
        told.append(message.get("body", b""))

    async def run() -> None:
        answer = given(opened, "bytes=1000-", "video/webm")
        await answer({"type": "http", "asgi": {"spec_version": "2.3"}, "method": "GET"}, receive, out)
        assert closed(opened), "while the answer still lives"

    asyncio.run(run())
    return b"".join(told)


def closed(opened: Opened) -> bool:
    return opened.sealed._fd < 0


def test_a_part_arrives_and_is_closed(opened: Opened) -> None:
    assert send(opened, gone=False) == BYTES[1000:]


def test_who_has_gone_before_the_first_byte_leaves_nothing_open(opened: Opened) -> None:
    descriptor = opened.sealed._fd
    send(opened, gone=True)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_an_answer_that_is_never_sent_leaves_nothing_open(opened: Opened) -> None:
    """An error behind the handler takes its place."""
    answer = given(opened, None, "video/webm")
    assert not closed(opened)
    del answer
    assert closed(opened)
