"""Telling a directory that does not always listen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from video.media.directory import Directory, Refused
from video.media.errands import MOST_TRIES, Errands


class Deaf:
    """Hears nothing while `error` is set for what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.errors: dict[str, Exception] = {}
        self.tries = 0

    def __getattr__(self, what: str) -> Callable[..., Coroutine[Any, Any, None]]:
        async def tell(meeting_id: str, *arguments: Any) -> None:
            self.tries += 1
            if what in self.errors:
                raise self.errors[what]
            self.heard.append((what, *arguments))

        return tell


def play(scene: Callable[[Deaf, Errands], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        directory = Deaf()
        errands = Errands("m1", cast(Directory, directory))
        await asyncio.wait_for(scene(directory, errands), 10)

    asyncio.run(whole())


def test_what_was_not_heard_is_told_again_in_its_order_and_once() -> None:
    async def scene(directory: Deaf, errands: Errands) -> None:
        directory.errors["joined"] = OSError("locked")
        for what in ("joined", "went_live", "left"):
            errands.tell(what, 1.0)
        await errands.done()
        assert directory.heard == []
        directory.errors.clear()
        errands.again()
        errands.again()
        await errands.done()
        assert directory.heard == [("joined", 1.0), ("went_live", 1.0), ("left", 1.0)]
        tries = directory.tries
        errands.again()
        await errands.done()
        assert directory.tries == tries

    play(scene)


def test_what_is_told_next_is_a_try_too() -> None:
    async def scene(directory: Deaf, errands: Errands) -> None:
        directory.errors["joined"] = OSError("locked")
        errands.tell("joined")
        await errands.done()
        directory.errors.clear()
        errands.tell("left")
        await errands.done()
        assert directory.heard == [("joined",), ("left",)]

    play(scene)


def test_what_is_refused_or_can_never_be_taken_keeps_nothing_back_for_ever() -> None:
    async def scene(directory: Deaf, errands: Errands) -> None:
        directory.errors = {"joined": Refused("unknown"), "quality": ValueError("too large")}
        errands.tell("joined")
        errands.tell("quality")
        errands.tell("left")
        for _ in range(MOST_TRIES):
            await errands.done()
            assert directory.heard == [] or directory.tries > MOST_TRIES
            errands.again()
        await errands.done()
        assert directory.heard == [("left",)]

    play(scene)
