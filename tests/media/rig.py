"""A media node in a process of its own, with a directory and a recorder made for tests.

    python -m tests.media.rig PORT [TURN-URL TURN-SECRET | --log FILE]

Serves what a browser test needs on one origin: the node under /media, the client's modules under /static, an
almost empty page, and a door (`/rig/…`) through which the test plays the database and looks into the recorder.
"""

from __future__ import annotations

import logging
import random
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from video.media import hooks, leg, sockets
from video.media.app import create_app
from video.media.directory import LegSummary, MeetingInfo, ParticipantInfo, Refused
from video.media.node import MediaNode
from video.media.tokens import JoinClaims, mint
from video.media.turn import Turn

ROOT = Path(__file__).resolve().parents[2]
SECRET = b"a secret of the test rig, long enough"
CSP = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'"

PEOPLE = {
    "minister": ParticipantInfo("official", "الوزير", "Minister"),
    "sara": ParticipantInfo("visitor", "سارة", "Sara"),
    "aide": ParticipantInfo("aide", "المعاون", "Aide"),
    "signer": ParticipantInfo("interpreter", "المترجم", "Interpreter"),
}


class Notebook:
    """A directory in memory."""

    def __init__(self) -> None:
        self.meetings: dict[str, MeetingInfo] = {}
        self.told: list[list[Any]] = []
        self.fared: list[list[Any]] = []

    def put(self, meeting_id: str, **changes: Any) -> None:
        old = self.meetings.get(meeting_id)
        values = {
            "state": old.state if old else "open",
            "participants": old.participants if old else PEOPLE,
            "admitted": old.admitted if old else frozenset(),
            "removed": old.removed if old else frozenset(),
        } | changes
        self.meetings[meeting_id] = MeetingInfo(id=meeting_id, **values)

    async def meeting(self, meeting_id: str) -> MeetingInfo | None:
        return self.meetings.get(meeting_id)

    async def joined(self, meeting_id: str, participant_id: str, at: float) -> None:
        self.told.append(["joined", meeting_id, participant_id, at])

    async def left(self, meeting_id: str, participant_id: str, at: float) -> None:
        self.told.append(["left", meeting_id, participant_id, at])

    async def went_live(self, meeting_id: str, at: float) -> None:
        self.put(meeting_id, state="live")
        self.told.append(["went_live", meeting_id, at])

    async def recording_lost(self, meeting_id: str, at: float, why: str) -> None:
        self.told.append(["recording_lost", meeting_id, why, at])

    async def quality(self, meeting_id: str, participant_id: str, at: float, summary: LegSummary) -> None:
        self.fared.append([meeting_id, participant_id, asdict(summary)])

    async def admit(self, meeting_id: str, by: str, participant_id: str, at: float) -> None:
        if participant_id not in self.meetings[meeting_id].participants:
            raise Refused("unknown_participant")
        self.put(meeting_id, admitted=self.meetings[meeting_id].admitted | {participant_id})

    async def end(self, meeting_id: str, by: str, at: float) -> None:
        self.put(meeting_id, state="ended")


class Shelf:
    """A recorder that writes to memory from a thread behind a queue, and can be told to stall or fail."""

    def __init__(self) -> None:
        self.sinks: list[MemorySink] = []
        self.broken = False
        self.stalled = False
        self.loss = 0.0
        self.dark = False
        self.mute = ""
        """The leg to which no sound and no picture goes."""

    def open(self, meeting_id: str) -> MemorySink:
        if self.broken:
            raise OSError("no space left")
        sink = MemorySink(self, meeting_id)
        self.sinks.append(sink)
        return sink


class MemorySink:
    def __init__(self, shelf: Shelf, meeting_id: str) -> None:
        self.meeting_id = meeting_id
        self.tracks: dict[str, dict[str, Any]] = {}
        self.marks: list[list[Any]] = []
        self.closed: float | None = None
        self.last_durable_at = -1.0
        self._shelf = shelf
        self._written = -1.0
        threading.Thread(target=self._drain, daemon=True).start()

    def track(self, leg: str, participant_id: str, kind: str, codec: str, clock_rate: int, at: float) -> None:
        self.tracks[leg] = {
            "participant": participant_id,
            "kind": kind,
            "codec": codec,
            "rtp": 0,
            "sr": 0,
            "numbers": [],
            "first": at,
            "last": at,
        }

    def write(self, leg: str, at: float, packet: bytes) -> None:
        track = self.tracks[leg]
        if 192 <= packet[1] <= 223:
            track["sr"] += 1
        else:
            track["rtp"] += 1
            track["numbers"].append(packet[2] << 8 | packet[3])
        track["last"] = self._written = at

    def mark(self, at: float, kind: str, data: dict[str, Any]) -> None:
        self.marks.append([at, kind, data])

    def close(self, at: float) -> None:
        self.closed = at

    def healthy(self) -> bool:
        return True

    def _drain(self) -> None:
        while self.closed is None:
            time.sleep(0.1)
            if not self._shelf.stalled:
                self.last_durable_at = self._written

    def summary(self) -> dict[str, Any]:
        tracks = {}
        for name, track in self.tracks.items():
            numbers = track["numbers"] or [0]
            whole = [numbers[0] + (number - numbers[0] + 0x8000) % 0x10000 - 0x8000 for number in numbers]
            span = max(whole) - min(whole) + 1
            tracks[name] = {**track, "numbers": len(set(whole)), "span": span}
        return {"meeting": self.meeting_id, "tracks": tracks, "marks": self.marks, "closed": self.closed}


def lose(shelf: Shelf) -> None:
    """Media packets get lost on either way, as often as the shelf says; in the dark nothing arrives at all."""
    rtp, rtcp, receive, look = hooks.Way.rtp, hooks.Way.rtcp, leg.Leg.media, sockets.Port.look

    send = leg.Leg.send_rtp

    def muted_send(self: leg.Leg, packet: bytes, ssrc: int) -> None:
        if self.name != shelf.mute:
            send(self, packet, ssrc)

    leg.Leg.send_rtp = muted_send  # type: ignore[method-assign]

    def lossy_rtp(self: hooks.Way, packet: bytes, ssrc: int, session: Any) -> int:
        return len(packet) if random.random() < shelf.loss else rtp(self, packet, ssrc, session)

    def lossy_rtcp(self: hooks.Way, packet: bytes, session: Any) -> int:
        return len(packet) if random.random() < shelf.loss else rtcp(self, packet, session)

    def lossy_receive(self: leg.Leg, *datagram: Any) -> bool:
        return random.random() >= shelf.loss and receive(self, *datagram)

    def dark_look(self: sockets.Port) -> None:
        if shelf.dark:
            self._inbox.receive()
        else:
            look(self)

    hooks.Way.rtp, hooks.Way.rtcp = lossy_rtp, lossy_rtcp  # type: ignore[method-assign]
    leg.Leg.media, sockets.Port.look = lossy_receive, dark_look  # type: ignore[method-assign]


PAGE = """<!doctype html><html lang="ar" dir="rtl"><meta charset="utf-8"><title>rig</title>
<script type="module" src="/rig/page.js"></script><body></body></html>"""


def rig_app(turn: Turn | None = None, **settings: Any) -> Starlette:
    book, shelf = Notebook(), Shelf()
    lose(shelf)
    node = MediaNode(book, shelf.open, token_secret=SECRET, addresses=["127.0.0.1"], turn=turn, **settings)
    media = create_app(node, control_secret="control")

    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE, headers={"content-security-policy": CSP})

    async def script(request: Request) -> Response:
        text = (Path(__file__).parent / "page.js").read_text()
        return Response(text, media_type="text/javascript")

    async def meeting(request: Request) -> Response:
        """Creates or changes a meeting."""
        values = await request.json()
        for name in ("admitted", "removed"):
            if name in values:
                values[name] = frozenset(values[name])
        if "people" in values:
            values["participants"] = {name: PEOPLE[name] for name in values.pop("people")}
        book.put(request.path_params["id"], **values)
        return Response(status_code=204)

    async def token(request: Request) -> Response:
        who = request.query_params["who"]
        info = PEOPLE.get(who, ParticipantInfo("visitor", "غريب", "Stranger"))
        claims = JoinClaims(request.path_params["id"], who, info.role, info.name_ar, info.name_en)
        return JSONResponse(mint(SECRET, claims, now=time.time()))

    async def shelf_door(request: Request) -> Response:
        if request.method == "POST":
            for name, value in (await request.json()).items():
                setattr(shelf, name, value)
        return JSONResponse([sink.summary() for sink in shelf.sinks])

    async def told(request: Request) -> Response:
        return JSONResponse(book.told)

    async def fared(request: Request) -> Response:
        return JSONResponse(book.fared)

    return Starlette(
        routes=[
            Mount("/media", media),
            Mount("/static", StaticFiles(directory=ROOT / "web" / "static")),
            Route("/", page),
            Route("/rig/page.js", script),
            Route("/rig/meetings/{id}", meeting, methods=["PUT"]),
            Route("/rig/meetings/{id}/token", token),
            Route("/rig/shelf", shelf_door, methods=["GET", "POST"]),
            Route("/rig/told", told),
            Route("/rig/fared", fared),
        ],
        lifespan=media.router.lifespan_context,
    )


if __name__ == "__main__":
    log = sys.argv[3] if sys.argv[2:3] == ["--log"] else None
    if log:
        logging.basicConfig(level=logging.DEBUG, filename=log)
    uvicorn.run(
        rig_app(Turn((sys.argv[2],), sys.argv[3]) if sys.argv[3:] and not log else None),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        log_config=None if log else uvicorn.config.LOGGING_CONFIG,
        log_level="debug" if log else "warning",
        ws_max_size=65_536,
        timeout_graceful_shutdown=3,
    )
