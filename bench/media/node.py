"""Ours as it runs: the media node under uvicorn and uvloop, with the sealed journal; only the database is left out.

python -m bench.media.node ADDRESS PORT FOLDER CORE
"""

from __future__ import annotations

import gc
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from bench.media.gauges import pin
from recordings.journal import JournalWriter, open_journal
from recordings.keys import FileKeyRing
from video.media.app import create_app
from video.media.directory import MeetingInfo, ParticipantInfo
from video.media.node import MediaNode

SECRET = b"only for measuring, on this machine"
PEOPLE = {
    "official": ParticipantInfo("official", "المسؤول", "Official"),
    "visitor": ParticipantInfo("visitor", "الزائر", "Visitor"),
}


class AnyMeeting:
    """A directory that knows every meeting, lets both in, and forgets whatever it is told."""

    async def meeting(self, meeting_id: str) -> MeetingInfo | None:
        return MeetingInfo(meeting_id, "open", PEOPLE, frozenset({"visitor"}))

    async def _nothing(self, *facts: Any) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return self._nothing


def serve(address: str, port: int, folder: Path) -> None:
    keys = FileKeyRing(folder / "key")

    def open_sink(meeting_id: str) -> JournalWriter:
        return open_journal(
            folder / f"{meeting_id}.journal",
            keys,
            recording_id=meeting_id,
            meeting_id=meeting_id,
            started_at=datetime.now(UTC),
        )

    node = MediaNode(AnyMeeting(), open_sink, token_secret=SECRET, addresses=[address])
    app = create_app(node, control_secret="bench")
    gc.freeze()
    uvicorn.run(
        app, host="127.0.0.1", port=port, loop="uvloop", log_level="warning",
        ws_per_message_deflate=False, timeout_graceful_shutdown=3,
    )  # fmt: skip


if __name__ == "__main__":
    pin(0, int(sys.argv[4]))
    serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
