"""Meetings that would not fit don't start; what failed for want of room is tried again when there is some."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core import clock
from core.db import Database
from core.settings import Settings
from recordings.archive import service as archive
from recordings.archive.models import Recording
from recordings.archive.states import CLOSED, FAILED
from recordings.storage.bucket import UNREACHABLE
from recordings.storage.rules import BYTES_PER_HOUR, RESERVE
from video.meetings import service as meetings
from web import disk, recording


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, secret_hex="11" * 32)


def meeting(db: Database, number: int, *, live: bool) -> str:
    now = clock.now()
    with db.write() as session:
        made = meetings.schedule(
            session,
            appointment_id=f"a{number}",
            petition_id="p",
            visitor_id="v",
            visitor_name=("ز", "V"),
            official=("minister", "م", "M"),
            centre_id="c",
            starts_at=now,
            ends_at=now + timedelta(hours=1),
            now=now,
        )
        meetings.open_room(session, made.id, now=now)
        if live:
            meetings.went_live(session, made.id, now=now)
        return made.id


def test_the_meeting_for_which_there_is_no_more_room_does_not_start(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for two hours of film beside the reserve: the second meeting of an hour finds it promised."""
    monkeypatch.setattr(disk, "free_bytes", lambda _folder: RESERVE + 3 * BYTES_PER_HOUR)
    meeting(db, 1, live=True)
    second = meeting(db, 2, live=False)
    with pytest.raises(OSError, match="almost full"):
        recording.sink_opener(settings, db)(second)
    monkeypatch.setattr(disk, "free_bytes", lambda _folder: RESERVE + 4 * BYTES_PER_HOUR + 10**7)
    sink = recording.sink_opener(settings, db)(second)
    sink.close(0.0)


def failed(db: Database, problem: str) -> str:
    now = clock.now()
    with db.write() as session:
        archive.start(session, recording_id=f"r-{len(problem)}", meeting_id="m", petition_id="p", now=now)
        archive.close(session, f"r-{len(problem)}", now=now)
        archive.fail(session, f"r-{len(problem)}", problem, now=now)
    return f"r-{len(problem)}"


def test_what_failed_on_a_full_disk_goes_on_when_there_is_room_and_nothing_else_does(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = failed(db, "OSError: [Errno 28] No space left on device")
    silent = failed(db, f"BucketError: {UNREACHABLE}: EndpointConnectionError (r/journal)")
    broken = failed(db, "SealBroken: the journal was altered")
    sweep = disk.sweep_disk(settings)
    for free, minutes, state in ((0, 0, FAILED), (2**50, 1, FAILED), (2**50, 11, CLOSED)):
        monkeypatch.setattr(disk, "free_bytes", lambda _folder, free=free: free)
        with db.write() as session:
            sweep(session, clock.now() + timedelta(minutes=minutes))
        with db.read() as session:
            assert session.get_one(Recording, full).state == session.get_one(Recording, silent).state == state
            assert session.get_one(Recording, broken).state == FAILED
