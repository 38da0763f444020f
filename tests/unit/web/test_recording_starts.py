"""A recording that can't begin leaves nothing behind; what a host does in the room is noted under the host's name."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core import clock
from core.audit import AuditEntry
from core.db import Database
from core.errors import NotFound
from core.settings import Settings
from core.staff import service as staff_service
from video.meetings import service as meetings
from video.meetings.directory import DatabaseDirectory
from web import recording


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, secret_hex="11" * 32)


def journals() -> int:
    return sum(thread.name == "journal" for thread in threading.enumerate())


def test_a_journal_that_the_archive_cannot_take_is_closed_and_gone(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MARGIN", 0)
    before = journals()
    with pytest.raises(NotFound):
        recording.sink_opener(settings, db)("no such meeting")
    assert journals() == before
    assert list(settings.recordings_dir.iterdir()) == []


def test_a_full_disk_leaves_no_folders(db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MARGIN", 2**80)
    for _ in range(3):
        with pytest.raises(OSError, match="almost full"):
            recording.sink_opener(settings, db)("m")
    assert list(settings.recordings_dir.iterdir()) == []


def test_who_admits_and_ends_stands_in_the_audit_trail_by_sign_in(db: Database) -> None:
    now = clock.now()
    with db.write() as session:
        minister = staff_service.create(
            session, username="minister", password="x", name_ar="م", name_en="M", roles=["official"], now=now
        )
        meeting = meetings.schedule(
            session,
            appointment_id="a",
            petition_id="p",
            visitor_id="v",
            visitor_name=("ز", "V"),
            official=(minister.id, "م", "M"),
            centre_id="c",
            starts_at=now,
            ends_at=now + timedelta(minutes=20),
            now=now,
        )
        meetings.open_room(session, meeting.id, now=now)
        guest, host = sorted(meeting.participants, key=lambda p: p.staff_id or "")

    async def room() -> None:
        directory = DatabaseDirectory(db)
        await directory.admit(meeting.id, host.id, guest.id, now.timestamp())
        await directory.end(meeting.id, host.id, now.timestamp())

    asyncio.run(room())
    with db.read() as session:
        rows = session.execute(
            select(AuditEntry.action, AuditEntry.actor_id, AuditEntry.actor_name).where(
                AuditEntry.action.in_(["admit", "end"])
            )
        ).all()
    assert {tuple(row) for row in rows} == {(verb, minister.id, "minister") for verb in ("admit", "end")}
