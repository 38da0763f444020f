"""Our node for the soak: as in bench.media, with meetings that end, a log that can be read, and a look inside.

    python -m bench.soak.node ADDRESS PORT FOLDER CORE

`GET /inside` says what can't be seen from outside: tasks of the loop, rooms that are kept, journals that are written,
and with `?objects` how many objects of our own and of the libraries' kinds live. `POST /over` ends every meeting.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import itertools
import logging
import sys
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.media.gauges import pin
from bench.media.node import PEOPLE as TWO
from bench.media.node import SECRET, AnyMeeting
from recordings.journal import JournalWriter, open_journal
from recordings.keys import FileKeyRing
from video.media.app import create_app
from video.media.directory import MeetingInfo, ParticipantInfo
from video.media.node import MediaNode

PEOPLE = {**TWO, "interpreter": ParticipantInfo("interpreter", "المترجم", "Interpreter")}
HOUSES = ("video", "recordings", "aiortc", "aioice", "pylibsrtp", "OpenSSL", "pyee")
"""Packages whose objects are counted."""


class Ending(AnyMeeting):
    """Lets three people in, and remembers which meetings a host has ended."""

    def __init__(self) -> None:
        self.ended: set[str] = set()
        self.over = False

    async def meeting(self, meeting_id: str) -> MeetingInfo | None:
        state = "ended" if self.over or meeting_id in self.ended or meeting_id.startswith("over-") else "open"
        return MeetingInfo(meeting_id, state, PEOPLE, frozenset({"visitor", "interpreter"}))

    async def end(self, meeting_id: str, by: str, at: float) -> None:
        self.ended.add(meeting_id)


def living() -> dict[str, int]:
    """How many objects of each kind there are, once what nothing holds is gone."""
    gc.collect()
    kinds = Counter(type(one) for one in gc.get_objects())
    return {
        f"{kind.__module__}.{kind.__qualname__}": count
        for kind, count in kinds.items()
        if str(kind.__module__).partition(".")[0].lstrip("_") in HOUSES
    }


class Allocated(ctypes.Structure):
    """`struct mallinfo2` of the GNU C library."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "free", "fast", "maps", "mapped", "_1", "_2", "used", "unused", "top")
    ]


def in_use() -> int:
    """Octets that the C library has given out and not got back; 0 where it doesn't say.

    What the libraries in C forget to free shows here at once, and in the size of the process only after hours.
    """
    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if ask is None:
        return 0
    ask.restype = Allocated
    told = ask()
    return int(told.used + told.mapped)


def serve(address: str, port: int, folder: Path) -> None:
    keys = FileKeyRing(folder / "key")
    parts = itertools.count(1)
    book = Ending()

    def open_sink(meeting_id: str) -> JournalWriter:
        return open_journal(
            folder / f"{meeting_id}.{next(parts)}.journal",
            keys,
            recording_id=meeting_id,
            meeting_id=meeting_id,
            started_at=datetime.now(UTC),
        )

    node = MediaNode(book, open_sink, token_secret=SECRET, addresses=[address])
    app = create_app(node, control_secret="bench")

    async def inside(request: Request) -> Response:
        seen: dict[str, Any] = {
            "tasks": len(asyncio.all_tasks()),
            "rooms": len(node.rooms),
            "journals": sum(1 for thread in threading.enumerate() if thread.name == "journal"),
            "blocks": sys.getallocatedblocks(),
            "in_use_mb": round(in_use() / 1e6, 3),
        }
        if "objects" in request.query_params:
            seen["objects"] = living()
        return JSONResponse(seen)

    async def over(request: Request) -> Response:
        book.over = True
        return Response(status_code=204)

    app.router.routes += [Route("/inside", inside), Route("/over", over, methods=["POST"])]
    gc.freeze()  # as web.processes does
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        log_config=None,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=3,
    )


if __name__ == "__main__":
    pin(0, int(sys.argv[4]))
    serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
