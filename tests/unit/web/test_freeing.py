"""Local copies that go and come back: what is needed meanwhile stays, and nobody's key is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core import clock
from core.db import Database
from core.settings import Settings
from recordings import container
from recordings.archive.models import Recording
from recordings.archive.states import CLOSED, DESTROYED, FAILED, READY
from recordings.container import KEY_SLOT
from recordings.journal import open_journal
from recordings.proof.pieces import blanked, take
from recordings.storage import away
from recordings.storage.models import StoredFile
from recordings.storage.states import BOTH, REMOTE
from web import storage
from web.keys import key_ring

LONG_AGO = timedelta(days=60)


@dataclass
class Shelf:
    """A bucket in memory. `asked` is called while it is read: what others do meanwhile."""

    objects: dict[str, bytes] = field(default_factory=dict)
    asked: Callable[[], None] = lambda: None

    def hash(self, key: str, version: str) -> tuple[int, str]:
        self.asked()
        import hashlib

        return len(self.objects[key]), hashlib.sha256(self.objects[key]).hexdigest()

    def stream(self, key: str, version: str) -> Iterator[bytes]:
        data = self.objects[key]
        yield data[:600]
        self.asked()
        yield data[600:]


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
