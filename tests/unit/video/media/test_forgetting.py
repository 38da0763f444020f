"""What the node remembers of people and meetings, and that it forgets it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest

from video.media import node as module
from video.media.directory import MeetingInfo, ParticipantInfo
from video.media.messages import CloseReason, Closing
from video.media.node import MediaNode
from video.media.tokens import JoinClaims

PEOPLE = {"sara": ParticipantInfo("visitor", "سارة", "Sara")}


class Ended:
    """A directory of meetings that are all over, but for `open`."""

    async def meeting(self, meeting_id: str) -> MeetingInfo | None:
        return None if meeting_id == "none" else MeetingInfo(meeting_id, "ended", PEOPLE)


def sink(meeting_id: str) -> Any:
    raise AssertionError("nothing is recorded here")


@pytest.fixture
def node() -> MediaNode:
    return MediaNode(Ended(), sink, token_secret=b"0123456789abcdef", addresses=["127.0.0.1"])


def test_meetings_that_took_nobody_in_leave_nothing_behind(node: MediaNode) -> None:
    async def knock() -> None:
        for number in range(50):
            with pytest.raises(Closing) as told:
                await node.place_of(JoinClaims(f"m{number}", "sara", "visitor", "سارة", "Sara"))
            assert told.value.reason == CloseReason.ENDED
        with pytest.raises(Closing):
            await node.place_of(JoinClaims("none", "sara", "visitor", "سارة", "Sara"))
        assert len(node._locks) == 51
        node._forget()

    asyncio.run(knock())
    assert node._locks == {} and node.rooms == {}


def test_a_lock_that_is_held_is_kept(node: MediaNode) -> None:
    async def hold() -> None:
        node._locks["m1"] = lock = asyncio.Lock()
        async with lock:
            node._forget()
            assert node._locks["m1"] is lock
        node._forget()
        assert node._locks == {}

    asyncio.run(hold())


def test_the_sessions_of_devices_that_have_gone_are_forgotten_though_no_other_comes(node: MediaNode) -> None:
    """A session holds its leg, its room and everybody in it."""
    kept, gone = SimpleNamespace(state="up"), SimpleNamespace(state="down")
    node.devices._sessions = {
        name: SimpleNamespace(id=name, leg=leg)  # type: ignore[misc]
        for name, leg in (("a", kept), ("b", gone))
    }
    node.devices._ways = {"nonce": {"whip"}}
    node._forget()
    assert list(node.devices._sessions) == ["a"] and node.devices._ways == {}


def test_the_clock_holds_no_room_between_its_beats(node: MediaNode) -> None:
    class Room:
        ticks = 0

        def tick_fast(self, *, now: float) -> None:
            Room.ticks += 1

        tick = tick_fast
        members: dict[str, Any] = {}
        occupied = False

    async def run() -> bool:
        room = Room()
        seen = weakref.ref(room)
        node.rooms["m1"] = room  # type: ignore[assignment]
        clock = asyncio.create_task(node._run_fast())
        del room
        await asyncio.sleep(0.12)
        node.rooms.clear()
        gc.collect()
        still = seen() is not None
        clock.cancel()
        return still

    assert not asyncio.run(run())
    assert Room.ticks


def test_the_clocks_go_on_whatever_fails_beside_the_meetings(node: MediaNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that stands still asks for nothing, writes no recording to the disk, and alarms nobody."""
    failed = []

    def fails(*_: Any, **__: Any) -> None:
        failed.append(True)
        raise OSError

    monkeypatch.setattr(module, "FAST_S", 0.001)
    monkeypatch.setattr(module, "SLOW_S", 0.001)
    monkeypatch.setattr(module, "SYNC_S", 0.001)
    monkeypatch.setattr(node._sockets, "tidy", fails)
    monkeypatch.setattr(node, "_forget", fails)

    async def run(clock: Any) -> bool:
        failed.clear()
        running = asyncio.create_task(clock())
        for _ in range(2000):
            await asyncio.sleep(0.001)
            if len(failed) > 2 or running.done():
                break
        on = not running.done()
        running.cancel()
        return on and len(failed) > 2

    assert asyncio.run(run(node._run_fast)) and asyncio.run(run(node._run_sync))
