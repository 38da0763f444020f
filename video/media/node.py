"""The media node: the meetings of one process, their clock, and the door through which connections come in."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from video.media import hooks, limits, tokens, wishes
from video.media.directory import Directory, MeetingInfo
from video.media.link import Link, Wire, WireClosed
from video.media.load import Load
from video.media.member import Member
from video.media.messages import CloseReason, Closing
from video.media.recorder import OpenSink
from video.media.room import Room
from video.media.sessions import Devices
from video.media.sockets import Sockets
from video.media.surroundings import Surroundings
from video.media.turn import Turn

log = logging.getLogger(__name__)

JOIN_S = 8.0
FAST_S, SLOW_S, SYNC_S = 0.05, 0.5, 1.0
AT_ONCE = 4
"""Meetings whose clocks beat together, before the sockets are looked at again."""
CIRCLES = 20
"""Connections whose ends are collected as garbage together. The libraries leave them in circles: left to Python they
pile up to megabytes, which pymalloc never gives back, and are looked for at a moment nobody chose."""
MOST_LAG_S = 1.0
"""A process that stood still for long once is no fuller than after a second."""


class MediaNode:
    """Keeps a meeting whole: everyone in it is connected to the same node.

    `addresses`: IP addresses to offer ("auto": all of the machine but loopback), each `bind` or
    `bind=announced`. `ports`: lowest and highest UDP port, of which this process takes one for all its media;
    any free one if None. `ice_servers`: handed to clients as they are
    (`[{"urls": …, "username": …, "credential": …}]`), and after them those of `turn` with a credential minted for each
    join. `most_meetings`: no more new ones beyond so many (0: as many as the process can carry). `address`: this
    node's, as the directory names it ("": meetings are never elsewhere).
    """

    def __init__(
        self,
        directory: Directory,
        open_sink: OpenSink,
        *,
        token_secret: bytes,
        ice_servers: Sequence[dict[str, Any]] = (),
        turn: Turn | None = None,
        addresses: Sequence[str] | Literal["auto"] = "auto",
        ports: tuple[int, int] | None = None,
        most_meetings: int = 0,
        address: str = "",
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if len(token_secret) < 16:
            raise ValueError("the token secret is too short")
        self.rooms: dict[str, Room] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        """For rooms that are forgotten while the recording is being closed or the directory being told."""
        self._secret = token_secret
        self._address = address
        self._load = Load(most_meetings=most_meetings)
        self._used = tokens.Used()
        self._wall = wall
        self._monotonic = monotonic
        self._sockets = Sockets(
            hooks.host_addresses() if addresses == "auto" else list(addresses), ports, monotonic=monotonic
        )
        self._around = Surroundings(
            directory=directory,
            open_sink=open_sink,
            sockets=self._sockets,
            ice_servers=lambda participant_id: [
                *ice_servers,
                *([turn.server(participant_id, now=wall())] if turn else []),
            ],
            wall=wall,
            monotonic=monotonic,
        )
        self.devices = Devices(self)
        self._tasks: list[asyncio.Task[None]] = []
        self._links: set[Link] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._ended = 0
        self._lag = 0.0
        self._packets = 0
        self._rate = 0.0
        self._cpu = time.process_time()
        self._stopping = False

    async def start(self) -> None:
        """Raises `hooks.HooksMoved` where the libraries are not those this was written for, OSError without a
        socket.
        """
        hooks.check()
        self._sockets.open()
        self._tasks = [asyncio.create_task(self._run_fast()), asyncio.create_task(self._run_sync())]

    async def stop(self) -> None:
        """Closes every meeting's connections (clients come back) and its recording; waits for the
        recordings.
        """
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        for room in list(self.rooms.values()):
            room.close(CloseReason.STOPPING)
        for link in list(self._links):
            link.close(CloseReason.STOPPING)
        for room in list(self.rooms.values()):
            await room.drained()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        self.rooms.clear()
        self._sockets.close()

    def health(self) -> dict[str, Any]:
        rooms = [room for room in self.rooms.values() if room.occupied]
        return {
            "ok": not self._stopping and bool(self._tasks) and not any(task.done() for task in self._tasks),
            "full": self.full,
            "meetings": len(rooms),
            "legs": sum(room.legs for room in rooms),
            "load": {
                "packets_per_s": round(self._rate),
                "lag_ms": round(self._lag * 1000, 1),
                "cpu": round(self._load.cpu, 3),
            },
            "turned_away": self._sockets.turned_away(),
        }

    @property
    def full(self) -> bool:
        """Another meeting would cost those that run."""
        return self._load.full(sum(1 for room in self.rooms.values() if room.occupied))

    def takes(self, meeting_id: str) -> bool:
        """Whether someone who joins this meeting here would be let in: it runs here, or there is room for it."""
        room = self.rooms.get(meeting_id)
        return (room is not None and room.occupied) or not self.full

    async def sync(self, meeting_id: str) -> None:
        """Re-reads one meeting and applies what changed; nothing happens where nobody is connected to it."""
        room = self.rooms.get(meeting_id)
        if room is None:
            return
        async with self._locks.setdefault(meeting_id, asyncio.Lock()):
            try:
                info = await self._around.directory.meeting(meeting_id)
            except Exception:
                log.exception("meeting %s could not be read; it goes on as it was", meeting_id)
                return
            if info is not None and self._is_elsewhere(info):
                room.close(CloseReason.MOVED)
            else:
                room.apply(info)
        self._forget()

    def _is_elsewhere(self, info: MeetingInfo) -> bool:
        """It was given to another node while this one did not answer; a meeting is whole on one."""
        return bool(self._address and info.node and info.node != self._address)

    # One connection

    async def serve(self, wire: Wire) -> None:
        """Serves one signalling connection from its first message to its end. Never raises."""
        link = Link(wire, monotonic=self._monotonic)
        self._links.add(link)
        try:
            await self._serve(link)
        except WireClosed:
            pass
        except Closing as closing:
            link.close(closing.reason)
        except Exception:
            log.exception("a connection failed")
            link.close(CloseReason.FAULT)
        finally:
            self._links.discard(link)
            self._ended += 1
            await link.finish()

    async def _serve(self, link: Link) -> None:
        try:
            first = await asyncio.wait_for(link.receive(), JOIN_S)
        except TimeoutError as error:
            raise Closing(CloseReason.SILENT) from error
        if first["type"] != "join" or self._stopping:
            raise Closing(CloseReason.STOPPING if self._stopping else CloseReason.BAD_MESSAGE)
        room, member = await self._join(link, first)
        try:
            while True:
                message = await link.receive()
                if member.link is not link or link.closed is not None:
                    return
                await wishes.handle(room, member, message, lambda: self.sync(room.info.id))
        except Closing as closing:
            link.close(closing.reason)
        finally:
            room.disconnected(member, link)

    async def _join(self, link: Link, message: dict[str, Any]) -> tuple[Room, Member]:
        leg = message.get("leg")
        resume = message.get("resume")
        if resume is not None:
            room, member = await self._resume(link, resume, leg if isinstance(leg, str) else None)
            wishes.catch_up(room, member, message.get("heard"))
            return room, member
        claims = self.claims(message.get("token", ""))
        if not self.spend(claims):
            raise Closing(CloseReason.USED_TOKEN)
        room, member = await self.place_of(claims)
        secret = member.new_resume()
        room.connect(member, link, f"{room.info.id}:{member.id}:{secret}", None)
        wishes.catch_up(room, member, message.get("heard"))
        return room, member

    def claims(self, token: str) -> tokens.JoinClaims:
        """Whom a token is about; raises `Closing`."""
        try:
            return tokens.read(self._secret, token, now=self._wall())
        except tokens.TokenRefused as refused:
            raise Closing(CloseReason(refused.reason)) from refused

    def spend(self, claims: tokens.JoinClaims) -> bool:
        """True the first time that this token comes."""
        return self._used.spend(claims, now=self._wall())

    async def place_of(self, claims: tokens.JoinClaims) -> tuple[Room, Member]:
        """The meeting and the place in it that a token is for; raises `Closing` where the directory says otherwise."""
        if self._stopping:
            raise Closing(CloseReason.STOPPING)
        room = await self._room(claims.meeting_id)
        known = room.info.participants.get(claims.participant_id)
        if known is not None and known.role != claims.role:
            raise Closing(CloseReason.NOT_INVITED)
        return room, room.enter(claims.participant_id)

    async def _resume(self, link: Link, resume: object, leg: str | None) -> tuple[Room, Member]:
        """Back after a drop: whoever holds the secret is the one who was admitted; no token, no new
        admission.
        """
        parts = resume.rsplit(":", 1) if isinstance(resume, str) and len(resume) < 1000 else []
        for room in self.rooms.values():
            for member in room.members.values():
                if parts and parts[0] == f"{room.info.id}:{member.id}" and member.may_resume(parts[1]):
                    if member.comes_too_often(now=self._monotonic()):
                        raise Closing(CloseReason.FLOODING)
                    await self.sync(room.info.id)
                    if room.enter(member.id) is not member:
                        raise Closing(CloseReason.BAD_RESUME)
                    if not member.may_resume(parts[1]):  # another device came in by a token meanwhile
                        raise Closing(CloseReason.TAKEN_OVER)
                    room.connect(member, link, str(resume), leg)
                    return room, member
        raise Closing(CloseReason.BAD_RESUME)

    async def _room(self, meeting_id: str) -> Room:
        async with self._locks.setdefault(meeting_id, asyncio.Lock()):
            try:
                info: MeetingInfo | None = await self._around.directory.meeting(meeting_id)
            except Exception as error:
                log.exception("meeting %s could not be read", meeting_id)
                raise Closing(CloseReason.FAULT) from error
            if info is None:
                raise Closing(CloseReason.NO_MEETING)
            if info.state == "ended":
                raise Closing(CloseReason.ENDED)
            if self._is_elsewhere(info):
                raise Closing(CloseReason.MOVED)
            if info.state != "live" and not self.takes(meeting_id):  # one that was live comes back, full or not
                raise Closing(CloseReason.BUSY)
            room = self.rooms.get(meeting_id)
            if room is None or room.closed:
                room = self.rooms[meeting_id] = Room(info, self._around)
            else:
                room.apply(info)
            return room

    # The clock

    async def _run_fast(self) -> None:
        slow_at = self._monotonic()
        due = self._monotonic() + FAST_S
        while True:
            await asyncio.sleep(max(0.0, due - self._monotonic()))
            now = self._monotonic()
            late = now - due
            self._lag = max(self._lag * 0.95, min(late, MOST_LAG_S))
            due = max(due + FAST_S, now)
            slow = now - slow_at >= SLOW_S
            if slow:
                self._tend(now, now - slow_at)
                slow_at = now
            await self._beats(slow, late)

    def _tend(self, now: float, elapsed: float) -> None:
        """Nothing here may stop the clock: without it no recording reaches the disk, and nobody is told."""
        try:
            self._measure(elapsed)
            self._sockets.tidy(now=now)
            if self._ended >= CIRCLES:
                self._ended = 0
                gc.collect()
        except Exception:
            log.exception("the node's own affairs failed")

    async def _beats(self, slow: bool, late: float) -> None:
        """A few meetings at a time: for more than those no packet waits."""
        waiting = list(self.rooms.values())
        while waiting:
            some, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            self._beat(some, self._monotonic(), slow, late)
            if waiting:
                await asyncio.sleep(0)

    def _beat(self, rooms: Iterable[Room], now: float, slow: bool, late: float) -> None:
        for room in rooms:
            try:
                limits.forgive(room, late, now=now)
                room.tick_fast(now=now)
                if slow:
                    room.tick(now=now)
            except Exception:
                log.exception("meeting %s: the clock failed", room.info.id)

    async def _run_sync(self) -> None:
        while True:
            await asyncio.sleep(SYNC_S)
            for meeting_id in list(self.rooms):
                try:
                    await self.sync(meeting_id)
                except Exception:
                    log.exception("meeting %s could not be brought up to date", meeting_id)
            try:
                self._forget()
            except Exception:
                log.exception("what is over could not be forgotten")

    def _measure(self, elapsed: float) -> None:
        total = sum(
            member.leg.packets_in
            for room in self.rooms.values()
            for member in room.members.values()
            if member.leg is not None
        )
        self._rate = max(0, total - self._packets) / elapsed
        self._packets = total
        cpu, before = time.process_time(), self._cpu
        self._cpu = cpu
        self._load.sample(cpu=(cpu - before) / elapsed, lag=self._lag, elapsed=elapsed)

    def _forget(self) -> None:
        for meeting_id in [key for key, room in self.rooms.items() if room.forgettable]:
            room = self.rooms.pop(meeting_id)
            room.close(CloseReason.LEFT)
            leaving = asyncio.create_task(room.drained())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        for meeting_id in [key for key, lock in self._locks.items() if key not in self.rooms and not lock.locked()]:
            del self._locks[meeting_id]
        self.devices.prune()
