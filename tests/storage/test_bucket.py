"""Recordings in a bucket: sent, read back, freed, played, brought back; and everything that may go wrong on the way."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import Fault
from core.settings import Settings
from recordings import container
from recordings.keys import FileKeyRing
from recordings.proof.rules import ALTERED, PROVEN
from recordings.proof.verify import MISSING, UNREADABLE, verify
from recordings.retention.models import Hold
from recordings.rotation import rewrap_all, sealed_below
from recordings.sealed import SealedReader, SealedWriter
from recordings.storage import away, service
from recordings.storage.away import open_sealed
from recordings.storage.bucket import DIFFERS, LOCKED, Bucket, BucketError, Place
from recordings.storage.models import StoredFile
from recordings.storage.states import BOTH, FAILED, LOST, REMOTE, UPLOADING
from tests.children import ROOT, die_with_parent
from tests.storage.conftest import NAME, Archive, Store
from web import storage

pytestmark = pytest.mark.real
MIB = 1024**2


def due_now(held: Archive) -> None:
    """As if the time until the next try had gone by."""
    from core.jobs import Job

    with held.db.write() as session:
        session.query(Job).update({"run_at": datetime(2020, 1, 1, tzinfo=UTC)})


def stored(held: Archive) -> None:
    storage.plan(held.settings, held.db)
    held.work()


def row(held: Archive, file: str) -> StoredFile:
    with held.db.read() as session:
        return next(one for one in service.of_recording(session, "rec-1") if one.file == file)


def test_what_is_signed_lies_in_the_bucket_without_its_key(held: Archive, store: Store) -> None:
    stored(held)
    assert set(held.states().values()) == {BOTH}
    fields = json.loads((held.folder / "manifest").read_text().splitlines()[0])
    for entry in fields["files"]:
        there = store.bytes(f"m/rec-1/{entry['file']}")
        assert hashlib.sha256(there).hexdigest() == entry["sha256"], "sha256sum of an object is what was signed"
        assert there[slice(*container.KEY_SLOT)] == bytes(256), "no key, however wrapped, leaves the house"
    assert store.bytes("m/rec-1/manifest") == (held.folder / "manifest").read_bytes()
    assert storage.plan(held.settings, held.db) == 0


def test_a_local_copy_goes_and_everything_is_as_before(held: Archive, store: Store) -> None:
    film = held.one.facts.films[0].file
    ring, keys = held.one.keys.ring, held.one.keys.public
    with SealedReader(held.folder / film, ring) as reader:
        whole = reader.read()
    stored(held)
    assert storage.free(held.settings, held.db, held.lane.bucket) == 3
    assert held.states() == {
        "journal": REMOTE,
        film: REMOTE,
        held.one.facts.films[1].file: REMOTE,
        "people-1.sealed": BOTH,
        "marks.sealed": BOTH,
        "manifest": BOTH,
    }
    assert not (held.folder / film).exists()
    with open_sealed(held.folder / film, ring) as reader:
        assert reader.read() == whole and reader.read_at(100, 50) == whole[100:150]
    report = verify(held.folder, keys)
    assert report.verdict == PROVEN and report.findings == []
    assert report.checked == sum(entry.hashes.size for entry in report.manifest.entries)
    assert sorted(away.bring_back(held.folder)) == sorted([film, held.one.facts.films[1].file, "journal"])
    assert verify(held.folder, keys).findings == [] and not list(held.folder.glob("*.away"))
    storage.reconcile(held.settings, held.db)
    assert set(held.states().values()) == {BOTH}
    with SealedReader(held.folder / film, ring) as reader:
        assert reader.read() == whole


def test_keys_are_wrapped_anew_and_destroyed_for_what_lies_in_the_bucket(held: Archive) -> None:
    film, ring = held.folder / held.one.facts.films[0].file, held.one.keys.ring
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    ring.rotate()
    assert rewrap_all(sealed_below(held.settings.recordings_dir), ring).problems == []
    ring.drop_older()
    with open_sealed(film, ring) as reader:
        assert reader.read()
    assert verify(held.folder, held.one.keys.public).verdict == PROVEN
    for path in sealed_below(held.folder):
        container.destroy_key(path)
    with pytest.raises(container.KeyDestroyed):
        open_sealed(film, ring)
    assert verify(held.folder, held.one.keys.public).verdict == PROVEN, "noise, and still what was signed"
    away.bring_back(held.folder)
    with pytest.raises(container.KeyDestroyed):
        SealedReader(film, ring)


def test_a_store_that_goes_away_in_mid_upload_names_itself_and_is_asked_again(held: Archive, store: Store) -> None:
    store.before = lambda method, _path: 503 if method == "PUT" else None
    stored(held)
    assert set(held.states().values()) == {FAILED}
    journal = row(held, "journal")
    assert "does not answer" in (journal.problem or "") and journal.due_at is not None
    assert len(list(held.folder.glob("*.away"))) == 0
    store.before = None
    due_now(held)
    held.work()
    assert set(held.states().values()) == {BOTH} and row(held, "journal").problem is None


def test_a_refusal_is_told_from_silence(held: Archive, store: Store) -> None:
    store.before = lambda method, _path: 403 if method == "PUT" else None
    stored(held)
    assert "refuses" in (row(held, "journal").problem or "")


def test_what_is_read_back_wrong_is_not_stored(held: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store says that all is well, and gives out something else."""
    honest = Bucket.stream

    def lying(self: Bucket, key: str, version: str) -> object:
        for block in honest(self, key, version):
            yield block[:-1] + bytes([block[-1] ^ 1])

    monkeypatch.setattr(Bucket, "stream", lying)
    stored(held)
    assert set(held.states().values()) == {FAILED}
    assert DIFFERS in (row(held, "journal").problem or "")
    assert storage.free(held.settings, held.db, held.lane.bucket) == 0
    monkeypatch.undo()
    os.environ.update(AWS_ACCESS_KEY_ID="majlis", AWS_SECRET_ACCESS_KEY="secret")
    due_now(held)
    held.work()
    assert set(held.states().values()) == {BOTH}


def test_an_altered_file_is_not_stored_as_if_it_were_sound(held: Archive) -> None:
    journal = held.folder / "journal"
    data = bytearray(journal.read_bytes())
    data[-1] ^= 1
    journal.write_bytes(data)
    stored(held)
    assert held.states()["journal"] == FAILED and "not what was signed" in (row(held, "journal").problem or "")


def test_a_changed_byte_in_the_bucket_is_found_by_verifying(held: Archive, store: Store) -> None:
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    stub = away.stub_of(held.folder / "journal")
    head, where = away.read_stub(stub)
    data = bytearray(store.bytes("m/rec-1/journal"))
    data[5000] ^= 1
    version = store.client.put_object(Bucket=NAME, Key="m/rec-1/journal", Body=bytes(data))["VersionId"]
    assert verify(held.folder, held.one.keys.public).verdict == PROVEN, "the version that was stored still stands"
    stub.write_bytes(head + json.dumps(asdict(replace(where, version=version))).encode())
    first = verify(held.folder, held.one.keys.public).first()
    assert first and (first.file, first.start, first.end) == ("journal", 4096, 8192)
    with pytest.raises(BucketError):
        away.bring_back(held.folder)
    assert not (held.folder / "journal").exists() and stub.exists()


def test_while_the_store_is_silent_nothing_is_called_altered_by_the_player(held: Archive, store: Store) -> None:
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    store.before = lambda _method, _path: 503
    with pytest.raises(Fault):
        open_sealed(held.folder / held.one.facts.films[0].file, held.one.keys.ring)
    findings = verify(held.folder, held.one.keys.public).findings
    assert {f.kind for f in findings} == {UNREADABLE} and {f.other for f in findings} == {"the store does not answer"}


def test_a_lock_keeps_what_was_stored_and_forbids_no_destruction_of_keys(held: Archive, store: Store) -> None:
    held.lane.handlers = {
        service.SEND: storage.send_handler(
            held.settings.model_copy(update={"storage_lock_days": 30}), held.db, held.lane.bucket
        )
    }
    assert held.lane.bucket.offers_lock()
    stored(held)
    one = row(held, "journal")
    assert one.locked_until and one.locked_until > datetime.now(UTC) + timedelta(days=29)
    with pytest.raises(BucketError) as refused:
        held.lane.bucket.remove(one.object_key, one.version)
    assert refused.value.kind == LOCKED and store.versions("m/rec-1/journal") == [one.version]


def test_a_legal_hold_comes_and_goes(held: Archive) -> None:
    stored(held)
    one = row(held, "journal")
    done: dict[tuple[str, str], bool] = {}
    assert storage.follow_holds(held.db, held.lane.bucket, done) == 0
    now = datetime.now(UTC)
    with held.db.write() as session:
        hold = Hold(recording_id="rec-1", reason="a court", set_by="s", set_at=now)
        session.add(hold)
    assert storage.follow_holds(held.db, held.lane.bucket, done) == 6
    assert held.lane.bucket.head(one.object_key, one.version).hold
    with pytest.raises(BucketError) as refused:
        held.lane.bucket.remove(one.object_key, one.version)
    assert refused.value.kind == LOCKED
    with held.db.write() as session:
        session.query(Hold).update({"state": "lifted"})
    assert storage.follow_holds(held.db, held.lane.bucket, done) == 6
    assert storage.follow_holds(held.db, held.lane.bucket, done) == 0
    held.lane.bucket.remove(one.object_key, one.version)


def test_what_vanished_from_the_bucket_is_sent_again_or_told_lost(held: Archive, store: Store) -> None:
    stored(held)
    one = row(held, "people-1.sealed")
    held.lane.bucket.remove(one.object_key, one.version)
    assert storage.check_store(held.settings, held.db, held.lane.bucket, "rec-1")[0][0] == "people-1.sealed"
    assert held.states()["people-1.sealed"] == FAILED
    held.work()
    assert held.states()["people-1.sealed"] == BOTH
    storage.free(held.settings, held.db, held.lane.bucket)
    one = row(held, "journal")
    held.lane.bucket.remove(one.object_key, one.version)
    storage.check_store(held.settings, held.db, held.lane.bucket, "rec-1")
    assert held.states()["journal"] == LOST


def test_a_broken_off_transfer_goes_on_where_it_ended(tmp_path: Path, store: Store) -> None:
    path, began = tmp_path / "film", []
    path.write_bytes(os.urandom(16 * MIB + 77))
    bucket = Bucket(Place(NAME, store.url), part=5 * MIB)
    puts: list[str] = []

    def third_fails(method: str, path_: str) -> int | None:
        if method == "PUT":
            puts.append(path_)
        return 503 if method == "PUT" and len(puts) >= 3 else None

    store.before = third_fails
    with pytest.raises(BucketError) as gone:
        bucket.put(path, "film", began=began.append)
    assert gone.value.kind == "the store does not answer" and len(began) == 1
    puts.clear()
    store.before = lambda method, path_: puts.append(path_) if method == "PUT" else None
    size, sha256, version = bucket.put(path, "film", upload=began[0], began=began.append)
    assert len(puts) == 2 and len(began) == 1, "the two parts that had arrived were not sent again"
    assert (size, sha256) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    assert bucket.hash("film", version) == (size, sha256)
    size, again, _ = bucket.put(path, "film", upload=began[0], began=began.append)
    assert again == sha256 and len(began) == 2, "a transfer that the store has forgotten begins anew"


def test_seeking_in_the_bucket_is_quick_and_asks_for_little(settings: Settings, held: Archive, store: Store) -> None:
    path, ring = held.folder / "long.webm.sealed", held.one.keys.ring
    with SealedWriter(path, ring, owner="rec-1") as film:
        for number in range(40):
            film.write(bytes([number]) * MIB)
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    assert not path.exists()
    took = []
    for second in (39, 3, 20, 11):
        away._blocks.clear()
        began = time.monotonic()
        with open_sealed(path, ring) as reader:
            assert reader.read_at(second * MIB + 5, 200_000) == bytes([second]) * 200_000
        took.append(time.monotonic() - began)
    assert max(took) < 1.0
    store.asked.clear()
    with open_sealed(path, ring) as reader:
        at = 0
        while block := reader.read_at(at, 256 * 1024):
            at += len(block)
    assert at == 40 * MIB and len(store.asked) < 40, "who reads on is read ahead for"


def test_killed_in_mid_upload_another_worker_sends_it(held: Archive, store: Store, tmp_path: Path) -> None:
    """kill -9 while the first part is on its way: the job comes back when its lease ends."""
    store.before = lambda method, _path: time.sleep(30) if method == "PUT" else None
    storage.plan(held.settings, held.db)
    script = textwrap.dedent(
        f"""
        import threading
        from pathlib import Path
        from core.db import Database
        from core.settings import Settings
        from web.storage import bucket_of, make_lane
        settings = Settings(data_dir=Path({str(held.settings.data_dir)!r}), storage_bucket={NAME!r},
                            storage_endpoint={store.url!r}, storage_prefix="m/")
        db = Database({held.db.engine.url.render_as_string(hide_password=False)!r})
        print("ready", flush=True)
        make_lane(settings, db, bucket_of(settings), threading.Event())._run_job()
        """
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT, preexec_fn=die_with_parent
    )
    until = time.monotonic() + 30
    while not any(method == "PUT" for method, _, _ in store.asked):
        assert time.monotonic() < until and worker.poll() is None
        time.sleep(0.05)
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)
    assert UPLOADING in held.states().values()
    store.before = None
    due_now(held)
    held.work()
    assert set(held.states().values()) == {BOTH}


def test_a_missing_stub_and_file_is_missing(held: Archive) -> None:
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    away.stub_of(held.folder / "journal").unlink()
    report = verify(held.folder, held.one.keys.public)
    assert report.verdict == ALTERED and report.first().kind == MISSING


def test_killed_between_leaving_and_noting_it_is_noted_next_time(held: Archive) -> None:
    stored(held)
    one = row(held, "journal")
    away.leave(held.folder / "journal", away.Away(one.object_key, one.version, one.size, one.sha256))
    assert held.states()["journal"] == BOTH
    storage.free(held.settings, held.db, held.lane.bucket)
    assert held.states()["journal"] == REMOTE


def test_a_rotation_gives_check_nothing_to_say(held: Archive) -> None:
    from web.library import audit

    stored(held)
    held.one.keys.ring.rotate()
    rewrap_all(sealed_below(held.settings.recordings_dir), held.one.keys.ring)
    rows = audit.listed(held.db)
    assert audit.run(held.settings, held.db, rows, quick=False, progress=lambda _read: None) == ([], 1)
    container.destroy_key(held.folder / "journal")
    problems, _ = audit.run(held.settings, held.db, rows, quick=False, progress=lambda _read: None)
    assert [(p.kind, p.file) for p in problems] == [("destroyed undecided", "journal")]


def test_check_names_what_the_store_lacks_and_keys_that_do_not_open(held: Archive) -> None:
    from web.library import audit

    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    rows = audit.listed(held.db)
    assert audit.run(held.settings, held.db, rows, quick=False, progress=lambda _read: None) == ([], 1)
    one = row(held, "journal")
    held.lane.bucket.remove(one.object_key, one.version)
    stub = away.stub_of(held.folder / held.one.facts.films[0].file)
    data = bytearray(stub.read_bytes())
    data[container.KEY_SLOT[0] + 30] ^= 1
    stub.write_bytes(data)
    problems, _ = audit.run(held.settings, held.db, rows, quick=False, progress=lambda _read: None)
    assert {(p.kind, p.file) for p in problems} == {
        (UNREADABLE, "journal"),
        (audit.STORE, "journal"),
        (audit.KEY, stub.name),
    }
    assert audit.exit_code(problems) == 1


def test_doctor_looks_at_bucket_lock_clock_and_states(held: Archive, store: Store) -> None:
    from web import doctor

    checks = {name: check for name, check, _ in doctor._storage_checks(held.settings)}
    assert checks["Store of recordings"]() is None and checks["Object lock"]() is None
    assert checks["The store's clock"]() is None and checks["Files in the store"]() is None
    store.before = lambda method, _path: 503 if method == "PUT" else None
    stored(held)
    assert "6 could not be stored yet" in checks["Files in the store"]()
    store.before = None
    store.client.create_bucket(Bucket="without-lock")
    plain = held.settings.model_copy(update={"storage_bucket": "without-lock", "storage_lock_days": 1})
    checks = {name: check for name, check, _ in doctor._storage_checks(plain)}
    assert "no object lock" in checks["Object lock"]()
    nowhere = held.settings.model_copy(update={"storage_bucket": "nowhere"})
    with pytest.raises(BucketError):
        doctor._storage_checks(nowhere)[0][1]()
    assert doctor._storage_checks(Settings(data_dir=held.settings.data_dir)) == []


def test_a_full_disk_keeps_what_is_away_away_and_leaves_nothing_half(
    held: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    before = sorted(path.name for path in held.folder.iterdir())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(away.os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            away.bring_back(held.folder)
    assert sorted(path.name for path in held.folder.iterdir()) == before
    assert away.bring_back(held.folder)


@pytest.mark.parametrize(("status", "problem"), [(503, "store"), (403, "store")])
def test_an_export_says_that_the_store_keeps_its_files(held: Archive, store: Store, status: int, problem: str) -> None:
    from recordings.export.making import NotMade
    from web.exports.making import _bring

    stored(held)
    storage.free(held.settings, held.db, held.lane.bucket)
    held.settings.exports_dir.mkdir()
    store.before = lambda _method, _path: status
    with pytest.raises(NotMade) as named:
        _bring(held.settings, held.db, "rec-1", 1.0)
    assert named.value.problem == problem
    store.before = None
    _bring(held.settings, held.db, "rec-1", 1.0)


def test_doctor_names_a_lost_key_and_what_nobody_removes(held: Archive) -> None:
    from web import doctor
    from web.keys import key_ring

    assert doctor._archive_key(held.settings) is None and doctor._remains(held.settings) is None
    stored(held)
    with held.db.write() as session:
        service.doom(session, "rec-1", now=datetime.now(UTC))
    assert doctor._remains(held.settings) is None, "their jobs are due"
    assert "6 objects" in doctor._remains(held.settings.model_copy(update={"storage_bucket": ""}))
    (held.settings.data_dir / "archive.key").unlink()
    assert "not there" in doctor._archive_key(held.settings)
    key_ring(held.settings)
    assert "not there" in doctor._archive_key(held.settings), "none is made in its stead"
    FileKeyRing(held.settings.data_dir / "archive.key")
    assert "1 of the latest 1 recordings do not open" in doctor._archive_key(held.settings)
