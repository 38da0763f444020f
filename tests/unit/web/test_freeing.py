"""Local copies that go and come back: what is needed meanwhile stays, and nobody's key is lost on the way."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from core import clock
from core.db import Database
from core.settings import Settings
from recordings import container
from recordings.archive.models import Recording
from recordings.archive.states import CLOSED, DESTROYED, FAILED, READY
from recordings.container import KEY_SLOT
from recordings.export import rules
from recordings.export.making import NotMade
from recordings.journal import open_journal
from recordings.proof.pieces import blanked, take
from recordings.retention.models import Hold
from recordings.storage import away
from recordings.storage.bucket import MISSING, REFUSED, UNREACHABLE, BucketError, Held
from recordings.storage.models import StoredFile
from recordings.storage.states import BOTH, DOOMED, LOST, REMOTE
from video.meetings.models import Meeting
from video.meetings.states import LIVE
from web import disk, storage
from web.exports import making
from web.keys import key_ring
from web.recording import make_playable

LONG_AGO = timedelta(days=60)


@dataclass
class Shelf:
    """A bucket in memory. `asked` is called while it is read: what others do meanwhile."""

    objects: dict[str, bytes] = field(default_factory=dict)
    asked: Callable[[], None] = lambda: None
    problems: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    def hash(self, key: str, version: str) -> tuple[int, str]:
        self.asked()
        import hashlib

        return len(self.objects[key]), hashlib.sha256(self.objects[key]).hexdigest()

    def stream(self, key: str, version: str) -> Iterator[bytes]:
        data = self.objects[key]
        yield data[:600]
        self.asked()
        yield data[600:]

    def head(self, key: str, version: str) -> Held:
        if key in self.problems:
            raise BucketError(self.problems[key], key)
        return Held(1, version, None, key in self.held)

    def hold(self, key: str, version: str, on: bool) -> None:
        self.held |= {key}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", secret_hex="11" * 32)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    made = Shelf()
    monkeypatch.setattr(away, "bucket_of", lambda _recordings: made)
    return made


@dataclass
class House:
    settings: Settings
    db: Database
    shelf: Shelf

    def recording(self, id_: str = "r1", *, state: str = READY) -> Path:
        """Its journal lies here and in the bucket, for so long that it may go. Returns where it lies."""
        now = clock.now()
        journal = self.settings.recordings_dir / id_ / "journal"
        journal.parent.mkdir(parents=True)
        ring = key_ring(self.settings)
        open_journal(journal, ring, recording_id=id_, meeting_id="m", started_at=now).close(1.0)
        (journal.parent / storage.MARKS).touch()
        self.shelf.objects[id_] = blanked(journal.read_bytes(), 0, KEY_SLOT)
        whole = take(journal, blank=KEY_SLOT)
        with self.db.write() as session:
            session.add(
                Recording(
                    id=id_, meeting_id="m", petition_id="p", state=state, started_at=now, journal=f"{id_}/journal"
                )
            )
            session.flush()
            session.add(
                StoredFile(
                    recording_id=id_,
                    file="journal",
                    state=BOTH,
                    size=whole.size,
                    sha256=whole.sha256,
                    object_key=id_,
                    version="v",
                    upload="",
                    stored_at=now - LONG_AGO,
                )
            )
        return journal

    def move(self, state: str, id_: str = "r1") -> None:
        with self.db.write() as session:
            session.get_one(Recording, id_).state = state

    def file(self, id_: str = "r1") -> StoredFile:
        with self.db.read() as session:
            return session.query(StoredFile).filter_by(recording_id=id_).one()

    def free(self) -> int:
        return storage.free(self.settings, self.db, self.shelf)  # type: ignore[arg-type]


@pytest.fixture
def house(settings: Settings, db: Database, shelf: Shelf) -> House:
    return House(settings, db, shelf)


def has_key(path: Path) -> bool:
    return bool(container.read_header(path).wrapped_key)


@pytest.mark.parametrize("state", [READY, FAILED])
def test_what_came_to_an_end_leaves_the_disk_and_keeps_its_key(house: House, state: str) -> None:
    journal = house.recording(state=state)
    assert house.free() == 1
    assert not journal.exists() and has_key(away.stub_of(journal)) and house.file().state == REMOTE


@pytest.mark.parametrize("state", [CLOSED, DESTROYED])
def test_what_is_tried_again_or_destroyed_while_it_is_read_stays_with_its_key(house: House, state: str) -> None:
    journal = house.recording(state=FAILED)
    house.shelf.asked = lambda: house.move(state)
    assert house.free() == 0
    assert has_key(journal) and not away.stub_of(journal).exists() and house.file().state == BOTH


def test_what_is_being_made_playable_is_not_even_read(house: House) -> None:
    journal = house.recording(state=CLOSED)
    house.shelf.asked = lambda: pytest.fail("gigabytes read for nothing")
    assert house.free() == 0 and journal.exists()


def test_what_was_brought_back_or_written_anew_while_it_was_read_stays(house: House) -> None:
    journal = house.recording()

    def brought_back() -> None:
        with house.db.write() as session:
            session.query(StoredFile).one().due_at = clock.now() + timedelta(hours=1)

    house.shelf.asked = brought_back
    assert house.free() == 0 and journal.exists() and house.file().state == BOTH
    with house.db.write() as session:
        session.query(StoredFile).one().due_at = None
    house.shelf.asked = lambda: container.rewrap(journal, key_ring(house.settings), key_ring(house.settings))
    assert house.free() == 0 and has_key(journal)
    house.shelf.asked = lambda: None
    assert house.free() == 1


def live(now: datetime) -> Meeting:
    """A meeting that goes on for another hour."""
    return Meeting(
        id="live",
        appointment_id="a",
        petition_id="-",
        visitor_id="-",
        centre_id="-",
        official_id="-",
        state=LIVE,
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        live_at=now,
    )


def gone(house: House, id_: str = "r1") -> Path:
    journal = house.recording(id_)
    assert house.free() == 1
    return journal


def whole(house: House, journal: Path) -> bool:
    """It lies here, every byte of it, and opens; no stub and no draft beside it."""
    names = {path.name for path in journal.parent.iterdir()}
    same = blanked(journal.read_bytes(), 0, KEY_SLOT) == house.shelf.objects[journal.parent.name]
    return same and has_key(journal) and names == {"journal", storage.MARKS}


def test_two_that_bring_back_the_same_file_fetch_it_once(house: House) -> None:
    journal = gone(house)
    fetched: list[str] = []
    second = threading.Thread(target=lambda: fetched.extend(away.bring_back(journal.parent)))

    def while_the_first_reads() -> None:
        house.shelf.asked = lambda: pytest.fail("fetched twice")
        second.start()
        second.join(0.1)

    house.shelf.asked = while_the_first_reads
    assert away.bring_back(journal.parent) == ["journal"]
    second.join()
    assert fetched == [] and whole(house, journal)


def test_who_asks_for_a_file_that_is_just_leaving_gets_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the stub's writing, and before the file's end: both are there, and one of the two has to go."""
    journal = house.recording()
    asker = threading.Thread(target=lambda: storage.here(house.settings, "r1"))
    real = container.fsync_folder

    def sync(folder: Path) -> None:
        real(folder)
        if journal.exists() and away.stub_of(journal).exists() and not asker.is_alive():
            asker.start()
            asker.join(0.1)

    monkeypatch.setattr(container, "fsync_folder", sync)
    assert house.free() == 1
    asker.join()
    assert whole(house, journal)


def test_nothing_leaves_while_files_are_brought_back_and_nobody_waits_for_it(house: House) -> None:
    journal = house.recording()
    with away.alone(journal.parent):
        assert house.free() == 0
    assert house.file().state == BOTH and whole(house, journal)
    assert house.free() == 1


def _hold(folder: Path, told: multiprocessing.synchronize.Event) -> None:
    with away.alone(folder):
        told.set()
        threading.Event().wait()


def test_the_lock_holds_between_processes_and_falls_with_a_killed_one(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    told = spawn.Event()
    other = spawn.Process(target=_hold, args=(tmp_path, told), daemon=True)
    other.start()
    try:
        assert told.wait(30)
        with pytest.raises(BlockingIOError), away.alone(tmp_path, wait=False):
            pass
    finally:
        other.kill()
    with away.alone(tmp_path):
        assert not list(tmp_path.iterdir()), "nothing to clear away"
    other.join()


def test_what_a_killed_one_left_half_fetched_is_in_nobodys_way(house: House) -> None:
    journal = gone(house)
    journal.with_name(".journal.unfinished").write_bytes(b"half")
    assert away.bring_back(journal.parent) == ["journal"] and whole(house, journal)
    with pytest.raises(FileNotFoundError):
        away.open_sealed(journal.with_name("nothing"), key_ring(house.settings))


def test_a_key_that_is_destroyed_as_its_file_comes_back_is_destroyed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the copy of the slot, and before the stub's end."""
    journal = gone(house)
    real = container.fsync_folder

    def sync(folder: Path) -> None:
        real(folder)
        container.destroy_key(away.stub_of(journal))

    monkeypatch.setattr(container, "fsync_folder", sync)
    assert away.bring_back(journal.parent) == ["journal"]
    assert not has_key(journal) and not away.stub_of(journal).exists()


def test_a_failed_recording_whose_journal_is_away_can_be_tried_again(house: House) -> None:
    house.recording(state=FAILED)
    assert house.free() == 1
    house.move(CLOSED)
    assert make_playable(house.settings, "r1").finished
    storage.reconcile(house.settings, house.db)
    assert house.file().state == BOTH


def test_nothing_comes_back_into_the_room_that_meetings_need(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = gone(house)
    size = away.coming(journal.parent)
    assert size == len(house.shelf.objects["r1"]) and away.coming(journal.parent, "another") == 0
    with house.db.read() as session:
        need = disk.room(house.settings, session, now=clock.now()).need
    monkeypatch.setattr(disk, "free_bytes", lambda _folder: need + size - 1)
    for db in (house.db, None):
        with pytest.raises(OSError, match="Meetings need the room") as refused:
            storage.here(house.settings, "r1", db=db)
        assert any(reason in str(refused.value) for reason in disk.NO_ROOM), "it goes on by itself"
        assert not journal.exists() and away.coming(journal.parent) == size
    with house.db.write() as session:
        session.add(live(clock.now()))
    monkeypatch.setattr(disk, "free_bytes", lambda _folder: need + size)
    with pytest.raises(OSError, match="Meetings need the room"):
        storage.here(house.settings, "r1", db=house.db)
    monkeypatch.setattr(disk, "free_bytes", lambda _folder: 4 * need)
    assert storage.here(house.settings, "r1", db=house.db) and whole(house, journal)
    assert away.coming(journal.parent) == 0


@pytest.mark.parametrize(("short", "problem"), [(0, ""), (1, rules.DISK_FULL)])
def test_a_film_counts_what_it_has_to_bring_back(
    house: House, monkeypatch: pytest.MonkeyPatch, short: int, problem: str
) -> None:
    journal = gone(house)
    house.settings.exports_dir.mkdir()
    needed = rules.size_at_most(3600) + rules.MARGIN_BYTES + away.coming(journal.parent)
    monkeypatch.setattr(making, "_free", lambda _folder: needed - short)
    monkeypatch.setattr(disk, "free_bytes", lambda _folder: 2**50)
    if problem:
        house.shelf.asked = lambda: pytest.fail("fetched for nothing")
        with pytest.raises(NotMade) as refused:
            making._bring(house.settings, house.db, "r1", 3600)
        assert refused.value.problem == problem and not journal.exists()
    else:
        making._bring(house.settings, house.db, "r1", 3600)
        assert whole(house, journal)


def test_one_object_that_is_not_there_keeps_no_other_from_its_hold(house: House) -> None:
    for id_ in ("r1", "r2", "r3", "r4", "r5"):
        house.recording(id_)
    with house.db.write() as session:
        session.add(Hold(recording_id="r5", petition_id="p", reason="a court", set_by="s", set_at=clock.now()))
        session.query(StoredFile).filter_by(recording_id="r1").one().state = LOST
        session.query(StoredFile).filter_by(recording_id="r4").one().state = DOOMED
    house.shelf.problems = {"r1": REFUSED, "r2": MISSING, "r4": REFUSED}
    done: dict[tuple[str, str], bool] = {}
    assert storage.follow_holds(house.db, house.shelf, done) == 2  # type: ignore[arg-type]
    assert house.shelf.held == {"r3", "r5"}
    house.shelf.problems = {"r1": REFUSED, "r4": REFUSED}
    assert storage.follow_holds(house.db, house.shelf, done) == 1, "tried again"  # type: ignore[arg-type]
    assert house.shelf.held == {"r2", "r3", "r5"} and len(done) == 3
    house.shelf.problems = {"r2": UNREACHABLE}
    with pytest.raises(BucketError):
        storage.follow_holds(house.db, house.shelf, {})  # type: ignore[arg-type]


def test_looking_for_what_came_back_loads_no_row_and_locks_nothing_for_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id_ in ("r1", "r2"):
        gone(house, id_)
    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", lambda _self: pytest.fail("everybody waits for this lock"))
        storage.reconcile(house.settings, house.db)
    storage.here(house.settings, "r2")
    loaded: list[object] = []

    def told(row: object, _context: object) -> None:
        loaded.append(row)

    event.listen(StoredFile, "load", told)
    try:
        storage.reconcile(house.settings, house.db)
    finally:
        event.remove(StoredFile, "load", told)
    assert len(loaded) == 1, "the one that is back, and is changed"
    assert (house.file("r1").state, house.file("r2").state) == (REMOTE, BOTH)
    assert house.file("r2").due_at is not None and house.free() == 0, "it stays for a while"
