"""What was written in a meeting is found and shown wherever its gigabytes lie."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from core.staff.models import Staff, StaffRole
from recordings import access
from recordings.archive import service as archive
from recordings.archive.models import Grant
from recordings.archive.rules import TOOK_PART
from recordings.journal_records import Mark
from recordings.storage.states import BOTH, REMOTE
from recordings.strip import service as strips
from recordings.strip.files import MARKS
from tests.storage.conftest import Archive, Store
from tests.storage.test_bucket import stored
from web import storage
from web.strips import list_handler

pytestmark = pytest.mark.real


def search(held: Archive) -> dict[str, Mark]:
    def write() -> AbstractContextManager[Session]:
        return held.db.write()

    return access.search(
        write,
        "one",
        ["rec-1"],
        lambda mark: True,
        folder=held.settings.recordings_dir,
        keyring=held.one.keys.ring,
        clock=lambda: datetime.now(UTC),
    )


@pytest.fixture(autouse=True)
def viewer(held: Archive) -> None:
    with held.db.write() as session:
        session.add(Staff(id="one", username="one", name_ar="أ", name_en="one", password_hash="-"))
        session.flush()
        session.add(StaffRole(staff_id="one", role="official"))
        session.add(Grant(recording_id="rec-1", staff_id="one", purpose=TOOK_PART, granted_at=datetime.now(UTC)))


def test_words_are_found_without_asking_the_bucket(held: Archive, store: Store) -> None:
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    assert held.states()["journal"] == REMOTE and held.states()[MARKS] == BOTH
    store.before = lambda _method, _path: 503
    store.asked.clear()
    assert search(held)["rec-1"].data["text"] == "السلام عليكم" and not store.asked


def test_a_journal_does_not_leave_before_its_words_are_listed(held: Archive) -> None:
    from core.jobs import Job

    (held.folder / MARKS).unlink()
    stored(held)
    for _ in range(2):
        storage.free(held.settings, held.db, held.lane.bucket)
    assert held.states()["journal"] == BOTH and (held.folder / "journal").exists()
    with held.db.read() as session:
        assert [job.kind for job in session.query(Job).filter(Job.kind == strips.LIST)] == [strips.LIST]
    assert list_handler(held.settings, held.db).act({"recording_id": "rec-1"})
    storage.free(held.settings, held.db, held.lane.bucket)
    assert held.states()["journal"] == REMOTE


def test_words_that_were_lost_are_listed_anew_from_the_journal_alone(held: Archive) -> None:
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    (held.folder / MARKS).unlink()
    assert search(held) == {}
    assert list_handler(held.settings, held.db).act({"recording_id": "rec-1"})
    assert (held.folder / MARKS).exists() and (held.folder / "journal").exists()
    assert not (held.folder / held.one.facts.films[0].file).exists(), "gigabytes stay where they are"
    with held.db.read() as session:
        assert archive.get(session, "rec-1").state == "ready"
