"""Whatever forbids that a recording becomes playable has a name on its page, and goes on once it is mended."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core import clock, jobs
from core.db import Database
from core.ids import new_id
from core.settings import Settings
from recordings.archive import service
from recordings.archive.models import Recording
from recordings.archive.service import FINISH
from recordings.archive.states import FAILED, READY
from recordings.keys import FileKeyRing
from tests.recordings.proofs import write_journal
from video.meetings import service as meetings
from web import recording as recording_module
from web.demo.people import Ministry
from web.disk import NO_ROOM
from web.keys import key_ring
from web.recording import finish_handler
from web.worker import Worker


@pytest.fixture
def closed(settings: Settings, house: tuple[Database, Ministry]) -> str:
    """A journal of half a second, complete, of which nothing was made yet."""
    db, ministry = house
    now, id_, minister = clock.now(), new_id(), ministry.people["minister"]
    with db.write() as session:
        meeting = meetings.schedule(
            session,
            appointment_id=new_id(),
            petition_id="-",
            visitor_id="-",
            visitor_name=("زائر", "Visitor"),
            official=(minister.id, minister.name_ar, minister.name_en),
            centre_id=ministry.centres["central"].id,
            starts_at=now,
            ends_at=now + timedelta(minutes=20),
            now=now,
        )
        who = tuple(one.id for one in meeting.participants)
        service.start(session, recording_id=id_, meeting_id=meeting.id, petition_id="-", now=now)
        service.close(session, id_, now=now)
    (settings.recordings_dir / id_).mkdir(parents=True)
    write_journal(settings.recordings_dir / id_ / "journal", key_ring(settings), id_, who=who)
    return id_


def finish(settings: Settings, db: Database, id_: str) -> Recording:
    """The job, with all its tries."""
    at: list[datetime] = [clock.now()]
    worker = Worker(db=db, reactions={}, handlers={FINISH: finish_handler(settings, db)}, clock=lambda: at[0])
    with db.write() as session:
        session.query(jobs.Job).filter(jobs.Job.kind == FINISH).delete()
        jobs.enqueue(session, FINISH, {"recording_id": id_}, now=at[0])
    for _ in range(5):
        worker._run_job()
        at[0] += timedelta(minutes=1)
    with db.read() as session:
        assert not session.query(jobs.Job).filter(jobs.Job.kind == FINISH, jobs.Job.state == jobs.PENDING).count()
        return session.get_one(Recording, id_)


def wrong_key(settings: Settings, _folder: Path) -> None:
    (settings.data_dir / "archive.key").rename(settings.data_dir / "kept")
    FileKeyRing(settings.data_dir / "archive.key")


def right_key(settings: Settings, _folder: Path) -> None:
    (settings.data_dir / "kept").replace(settings.data_dir / "archive.key")


def damaged(_settings: Settings, folder: Path) -> None:
    shutil.copy(folder / "journal", folder.with_name("kept"))
    data = bytearray((folder / "journal").read_bytes())
    data[700] ^= 1
    (folder / "journal").write_bytes(data)


def foreign(settings: Settings, folder: Path) -> None:
    shutil.copy(folder / "journal", folder.with_name("kept"))
    (folder / "journal").unlink()
    write_journal(folder / "journal", key_ring(settings), "another-recording")


def gone(_settings: Settings, folder: Path) -> None:
    (folder / "journal").rename(folder.with_name("kept"))


def whole(_settings: Settings, folder: Path) -> None:
    folder.with_name("kept").replace(folder / "journal")


@pytest.mark.parametrize(
    ("harm", "mend", "named"),
    [
        (wrong_key, right_key, "KeyRefused"),
        (damaged, whole, "SealBroken"),
        (foreign, whole, "SealBroken: the journal is that of another recording"),
        (gone, whole, "FileNotFoundError"),
    ],
    ids=["wrong key", "damaged", "foreign journal", "no journal"],
)
def test_what_forbids_it_is_named_and_it_goes_on_when_that_is_mended(
    settings: Settings,
    house: tuple[Database, Ministry],
    closed: str,
    harm: Callable[[Settings, Path], None],
    mend: Callable[[Settings, Path], None],
    named: str,
) -> None:
    db, folder = house[0], settings.recordings_dir / closed
    harm(settings, folder)
    try:
        row = finish(settings, db, closed)
        assert row.state == FAILED and named in (row.problem or ""), row.problem
    finally:
        mend(settings, folder)
    _again(db, closed)
    assert finish(settings, db, closed).state == READY


@pytest.mark.parametrize("errno", [28, 30, 122], ids=["full disk", "read-only disk", "quota"])
def test_a_disk_that_takes_nothing_is_named_so_that_it_goes_on_by_itself(
    settings: Settings,
    house: tuple[Database, Ministry],
    closed: str,
    monkeypatch: pytest.MonkeyPatch,
    errno: int,
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno, "no")

    with monkeypatch.context() as patched:
        patched.setattr(recording_module, "remux", no_room)
        row = finish(settings, house[0], closed)
    assert row.state == FAILED and any(reason in (row.problem or "") for reason in NO_ROOM)
    assert not list((settings.recordings_dir / closed).glob("*.webm*"))
    _again(house[0], closed)
    assert finish(settings, house[0], closed).state == READY


def films(settings: Settings, id_: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (settings.recordings_dir / id_).glob("*.webm.sealed")}


def test_a_second_job_for_a_recording_that_is_ready_touches_none_of_its_films(
    settings: Settings, house: tuple[Database, Ministry], closed: str
) -> None:
    assert finish(settings, house[0], closed).state == READY
    made = films(settings, closed)
    assert made
    row = finish(settings, house[0], closed)
    assert row.state == READY and len(row.renditions) == len(made)
    assert films(settings, closed) == made


def test_two_jobs_that_ran_at_the_same_time_are_noted_once(
    settings: Settings, house: tuple[Database, Ministry], closed: str
) -> None:
    db, handler, payload = house[0], finish_handler(settings, house[0]), {"recording_id": closed}
    assert handler.record
    result = handler.act(payload)
    for _ in range(2):
        with db.write() as session:
            handler.record(session, payload, result, clock.now())
    with db.read() as session:
        row = session.get_one(Recording, closed)
        assert row.state == READY and len(row.renditions) == len(films(settings, closed))


def _again(db: Database, id_: str) -> None:
    with db.write() as session:
        recording = session.get_one(Recording, id_)
        recording.state = "closed"
