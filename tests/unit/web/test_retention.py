"""The end of a recording: two people, no hold, keys gone, a certificate that holds."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.audit import AuditEntry
from core.db import Database
from core.ids import new_id
from core.language import catalogue
from core.settings import Settings
from recordings.archive.models import Recording
from recordings.archive.states import DESTROYED
from recordings.container import KEY_SLOT, KeyDestroyed, read_header
from recordings.export.models import Export
from recordings.export.states import CANCELLED, READY
from recordings.journal import open_journal
from recordings.proof import manifest
from recordings.proof import service as proof
from recordings.proof.pieces import take
from recordings.retention import certificate, service
from recordings.retention.models import Destruction
from recordings.sealed import SealedReader, SealedWriter
from recordings.storage import bucket
from recordings.storage.models import StoredFile
from recordings.storage.states import DOOMED, LOCKED, REMOVED
from tests.recordings.proofs import Keys, small
from tests.unit.web.conftest import Cast
from tests.unit.web.test_library import _csrf, shelf
from web import proof as web_proof
from web.demo.people import Ministry
from web.keys import key_ring, public_keys, signer
from web.retention import checking, removal, words
from web.retention.destroying import destroy_handler

__all__ = ["shelf"]


@pytest.fixture
def old(settings: Settings, house: tuple[Database, Ministry], shelf: dict[str, str]) -> dict[str, str]:
    """The shelf's recording, thirty years old, signed, with a strip and an export."""
    db, ministry = house
    keys, folder = key_ring(settings), settings.recordings_dir / shelf["id"]
    began = clock.now() - timedelta(days=365 * 30)
    if not (folder / "manifest").exists():
        open_journal(folder / "journal", keys, recording_id=shelf["id"], meeting_id="m", started_at=clock.now()).close(
            1.0
        )
        _sealed(folder / "strip.sealed", settings, shelf["id"])
        with db.write() as session:
            row = session.get_one(Recording, shelf["id"])
            row.started_at = began
        result = web_proof.sign(settings, db, shelf["id"])
        with db.write() as session:
            proof.signed(session, shelf["id"], **result)
            export = Export(
                id=new_id(),
                recording_id=shelf["id"],
                state=READY,
                format="mp4",
                lang="ar",
                purpose="x",
                asked_by=ministry.people["minister"].id,
                asked_at=clock.now(),
                until=clock.now() + timedelta(days=7),
            )
            session.add(export)
            name = export.file
        settings.exports_dir.mkdir(exist_ok=True)
        _sealed(settings.exports_dir / name, settings, shelf["id"])
    return shelf


def _sealed(path: Path, settings: Settings, owner: str) -> None:
    with SealedWriter(path, key_ring(settings), owner=owner) as sealed:
        sealed.write(b"secret" * 1000)


def _post(cast: Cast, who: str, recording_id: str, verb: str, **data: str) -> int:
    client = cast(who)
    csrf = _csrf(client.get("/retention").text)
    return client.post(f"/retention/{recording_id}/{verb}", data={"csrf": csrf, **data}).status_code


def _work(settings: Settings, db: Database, destruction_id: str) -> None:
    handler, payload = destroy_handler(settings, db), {"destruction_id": destruction_id}
    result = handler.act(payload)
    with db.write() as session:
        assert handler.record
        handler.record(session, payload, result, clock.now())


def test_from_due_to_certificate(
    cast: Cast, old: dict[str, str], settings: Settings, house: tuple[Database, Ministry]
) -> None:
    db, _ministry = house
    id_, folder = old["id"], settings.recordings_dir / old["id"]
    sealed = [folder / "journal", folder / "p.webm", folder / "strip.sealed", *folder.glob("people-*.sealed")]
    before = {path.name: take(path, blank=KEY_SLOT).sha256 for path in sealed}
    signed = (folder / "manifest").read_bytes()
    assert f"/retention/{id_}" in cast("aide").get("/retention").text
    assert _post(cast, "aide", id_, "propose", reason="") == 422
    # under a hold nothing is proposed, and what was proposed is stopped
    assert _post(cast, "aide", id_, "propose", reason="انتهت المدة") == 303
    assert _post(cast, "aide", id_, "hold", reason="قضية منظورة") == 303
    assert _state(db, id_) == "stopped"
    assert _post(cast, "aide", id_, "propose", reason="انتهت المدة") == 422
    hold = _hold(db, id_)
    assert _post(cast, "aide", id_, "ask-to-lift", hold=hold, reason="صدر الحكم") == 303
    assert _post(cast, "aide", id_, "lift", hold=hold) == 422, "the same person"
    assert _post(cast, "minister", id_, "lift", hold=hold) == 303
    # two people
    assert _post(cast, "aide", id_, "propose", reason="انتهت المدة") == 303
    assert _post(cast, "aide", id_, "agree") == 422, "nobody agrees with themselves"
    assert cast("minister").get(old["side"]).status_code == 200
    assert _post(cast, "minister", id_, "agree") == 303
    with db.read() as session:
        row = service.latest_of(session, id_)
        assert row and row.state == "agreed"
    _work(settings, db, row.id)
    _work(settings, db, row.id)  # a job that comes twice
    with db.read() as session:
        assert session.get_one(Recording, id_).state == DESTROYED
        assert set(session.scalars(select(Export.state).where(Export.recording_id == id_))) == {CANCELLED}
        done = session.get_one(Destruction, row.id)
        assert session.scalar(select(AuditEntry).where(AuditEntry.action == "destroy", AuditEntry.subject_id == id_))
    # nothing opens it, whoever holds whatever key ring
    for path in (folder / "p.webm", folder / "strip.sealed"):
        with pytest.raises(KeyDestroyed):
            SealedReader(path, key_ring(settings))
    assert not list(settings.exports_dir.glob("*.sealed"))
    assert cast("minister").get(old["side"]).status_code == 404
    assert cast("minister").get(f"{old['page']}/strip").status_code in (204, 404)
    # what it was is still proven
    assert (folder / "manifest").read_bytes() == signed
    with db.read() as session:
        report = web_proof.examine(folder, web_proof.OnRecord.of(session, id_), public_keys(settings))
    assert report.verdict == "proven", report.findings
    # the certificate
    fields = certificate.read(done.certificate or "", public_keys(settings))
    assert {one["file"]: one["sha256"] for one in fields["files"] if one["file"] in before} == before
    assert fields["manifest"]["sha256"] == hashlib.sha256(signed).hexdigest()
    assert fields["reason"] == "انتهت المدة" and fields["proposed"]["staff_id"] != fields["agreed"]["staff_id"]
    for who, lang in (("minister", "ar"), ("aide", "en")):
        page = cast(who).get(f"{old['page']}/certificate?lang={lang}")
        assert page.status_code == 200 and before["p.webm"] in page.text
    saved = settings.data_dir / "certificate.txt"
    saved.write_bytes(cast("minister").get(f"{old['page']}/certificate/file").content)
    assert saved.read_text() == done.certificate
    assert checking.look(saved, public_keys(settings), folder).problems == ()
    assert cast("officer").get(f"{old['page']}/certificate").status_code == 404
    # it stays on the shelf
    assert old["page"] in cast("minister").get("/library").text
    assert cast("minister").get(old["page"]).status_code == 200


def _agreed(session: Session, ministry: Ministry, recording_id: str) -> Destruction:
    """A recording that is to be destroyed, without all that leads there."""
    now, people = clock.now(), ministry.people
    session.add(
        Recording(
            id=recording_id,
            meeting_id="m",
            petition_id="-",
            state="ready",
            started_at=now,
            closed_at=now,
            journal=f"{recording_id}/journal",
        )
    )
    session.flush()
    row = Destruction(
        id=new_id(),
        recording_id=recording_id,
        state="agreed",
        reason="-",
        kept_until=now,
        years=1,
        proposed_by=people["aide"].id,
        proposed_at=now,
        decided_by=people["minister"].id,
        decided_at=now,
    )
    session.add(row)
    session.flush()
    return row


def test_a_disk_that_is_not_mounted_ends_in_no_certificate(
    settings: Settings, house: tuple[Database, Ministry]
) -> None:
    db, ministry = house
    id_ = new_id()
    folder, elsewhere = settings.recordings_dir / id_, settings.data_dir / "elsewhere"
    folder.mkdir(parents=True)
    journal = open_journal(
        folder / "journal", key_ring(settings), recording_id=id_, meeting_id="m", started_at=clock.now()
    )
    journal.close(1.0)
    with db.write() as session:
        row = _agreed(session, ministry, id_)
    folder.rename(elsewhere)
    handler, payload = destroy_handler(settings, db), {"destruction_id": row.id}
    with pytest.raises(OSError, match="journal is not there"):
        handler.act(payload)
    with db.write() as session:
        assert handler.gave_up
        handler.gave_up(session, payload, "journal is not there", clock.now())
        assert _said(session, row.id) == ("failed", None)
    elsewhere.rename(folder)
    _work(settings, db, row.id)
    with db.read() as session:
        state, text = _said(session, row.id)
    assert state == "done" and not read_header(folder / "journal").wrapped_key
    assert [one["file"] for one in certificate.read(text or "", public_keys(settings))["files"]] == ["journal"]


def test_a_manifest_of_version_1_is_not_said_to_differ(settings: Settings, house: tuple[Database, Ministry]) -> None:
    """It hashed the key slot too: whether a file without a key still is that file nothing can tell."""
    db, ministry = house
    id_ = new_id()
    folder = settings.recordings_dir / id_
    made = small(folder, Keys(settings.data_dir / "other"), id_)
    fields = json.loads((folder / "manifest").read_text().splitlines()[0])
    for entry in fields["files"]:
        del entry["key_slot"]
        entry |= manifest.hashes_of(take(folder / entry["file"]))
    line = manifest.canonical({**fields, "version": 1}) + b"\n"
    signature = f"ed25519 {made.keys.signer.fingerprint} {made.keys.signer.sign(line).hex()}\n"
    (folder / "manifest").write_bytes(line + signature.encode())
    with db.write() as session:
        row = _agreed(session, ministry, id_)
    _work(settings, db, row.id)
    with db.read() as session:
        files = certificate.read(_said(session, row.id)[1] or "", public_keys(settings))["files"]
    assert len(files) == len(fields["files"]) and not any("as_signed" in one for one in files)


def _said(session: Session, destruction_id: str) -> tuple[str, str | None]:
    row = session.get_one(Destruction, destruction_id)
    return row.state, row.certificate


def _state(db: Database, recording_id: str) -> str:
    with db.read() as session:
        row = service.latest_of(session, recording_id)
        assert row
        return row.state


def _hold(db: Database, recording_id: str) -> str:
    with db.read() as session:
        return service.holds_of(session, session.get_one(Recording, recording_id))[0].id


def test_a_certificate_with_one_letter_changed_does_not_hold(settings: Settings) -> None:
    from web.keys import signer

    text = certificate.sign({"reason": "over"}, signer(settings))
    assert certificate.read(text, public_keys(settings))["reason"] == "over"
    for at in range(0, len(text), 7):
        other = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        with pytest.raises(certificate.NoCertificate):
            certificate.read(other, public_keys(settings))


def test_the_administrator_sets_years_and_decides_no_end(cast: Cast, house: tuple[Database, Ministry]) -> None:
    admin = cast("admin")
    csrf = _csrf(admin.get("/admin/retention").text)
    form = {"csrf": csrf, "type_code": "", "years": "٤٠", "reason_ar": "سبب", "reason_en": "Reason"}
    assert admin.post("/admin/retention", data={**form, "years": "0"}).status_code == 422
    assert admin.post("/admin/retention", data={**form, "reason_en": ""}).status_code == 422
    assert admin.post("/admin/retention", data=form).status_code == 303
    with house[0].write() as session:
        assert service.years(session) == {"": 40}
        session.delete(service.terms(session)[""])
    assert admin.get("/retention").status_code == 404


def test_what_the_store_still_has_stands_on_the_certificates_page(
    cast: Cast, old: dict[str, str], settings: Settings, house: tuple[Database, Ministry]
) -> None:
    """Removed, locked until a day, or still there and why; and, when all is gone, the signed text that says so."""
    db, ministry = house
    now, id_ = clock.now(), new_id()
    person = {"staff_id": "s", "name_ar": "عمر", "name_en": "Omar", "at": "2041-01-01T08:00:00.000Z"}
    fields = {
        "recording": {"id": old["id"], "case_number": "R-1", "duration_ms": 1000},
        "manifest": None,
        "reason": "-",
        "years": 1,
        "proposed": person,
        "agreed": person,
        "files": [],
        "store": [{"file": "journal", "object": "x/journal", "problem": "the store does not answer"}],
    }
    states = {"journal": DOOMED, "p.webm.sealed": LOCKED, "manifest": REMOVED}
    with db.write() as session:
        session.add(
            Destruction(
                id=id_,
                recording_id=old["id"],
                state="done",
                reason="-",
                kept_until=now,
                years=1,
                proposed_by=ministry.people["aide"].id,
                proposed_at=now + timedelta(seconds=1),
                decided_at=now,
                done_at=now,
                certificate=certificate.sign(fields, signer(settings)),
            )
        )
        for file, state in states.items():
            session.add(
                StoredFile(
                    id=new_id(),
                    recording_id=old["id"],
                    file=file,
                    state=state,
                    size=1,
                    sha256="",
                    object_key=f"x/{file}",
                    version="",
                    upload="",
                    problem="the store does not answer" if state == DOOMED else None,
                    locked_until=now + timedelta(days=30) if state == LOCKED else None,
                )
            )
    page = cast("minister").get(f"{old['page']}/certificate?lang=en").text
    assert "Copies in the store" in page and "Removed" in page
    assert "Locked until" in page and "Still there:" in page and "the store does not answer" in page
    assert cast("minister").get(f"{old['page']}/certificate/file?of=removal").status_code == 404
    with db.write() as session:
        session.query(StoredFile).filter_by(recording_id=old["id"]).update({"state": REMOVED})
        removal.certify(settings, session, old["id"], now=now)
        removal.certify(settings, session, old["id"], now=now)
    assert "of=removal" in cast("minister").get(f"{old['page']}/certificate").text
    signed = certificate.read(
        cast("minister").get(f"{old['page']}/certificate/file?of=removal").text, public_keys(settings)
    )
    assert all(one["removed"] for one in signed["store"]) and signed["reason"] == "-"
    assert cast("officer").get(f"{old['page']}/certificate/file?of=removal").status_code == 404


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (None, "not tried yet"),
        (f"{bucket.UNREACHABLE}: EndpointConnectionError (remove)", "the store does not answer"),
        (f"{bucket.REFUSED}: AccessDenied (remove)", "the store refuses"),
        (bucket.LOCKED, "the store's lock forbids it"),
        ("OSError: something new", "the store could not remove it"),
    ],
)
def test_why_a_copy_is_still_there_is_said_in_words_that_have_their_arabic(problem: str | None, said: str) -> None:
    _, tone, until, why = words.object_state({"problem": problem})
    assert (tone, until, why) == ("danger", None, said)
    assert catalogue("ar", Path("web/locale")).gettext(why) != why
