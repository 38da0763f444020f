"""Where destruction meets the worker: keys go first, then the certificate says what was destroyed."""

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.jobs import READING, Handler
from core.settings import Settings
from core.staff.models import Staff
from reception.petitions.models import Petition
from recordings.archive.models import Recording
from recordings.export.models import Export
from recordings.proof import manifest
from recordings.proof import service as proof
from recordings.proof.compose import instant
from recordings.retention import certificate, service
from recordings.retention.erasing import Destroyed, erase
from recordings.retention.models import Destruction
from recordings.storage import away
from recordings.storage import service as storage
from web.keys import signer
from web.retention import removal
from web.storage import take_out_now


def destroy_handler(settings: Settings, db: Database) -> Handler:
    """The job: from this moment on nothing opens the recording; its keys are destroyed, and that is signed."""

    def act(payload: dict[str, Any]) -> str | None:
        destruction_id = payload["destruction_id"]
        with db.write() as session:
            if not service.begin(session, destruction_id, now=clock.now()):
                return None
        with db.read() as session:
            facts = facts_of(session, destruction_id)
            id_ = facts["recording"]["id"]
            exports = list(session.scalars(select(Export).where(Export.recording_id == id_)))
            films = {Path(one.path).name for one in session.get_one(Recording, id_).renditions}
        others = [place for one in exports for place in settings.exports_dir.glob(f"{one.id}.*")]
        folder = settings.recordings_dir / id_
        named, hashes = _signed(folder)
        with away.alone(folder) if folder.is_dir() else nullcontext():  # else `erase` says what is not there
            destroyed = erase(folder, others, owner=folder.name, named=films | named)
        for place in others:  # what was made to be taken away is not kept even as noise
            place.unlink(missing_ok=True)
        take_out_now(settings, db, folder.name)
        with db.read() as session:
            store = removal.objects(storage.of_recording(session, folder.name))
        what = _what(destroyed, hashes, clock.now())
        return certificate.sign({**facts, **what, "store": store}, signer(settings))

    def record(session: Session, payload: dict[str, Any], result: str | None, now: datetime) -> None:
        if result is not None:
            row = service.get(session, payload["destruction_id"])
            service.finish(session, row.id, result, now=now)
            removal.certify(settings, session, row.recording_id, now=now)

    def gave_up(session: Session, payload: dict[str, Any], error: str, now: datetime) -> None:
        service.fail(session, payload["destruction_id"], error, now=now)

    return Handler(act=act, record=record, gave_up=gave_up, thread=READING)


def facts_of(session: Session, destruction_id: str) -> dict[str, Any]:
    """Who, when, why, and which recording; names of those who decided, and of nobody else."""
    row = session.get_one(Destruction, destruction_id)
    recording = session.get_one(Recording, row.recording_id)
    petition = session.get(Petition, recording.petition_id)
    signed = proof.manifest_of(session, recording.id)
    return {
        "certificate": row.id,
        "recording": {
            "id": recording.id,
            "meeting_id": recording.meeting_id,
            "petition_id": recording.petition_id,
            "case_number": petition.case_number if petition else "",
            "started_at": instant(recording.started_at),
            "duration_ms": round((recording.duration_s or 0.0) * 1000),
        },
        "manifest": {"sha256": signed.sha256, "revision": signed.revision} if signed else None,
        "reason": row.reason,
        "years": row.years,
        "kept_until": instant(row.kept_until),
        "proposed": _person(session, row.proposed_by, row.proposed_at),
        "agreed": _person(session, row.decided_by or "", row.decided_at or row.proposed_at),
    }


def _person(session: Session, staff_id: str, at: datetime) -> dict[str, str]:
    staff = session.get(Staff, staff_id)
    names = {"name_ar": staff.name_ar, "name_en": staff.name_en} if staff else {"name_ar": "—", "name_en": "—"}
    return {"staff_id": staff_id, **names, "at": instant(at)}


def _signed(folder: Path) -> tuple[set[str], dict[str, str]]:
    """Each file that the manifest names, and the hashes that can be compared: those that leave the key slot out.

    A manifest of version 1 hashed the slot as it lay; behind a rotation or a destruction nothing has that hash any
    more. Whether the manifest is ours, its own hash in the certificate tells.
    """
    try:
        _, fields = manifest.glance((folder / manifest.NAME).read_bytes())
    except (OSError, manifest.ManifestBroken):
        return set(), {}
    entries = fields["files"]
    hashes = {str(entry["file"]): str(entry["sha256"]) for entry in entries if "key_slot" in entry}
    return {str(entry["file"]) for entry in entries}, hashes


def _what(destroyed: list[Destroyed], signed: dict[str, str], at: datetime) -> dict[str, Any]:
    """`as_signed` says of files in the manifest whether they were still what was signed, where that can be told."""
    files = []
    for one in destroyed:
        known = {"as_signed": signed[one.file] == one.sha256} if one.file in signed else {}
        files.append({"file": one.file, "size": one.size, "sha256": one.sha256, **known})
    return {"destroyed_at": instant(at), "files": files}
