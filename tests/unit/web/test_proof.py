"""Signed, checked, failed and tried again: a recording's course through the worker, seen from its page."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from core import clock
from core.audit import AuditEntry
from core.db import Database
from core.events import OutboxEvent, emit, name_of
from core.ids import new_id
from core.settings import Settings
from recordings.archive import service as archive
from recordings.archive.models import Recording
from recordings.archive.states import CLOSED, DESTROYED, FAILED, READY
from recordings.container import HEADER_BYTES, KEY_SLOT, destroy_key
from recordings.proof import service as proof
from recordings.proof.events import CheckAdvanced
from recordings.proof.models import Check, SignedManifest
from recordings.proof.pieces import take
from recordings.sealed import SealedReader
from recordings.sealed_log import Head
from recordings.storage.away import stub_of
from tests.recordings.proofs import write_journal
from tests.unit.web.conftest import Cast
from tests.unit.web.test_library import _csrf
from video.meetings import service as meetings
from video.meetings.events import RecordingLost
from web import proof as web_proof
from web.cli import app as majlis
from web.demo.people import Ministry
from web.keys import key_ring, public_keys
from web.library import audit
from web.proof import UNDECIDED, OnRecord, Witnesses, examine
from web.wiring import make_worker

Record = Callable[..., str]


@pytest.fixture
def work(settings: Settings, house: tuple[Database, Ministry]) -> Callable[[], None]:
    return make_worker(settings, house[0]).drain


@pytest.fixture
def record(settings: Settings, house: tuple[Database, Ministry]) -> Record:
    """A meeting of the minister with a visitor, over; its journal closed. Returns the recording's id."""
    db, ministry = house

    def make(*, silent: bool = False, damage: Callable[[Path], None] = lambda _: None, close: bool = True) -> str:
        now, recording_id, minister = clock.now(), new_id(), ministry.people["minister"]
        with db.write() as session:
            meeting = meetings.schedule(
                session,
                appointment_id=new_id(),
                petition_id="-",
                visitor_id="v",
                visitor_name=("سارة الحربي", "Sara al-Harbi"),
                official=(minister.id, minister.name_ar, minister.name_en),
                centre_id=ministry.centres["central"].id,
                starts_at=now,
                ends_at=now + timedelta(minutes=20),
                now=now,
            )
            for person in meeting.participants:
                meetings.joined(session, meeting.id, person.id, now=now)
            archive.start(session, recording_id=recording_id, meeting_id=meeting.id, petition_id="-", now=now)
            meetings.recording_lost(session, meeting.id, "not durable", now=now)
            who = () if silent else tuple(person.id for person in meeting.participants)
        journal = settings.recordings_dir / recording_id / "journal"
        journal.parent.mkdir(parents=True)
        log = write_journal(journal, key_ring(settings), recording_id, who=who, close=close)
        damage(journal)
        with db.write() as session:
            proof.witness(session, {recording_id: log.head}, now=now)
            archive.close(session, recording_id, now=now)
        return recording_id

    return make


def state(db: Database, recording_id: str) -> str:
    with db.read() as session:
        return session.get_one(Recording, recording_id).state


def patiently(settings: Settings, db: Database) -> None:
    """All tries of all jobs, however long they are put off."""
    worker = make_worker(settings, db)
    for hours in range(8):
        worker.clock = lambda hours=hours: clock.now() + timedelta(hours=hours)
        worker.drain()


def post(cast: Cast, who: str, recording_id: str, verb: str) -> int:
    client = cast(who)
    page = client.get(f"/library/{recording_id}").text if who == "minister" else client.get("/library").text
    return client.post(f"/library/{recording_id}/{verb}", data={"csrf": _csrf(page)}).status_code


def english(cast: Cast, recording_id: str) -> str:
    return cast("minister").get(f"/library/{recording_id}?lang=en").text


def test_a_closed_recording_is_signed_and_its_page_says_when_and_with_which_key(
    cast: Cast, record: Record, work: Callable[[], None], house: tuple[Database, Ministry], settings: Settings
) -> None:
    recording_id = record()
    work()
    assert state(house[0], recording_id) == READY
    with house[0].read() as session:
        row = proof.manifest_of(session, recording_id)
        assert row and row.revision == 1
    text = english(cast, recording_id)
    assert "Sealed and signed" in text and f"{row.key[:4]} {row.key[4:8]}" in text
    assert "مختوم وموقّع" in cast("minister").get(f"/library/{recording_id}").text
    lines = (settings.recordings_dir / recording_id / "manifest").read_text().splitlines()
    fields = json.loads(lines[0])
    assert fields["witness"]["found"] == "agrees" and fields["recording"]["id"] == recording_id
    assert [event["reason"] for event in fields["events"] if event["kind"] == "recording lost"] == ["not durable"]
    assert {p["role"] for p in fields["participants"]} == {"visitor", "official"}


def test_no_name_of_anybody_lies_in_the_clear(
    record: Record, work: Callable[[], None], house: tuple[Database, Ministry], settings: Settings
) -> None:
    recording_id = record()
    work()
    folder = settings.recordings_dir / recording_id
    minister = house[1].people["minister"]
    for path in folder.iterdir():
        data = path.read_bytes()
        for word in ("سارة", "Sara", "Harbi", minister.name_ar, minister.name_en, minister.id):
            assert word.encode() not in data, (path.name, word)
    sealed = SealedReader(folder / "people-1.sealed", key_ring(settings)).read()
    people = json.loads(sealed)["participants"]
    assert {p["name_en"] for p in people} == {"Sara al-Harbi", minister.name_en}


def test_a_viewer_has_it_checked_and_the_result_stays_on_the_page(
    cast: Cast, record: Record, work: Callable[[], None], house: tuple[Database, Ministry], settings: Settings
) -> None:
    recording_id = record()
    work()
    assert post(cast, "minister", recording_id, "check") == 303
    assert "Being checked" in english(cast, recording_id)
    assert post(cast, "minister", recording_id, "check") == 303  # the one that runs is enough
    work()
    text = english(cast, recording_id)
    assert "Unaltered: every byte is what was signed." in text and "Being checked" not in text
    journal = settings.recordings_dir / recording_id / "journal"
    data = bytearray(journal.read_bytes())
    data[5000] ^= 1
    journal.write_bytes(data)
    post(cast, "minister", recording_id, "check")
    work()
    text = english(cast, recording_id)
    assert "Altered: this is not what was signed." in text
    assert "bytes 4096 to 8191" in text
    assert "البايتات من ٤٠٩٦ إلى ٨١٩١" in cast("minister").get(f"/library/{recording_id}").text
    with house[0].read() as session:
        verdicts = session.scalars(select(Check.verdict).where(Check.recording_id == recording_id)).all()
        assert sorted(map(str, verdicts)) == ["altered", "proven"]
        rows = select(AuditEntry).where(AuditEntry.action == "verify", AuditEntry.subject_id == recording_id)
        assert len(session.scalars(rows).all()) == 2


def test_a_long_check_tells_how_far_it_is(
    cast: Cast,
    record: Record,
    work: Callable[[], None],
    house: tuple[Database, Ministry],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from web import proof as module

    monkeypatch.setattr(module, "TELL_EVERY_S", 0.0)
    recording_id = record()
    work()
    post(cast, "minister", recording_id, "check")
    work()
    with house[0].read() as session:
        rows = session.scalars(select(OutboxEvent).where(OutboxEvent.name == name_of(CheckAdvanced)))
        told = [row.payload["percent"] for row in rows if row.payload["recording_id"] == recording_id]
        assert told == sorted(told) and len(set(told)) > 2 and told[-1] <= 99
        row = proof.check_of(session, recording_id)
        assert row and (row.percent, row.verdict) == (100, "proven") and row.bytes > 10_000
    with house[0].write() as session:
        row = proof.check_of(session, recording_id)
        assert row
        row.verdict, row.percent = None, 40
    assert '<progress class="meter__bar" max="100" value="40"' in english(cast, recording_id)


@pytest.mark.parametrize("verb", ["check", "sign", "try-again"])
@pytest.mark.parametrize("who", ["aide", "officer", "admin", "receptionist"])
def test_nobody_without_a_grant_can_ask_for_anything(
    cast: Cast, record: Record, work: Callable[[], None], who: str, verb: str
) -> None:
    recording_id = record()
    work()
    assert post(cast, who, recording_id, verb) == 404


def test_a_failed_recording_is_signed_seen_by_its_host_and_tried_again(
    cast: Cast, record: Record, house: tuple[Database, Ministry], settings: Settings, work: Callable[[], None]
) -> None:
    from web import recording as module

    db, _ = house
    with pytest.MonkeyPatch.context() as patch:

        def full(*_: object, **__: object) -> None:
            raise OSError("No space left on device")

        patch.setattr(module, "remux", full)
        recording_id = record()
        patiently(settings, db)
    assert state(db, recording_id) == FAILED
    text = english(cast, recording_id)
    assert "This recording could not be prepared" in text and "/try-again" in text
    assert "Sealed and signed" in text
    assert post(cast, "minister", recording_id, "try-again") == 303
    assert state(db, recording_id) == CLOSED
    work()
    assert state(db, recording_id) == READY
    with db.read() as session:
        assert len(session.get_one(Recording, recording_id).grants) == 1
        mine = select(SignedManifest).where(SignedManifest.recording_id == recording_id)
        first, second = session.scalars(mine.order_by(SignedManifest.revision)).all()
    fields = json.loads((settings.recordings_dir / recording_id / "manifest").read_text().splitlines()[0])
    assert (second.revision, fields["replaces"]) == (2, first.sha256)
    assert [file["kind"] for file in fields["files"]] == ["journal", "rendition", "rendition", "people"]
    assert post(cast, "minister", recording_id, "try-again") == 409


def test_an_altered_journal_fails_to_be_prepared_and_is_signed_as_what_it_is(
    record: Record, house: tuple[Database, Ministry], settings: Settings
) -> None:
    def damage(journal: Path) -> None:
        data = bytearray(journal.read_bytes())
        data[3000] ^= 1
        journal.write_bytes(data)

    recording_id = record(damage=damage)
    patiently(settings, house[0])
    assert state(house[0], recording_id) == FAILED
    fields = json.loads((settings.recordings_dir / recording_id / "manifest").read_text().splitlines()[0])
    assert fields["journal_problem"] == "SealBroken" and fields["witness"]["found"] == "differs"


def test_a_journal_put_into_another_recordings_place_never_becomes_its_film(
    record: Record, house: tuple[Database, Ministry], settings: Settings
) -> None:
    """Both open with the archive's key: only whose they say they are tells them apart."""
    ids = [record(), record()]
    one, other = (settings.recordings_dir / id_ / "journal" for id_ in ids)
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)
    patiently(settings, house[0])
    for id_ in ids:
        assert state(house[0], id_) == FAILED
        fields = json.loads((settings.recordings_dir / id_ / "manifest").read_text().splitlines()[0])
        assert fields["journal_problem"] == "Foreign" and fields["witness"]["found"] == "differs"


def test_a_recording_in_which_nobody_was_seen_or_heard_has_no_player(
    cast: Cast, record: Record, work: Callable[[], None], house: tuple[Database, Ministry]
) -> None:
    recording_id = record(silent=True)
    work()
    assert state(house[0], recording_id) == READY
    text = english(cast, recording_id)
    assert "Nothing was seen or heard" in text and "player.js" not in text and "data-player" not in text
    assert "Sealed and signed" in text


def test_signing_that_fails_says_so_and_can_be_asked_for_again(
    cast: Cast, record: Record, house: tuple[Database, Ministry], settings: Settings, work: Callable[[], None]
) -> None:
    db, _ = house
    hidden = settings.signing_key_file.with_suffix(".safe")
    recording_id = record()
    if not settings.signing_key_file.exists():
        work()
        recording_id = record()
    settings.signing_key_file.rename(hidden)
    try:
        patiently(settings, db)
        assert state(db, recording_id) == READY
        assert "It could not be signed" in english(cast, recording_id)
        assert not settings.signing_key_file.exists(), "a new key is never made behind an archive's back"
    finally:
        hidden.rename(settings.signing_key_file)
    assert post(cast, "minister", recording_id, "sign") == 303
    with db.read() as session:
        asked = select(AuditEntry).where(AuditEntry.action == "sign again", AuditEntry.subject_id == recording_id)
        assert session.scalars(asked).one().actor_id == house[1].people["minister"].id
    work()
    assert "Sealed and signed" in english(cast, recording_id)
    assert post(cast, "minister", recording_id, "sign") == 409


def test_a_recording_of_before_there_were_manifests_is_signed_by_itself_and_once(
    record: Record, house: tuple[Database, Ministry], settings: Settings, work: Callable[[], None]
) -> None:
    recording_id = record()
    work()
    later = clock.now() + timedelta(hours=2)
    worker = make_worker(settings, house[0], clock=lambda: later)
    with house[0].write() as session:
        session.delete(proof.manifest_of(session, recording_id))
        session.flush()
        assert proof.sign_forgotten(session, now=clock.now()) == 0, "it may be on its way"
        assert proof.sign_forgotten(session, now=later) >= 1
        assert proof.sign_forgotten(session, now=later) == 0
    worker.drain()
    with house[0].read() as session:
        row = proof.manifest_of(session, recording_id)
        assert row and row.revision == 2, "the one on the disk was the first"


def test_an_altered_recording_is_not_signed_again(
    record: Record,
    work: Callable[[], None],
    house: tuple[Database, Ministry],
    settings: Settings,
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise a new manifest would make it sound."""
    monkeypatch.setenv("MAJLIS_DATA_DIR", str(settings.data_dir))
    recording_id = record()
    work()
    folder = settings.recordings_dir / recording_id
    film, before = next(folder.glob("*.webm.sealed")), (folder / "manifest").read_bytes()
    whole = film.read_bytes()
    for change in (whole[:700] + b"?" + whole[701:], whole[:-1], whole + b"x"):
        film.write_bytes(change)
        answer = CliRunner().invoke(majlis, ["recordings", "sign", recording_id])
        assert answer.exit_code == 1 and "not signed" in answer.output
        assert (folder / "manifest").read_bytes() == before
    film.write_bytes(whole)
    (folder / "manifest").unlink()
    assert CliRunner().invoke(majlis, ["recordings", "sign", recording_id]).exit_code == 1
    (folder / "manifest").write_bytes(before)
    assert CliRunner().invoke(majlis, ["recordings", "sign", recording_id]).exit_code == 0
    with house[0].write() as session:  # killed between writing the manifest and telling of it
        session.delete(proof.manifest_of(session, recording_id))
    assert CliRunner().invoke(majlis, ["recordings", "sign", recording_id]).exit_code == 0
    with house[0].read() as session:
        row = proof.manifest_of(session, recording_id)
        assert row and row.revision == 3
    post(cast, "minister", recording_id, "check")
    work()
    assert "Unaltered" in english(cast, recording_id)


def test_signings_that_were_broken_off_leave_no_recording_altered(
    record: Record, work: Callable[[], None], house: tuple[Database, Ministry], settings: Settings
) -> None:
    """Each wrote its manifest and was killed before the archive heard of it."""
    db, recording_id = house[0], record()
    for _ in range(3):
        web_proof.sign(settings, db, recording_id)  # the very first
    work()
    for _ in range(3):
        result = web_proof.sign(settings, db, recording_id)  # and again, over one that is on record
    with db.write() as session:
        before = proof.manifest_of(session, recording_id)
        proof.signed(session, recording_id, **result)
    folder = settings.recordings_dir / recording_id
    report = examine(folder, OnRecord.now(db, recording_id), public_keys(settings))
    assert report.verdict == "proven" and report.findings == []
    assert before and report.manifest and report.manifest["replaces"] == before.sha256


def test_the_witness_tells_how_far_a_live_journal_has_come_and_never_goes_back(
    record: Record, house: tuple[Database, Ministry]
) -> None:
    class Growing:
        head = Head(90, 90_000, b"\x01" * 32)

    db, _ = house
    recording_id = record()
    witnesses = Witnesses(db, every=3600)
    journal = Growing()
    witnesses.watch(recording_id, journal)
    witnesses.tell()
    journal.head = Head(80, 80_000, b"\x02" * 32)
    witnesses.tell()
    with db.read() as session:
        row = proof.witnessed(session, recording_id)
        assert row and (row.frames, row.size, row.head) == (90, 90_000, "01" * 32)
    journal.head = Head(91, 91_000, b"\x03" * 32)
    witnesses.forget(recording_id)
    witnesses.tell()
    with db.read() as session:
        row = proof.witnessed(session, recording_id)
        assert row and row.frames == 90


def test_alarms_of_other_meetings_are_not_told_of_this_one(
    record: Record, house: tuple[Database, Ministry], settings: Settings, work: Callable[[], None]
) -> None:
    recording_id = record()
    with house[0].write() as session:
        emit(session, RecordingLost("another", "writer failed"), now=clock.now())
    work()
    fields = json.loads((settings.recordings_dir / recording_id / "manifest").read_text().splitlines()[0])
    assert "writer failed" not in json.dumps(fields["events"])


def test_the_audit_names_what_is_missing_unsigned_swapped_or_unknown(
    record: Record,
    work: Callable[[], None],
    house: tuple[Database, Ministry],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAJLIS_DATA_DIR", str(settings.data_dir))
    fine, gone, short, bare, one, other = (record() for _ in range(6))
    work()
    place = settings.recordings_dir
    (place / gone).rename(place / "elsewhere")
    film = next((place / short).glob("*.webm.sealed"))
    film.write_bytes(film.read_bytes()[:-1])
    with house[0].write() as session:
        for row in session.scalars(select(SignedManifest).where(SignedManifest.recording_id == bare)):
            session.delete(row)
    (place / bare / "manifest").unlink()
    (place / one).rename(place / "kept")
    (place / other).rename(place / one)
    (place / "kept").rename(place / other)

    def audit(*options: str) -> dict[tuple[str, str], dict[str, object]]:
        answer = CliRunner().invoke(majlis, ["recordings", "check", "--json", *options])
        assert answer.exit_code == 1, answer.output
        return {(p["recording_id"], p["kind"]): p for p in json.loads(answer.stdout)["problems"]}

    for problems in (audit("--quick"), audit()):
        assert (gone, "folder missing") in problems and ("elsewhere", "orphan") in problems
        assert problems[short, "cut"]["file"] == film.name
        assert (bare, "unsigned") in problems
        assert problems[one, "misplaced"]["other"] == other and problems[other, "misplaced"]["other"] == one
        assert not any(kind not in ("never verified",) for id_, kind in problems if id_ == fine)
    with house[0].read() as session:
        assert session.scalars(select(Check.verdict).where(Check.recording_id == fine)).all() == ["proven"]
    (place / "elsewhere").rename(place / gone)
    answer = CliRunner().invoke(majlis, ["recordings", "sign", bare])
    assert answer.exit_code == 0 and "1 signed." in answer.output


def test_what_nobody_decided_to_destroy_is_altered(
    record: Record,
    work: Callable[[], None],
    house: tuple[Database, Ministry],
    settings: Settings,
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAJLIS_DATA_DIR", str(settings.data_dir))
    db, recording_id = house[0], record()
    work()
    folder = settings.recordings_dir / recording_id
    journal = folder / "journal"
    destroy_key(journal)
    code, kinds = _audited(recording_id)
    assert code == 1 and kinds == {UNDECIDED}
    taken, head = take(journal, blank=KEY_SLOT), journal.read_bytes()[:HEADER_BYTES]
    said = {"key": "", "version": "", "size": taken.size, "sha256": taken.sha256, "removed": "x"}
    stub_of(journal).write_bytes(head + json.dumps(said).encode())
    journal.unlink()
    code, kinds = _audited(recording_id)
    assert code == 1 and kinds == {UNDECIDED}
    assert post(cast, "minister", recording_id, "check") == 303
    work()
    page = english(cast, recording_id)
    assert "Altered: this is not what was signed." in page and "nobody had decided that" in page
    verified = CliRunner().invoke(majlis, ["recordings", "verify", str(folder), "--lang", "en"])
    assert verified.exit_code == 3 and "Only the certificate proves" in verified.output, "files alone can't tell"
    # decided while it was read
    with db.read() as session:
        asked = OnRecord.of(session, recording_id)
    with db.write() as session:
        session.get_one(Recording, recording_id).state = DESTROYED
    again = partial(OnRecord.now, db, recording_id)
    assert examine(folder, asked, public_keys(settings)).verdict == "altered"
    assert examine(folder, asked, public_keys(settings), again=again).verdict == "destroyed"
    assert _audited(recording_id)[1] == set()


def _audited(recording_id: str) -> tuple[int, set[str]]:
    """Of this recording; the exit code as if it were the only one."""
    problems = json.loads(CliRunner().invoke(majlis, ["recordings", "check", "--json"]).stdout)["problems"]
    mine = [audit.Problem(**one) for one in problems if one["recording_id"] == recording_id]
    return audit.exit_code(mine), {one.kind for one in mine}


def test_an_older_manifest_put_back_is_not_the_one_on_record(
    record: Record,
    work: Callable[[], None],
    house: tuple[Database, Ministry],
    settings: Settings,
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAJLIS_DATA_DIR", str(settings.data_dir))
    recording_id = record()
    work()
    folder = settings.recordings_dir / recording_id
    older, people = (folder / "manifest").read_bytes(), (folder / "people-1.sealed").read_bytes()
    assert CliRunner().invoke(majlis, ["recordings", "sign", recording_id]).exit_code == 0
    (folder / "manifest").write_bytes(older)
    (folder / "people-1.sealed").write_bytes(people)
    post(cast, "minister", recording_id, "check")
    work()
    assert "not the one that the archive signed last" in english(cast, recording_id)
