"""The node as it runs, with the sealed journal, and the page of the tests; only the database is left out.

    python -m bench.lines.node PORT FOLDER

Besides /media and /static: `/token?meeting=…&who=…`, and `/fared?meeting=…` with what the node counted of each leg.
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from recordings.journal import JournalWriter, open_journal
from recordings.keys import FileKeyRing
from video.media.app import create_app
from video.media.directory import LegSummary, MeetingInfo, ParticipantInfo
from video.media.node import MediaNode
from video.media.tokens import JoinClaims, mint

ROOT = Path(__file__).resolve().parents[2]
SECRET = b"only for measuring, on this machine"
PEOPLE = {
    "official": ParticipantInfo("official", "المسؤول", "Official"),
    "visitor": ParticipantInfo("visitor", "الزائر", "Visitor"),
}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>lines</title>
<script type="module" src="/page.js"></script><body></body></html>"""


class Register:
    """A directory that knows every meeting until it was ended."""

    def __init__(self) -> None:
        self.over: set[str] = set()
        self.fared: dict[str, dict[str, dict[str, Any]]] = {}

    async def meeting(self, meeting_id: str) -> MeetingInfo | None:
        state = "ended" if meeting_id in self.over else "open"
        return MeetingInfo(meeting_id, state, PEOPLE, frozenset({"visitor"}))  # type: ignore[arg-type]

    async def end(self, meeting_id: str, by: str, at: float) -> None:
        self.over.add(meeting_id)

    async def quality(self, meeting_id: str, participant_id: str, at: float, summary: LegSummary) -> None:
        self.fared.setdefault(meeting_id, {})[summary.leg] = asdict(summary)

    async def _nothing(self, *facts: Any) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return self._nothing


def application(folder: Path) -> Starlette:
    keys = FileKeyRing(folder / "key")
    register = Register()

    def open_sink(meeting_id: str) -> JournalWriter:
        path = folder / f"{meeting_id}.journal"
        return open_journal(path, keys, recording_id=meeting_id, meeting_id=meeting_id, started_at=datetime.now(UTC))

    media = create_app(
        MediaNode(register, open_sink, token_secret=SECRET, addresses=["127.0.0.1"]), control_secret="bench"
    )

    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE)

    async def script(request: Request) -> Response:
        return FileResponse(ROOT / "tests" / "media" / "page.js", media_type="text/javascript")

    async def token(request: Request) -> Response:
        who = request.query_params["who"]
        info = PEOPLE[who]
        claims = JoinClaims(request.query_params["meeting"], who, info.role, info.name_ar, info.name_en)
        return JSONResponse(mint(SECRET, claims, now=time.time()))

    async def fared(request: Request) -> Response:
        return JSONResponse(register.fared.get(request.query_params["meeting"], {}))

    return Starlette(
        routes=[
            Mount("/media", media),
            Mount("/static", StaticFiles(directory=ROOT / "web" / "static")),
            Route("/", page),
            Route("/page.js", script),
            Route("/token", token),
            Route("/fared", fared),
        ],
        lifespan=media.router.lifespan_context,
    )


if __name__ == "__main__":
    uvicorn.run(
        application(Path(sys.argv[2])),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        log_level="warning",
        ws_max_size=65_536,
        timeout_graceful_shutdown=3,
    )
