"""The end of a recording in a bucket: keys first, then the objects, as lock and store allow; never silently."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core import clock
from core.ids import new_id
from core.staff.models import Staff
from recordings import container
from recordings.proof.rules import ALTERED, ENDED, PROVEN
from recordings.proof.verify import REMOVED as GONE
from recordings.proof.verify import verify
from recordings.retention import certificate
from recordings.retention.erasing import NotItsOwn, erase
from recordings.retention.models import Destruction
from recordings.retention.states import AGREED, DONE
from recordings.storage import away, service
from recordings.storage.away import open_sealed
from recordings.storage.states import BOTH, DOOMED, LOCKED, REMOVED
from tests.recordings.proofs import small
from tests.storage.conftest import NAME, Archive, Store
from tests.storage.test_bucket import due_now, row, stored
from web import storage
from web.library import audit
from web.proof import OnRecord, examine
from web.retention.destroying import destroy_handler

pytestmark = pytest.mark.real


@pytest.fixture
def ended(held: Archive) -> str:
    """Two people have agreed to its end."""
    now, id_ = datetime.now(UTC), new_id()
    with held.db.write() as session:
        for name in ("one", "two"):
            session.add(Staff(id=name, username=name, name_ar="أ", name_en=name, password_hash="-"))
        session.add(
            Destruction(
                id=id_,
                recording_id="rec-1",
                state=AGREED,
                reason="its time is over",
                kept_until=now,
                years=1,
                proposed_by="one",
                proposed_at=now,
                decided_by="two",
                decided_at=now,
            )
        )
    return id_


def destroy(held: Archive, id_: str) -> dict[str, object]:
    """The job, to its end; returns what was certified."""
    handler, payload = destroy_handler(held.settings, held.db), {"destruction_id": id_}
    text = handler.act(payload)
    with held.db.write() as session:
        assert handler.record
        handler.record(session, payload, text, clock.now())
    with held.db.read() as session:
        done = session.get_one(Destruction, id_)
    assert done.state == DONE
    return certificate.read(done.certificate or "", held.one.keys.public)


def removal(held: Archive, id_: str) -> dict[str, object] | None:
    with held.db.read() as session:
        text = session.get_one(Destruction, id_).removal
    return certificate.read(text, held.one.keys.public) if text else None


def everything(store: Store) -> list[str]:
    listed = store.client.list_object_versions(Bucket=NAME, Prefix="m/rec-1/")
    uploads = store.client.list_multipart_uploads(Bucket=NAME).get("Uploads", [])
    return [one["Key"] for kind in ("Versions", "DeleteMarkers") for one in listed.get(kind, [])] + [
        one["Key"] for one in uploads
    ]


def test_what_lies_in_the_bucket_is_unreadable_and_then_gone(held: Archive, store: Store, ended: str) -> None:
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    film = held.folder / held.one.facts.films[0].file
    store.client.put_object(Bucket=NAME, Key="m/rec-1/journal", Body=b"a version that nobody noted")
    store.client.put_object(Bucket=NAME, Key="m/rec-10/journal", Body=b"another recording")
    store.client.create_multipart_upload(Bucket=NAME, Key="m/rec-1/journal")
    said = destroy(held, ended)
    assert everything(store) == [], "every version, and transfers that nobody ended"
    assert store.bytes("m/rec-10/journal") == b"another recording"
    assert all(one["removed"] for one in said["store"]) and len(said["store"]) == 6
    assert all(one["as_signed"] for one in said["files"] if one["file"] != "marks.sealed")
    with pytest.raises(container.KeyDestroyed):
        open_sealed(film, held.one.keys.ring)
    report = verify(held.folder, held.one.keys.public)
    assert report.verdict == ENDED and GONE in {one.kind for one in report.findings}
    held.work()
    assert set(held.states().values()) == {REMOVED} and removal(held, ended) is None, "there was nothing left to sign"
    found = audit.run(held.settings, held.db, audit.listed(held.db), quick=False, progress=lambda _read: None)
    assert found == ([], 1), "what was meant is no problem"


def test_what_a_lock_keeps_is_named_with_its_day_and_goes_behind_it(
    held: Archive, store: Store, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    locking = held.settings.model_copy(update={"storage_lock_days": 30})
    held.lane.handlers = {**held.lane.handlers, service.SEND: storage.send_handler(locking, held.db, held.lane.bucket)}
    stored(held)
    until = row(held, "journal").locked_until
    assert until is not None
    said = destroy(held, ended)
    for one in said["store"]:
        assert abs(datetime.fromisoformat(one["locked_until"]) - until) < timedelta(minutes=1)
    assert set(held.states().values()) == {LOCKED} and len(everything(store)) == 6
    held.work()
    assert set(held.states().values()) == {LOCKED}
    for file in held.states():
        due = row(held, file).due_at
        assert due is not None and due <= datetime.now(UTC) + timedelta(days=8), "looked at each week, and then some"
    with pytest.raises(container.KeyDestroyed):
        open_sealed(held.folder / held.one.facts.films[0].file, held.one.keys.ring)
    # the day after
    for key in everything(store):
        for version in store.versions(key):
            past = datetime.now(UTC) + timedelta(milliseconds=50)
            _shorten(key, version, past)
    due_now(held)
    held.work()
    assert everything(store) == [] and set(held.states().values()) == {REMOVED}
    gone = removal(held, ended)
    assert gone and all(one["removed"] for one in gone["store"]) and gone["certificate"] == ended


def _shorten(key: str, version: str, until: datetime) -> None:
    """As if the time had gone by: only the store's own hand can do so."""
    from moto.backends import get_backend

    found = get_backend("s3")["123456789012"]["aws"].get_object(NAME, key, version_id=version)
    found.lock_until = (until - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_store_that_is_gone_in_mid_destruction_is_named_and_asked_again(
    held: Archive, store: Store, ended: str
) -> None:
    stored(held)
    removed: list[str] = []

    def after_two(method: str, path: str) -> int | None:
        removed.extend([path] if method == "DELETE" else [])
        return 503 if len(removed) > 2 else None

    store.before = after_two
    said = destroy(held, ended)
    how = [next(key for key in ("removed", "locked_until", "problem") if key in one) for one in said["store"]]
    assert how.count("removed") == 2 and how.count("problem") == 4
    assert all("does not answer" in one["problem"] for one in said["store"] if "problem" in one)
    held.work()
    waiting = [file for file, state in held.states().items() if state == DOOMED]
    assert len(waiting) == 4 and all(row(held, file).due_at for file in waiting), "each has its next try"
    with pytest.raises(container.KeyDestroyed):
        open_sealed(held.folder / held.one.facts.films[0].file, held.one.keys.ring)
    store.before = None
    due_now(held)
    held.work()
    assert everything(store) == [] and set(held.states().values()) == {REMOVED}
    assert removal(held, ended)


def test_a_refusal_is_no_lock(held: Archive, store: Store, ended: str) -> None:
    stored(held)
    store.before = lambda method, _path: 403 if method == "DELETE" else None
    said = destroy(held, ended)
    assert all("refuses" in one["problem"] for one in said["store"])


def test_an_upload_that_ends_behind_the_destruction_is_removed_too(held: Archive, store: Store, ended: str) -> None:
    """The keys are destroyed while a file is on its way; what then arrives in the bucket does not stay."""
    storage.plan(held.settings, held.db)
    done: list[dict[str, object]] = []

    def meanwhile(method: str, _path: str) -> None:
        if method == "PUT" and not done:
            done.append({})
            done[0] = destroy(held, ended)

    store.before = meanwhile
    held.work()
    assert done and everything(store) == [] and set(held.states().values()) == {REMOVED}
    assert row(held, "journal").locked_until is None


def test_a_recording_that_never_was_in_the_bucket_says_so_and_is_not_sent(
    held: Archive, store: Store, ended: str
) -> None:
    said = destroy(held, ended)
    assert said["store"] == []
    assert storage.plan(held.settings, held.db) == 0 and everything(store) == []


def test_a_store_that_is_not_in_the_settings_any_more_is_named(held: Archive, ended: str) -> None:
    stored(held)
    held.settings = held.settings.model_copy(update={"storage_bucket": ""})
    said = destroy(held, ended)
    assert {one["problem"] for one in said["store"]} == {storage.NO_STORE}
    with held.db.read() as session:
        assert len(service.left(session, "rec-1")) == 6, "its job goes on as soon as there is a store again"


def test_swapped_files_are_not_destroyed_in_each_others_name(held: Archive, tmp_path: Path) -> None:
    """Whose key would go, and where is the one that was meant?"""
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    other = small(held.settings.recordings_dir / "rec-2", held.one.keys, "rec-2")
    mine, theirs = away.stub_of(held.folder / "journal"), other.folder / "journal"
    head = mine.read_bytes()
    mine.write_bytes(theirs.read_bytes()[:512] + head[512:])
    with pytest.raises(NotItsOwn):
        erase(held.folder, owner="rec-1")
    assert container.read_header(theirs).wrapped_key, "the other one's is untouched"
    assert container.read_header(away.stub_of(held.folder / held.one.facts.films[0].file)).wrapped_key
    mine.write_bytes(head)
    assert erase(held.folder, owner="rec-1")


def test_a_stub_that_speaks_of_another_object_is_not_certified_as_what_was_signed(held: Archive, ended: str) -> None:
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    film = held.one.facts.films[0].file
    stub = away.stub_of(held.folder / film)
    head, where = away.read_stub(stub)
    _head, journal = away.read_stub(away.stub_of(held.folder / "journal"))
    stub.write_bytes(head + json.dumps(asdict(replace(where, sha256=journal.sha256))).encode())
    said = {one["file"]: one.get("as_signed") for one in destroy(held, ended)["files"]}
    assert said[film] is False and said["journal"] is True


def test_nothing_is_freed_for_what_the_bucket_has_of_the_same_size(held: Archive, store: Store) -> None:
    """A swap: the same name, the same size, another content. Only reading it whole tells."""
    stored(held)
    one = row(held, "journal")
    data = bytearray(store.bytes("m/rec-1/journal"))
    data[-1] ^= 1
    version = store.client.put_object(Bucket=NAME, Key="m/rec-1/journal", Body=bytes(data))["VersionId"]
    with held.db.write() as session:
        session.get_one(type(one), one.id).version = version
    storage.free(held.settings, held.db, held.lane.bucket)
    assert (held.folder / "journal").exists() and held.states()["journal"] != BOTH, "it is sent again"
    held.work()
    assert held.states()["journal"] == BOTH


def test_nothing_is_freed_that_is_not_what_was_signed_here(held: Archive) -> None:
    stored(held)
    path = held.folder / "journal"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    storage.free(held.settings, held.db, held.lane.bucket)
    assert path.exists() and held.states()["journal"] == BOTH


def test_a_word_in_a_stub_removes_nothing_from_a_proof(held: Archive) -> None:
    """`removed` counts only where the key is gone: else whoever can write a line could hide a missing object."""
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    stub = away.stub_of(held.folder / "journal")
    away.say_removed(stub, "2026-01-01T00:00:00.000Z")
    one = row(held, "journal")
    held.lane.bucket.remove(one.object_key, one.version)
    assert verify(held.folder, held.one.keys.public).verdict != PROVEN
    container.destroy_key(stub)
    report = verify(held.folder, held.one.keys.public)
    assert report.verdict == ENDED, "what can be done to a stub is never a proof"
    with held.db.read() as session:
        report = examine(held.folder, OnRecord.of(session, "rec-1"), held.one.keys.public)
    assert report.verdict == ALTERED, "the archive knows that nobody decided it"
