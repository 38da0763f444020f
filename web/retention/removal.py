"""What a bucket still has of a destroyed recording: named in the certificate, and signed for once more when it is gone.

Without its key it is noise; but what a certificate doesn't name, nobody would ever look for.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.settings import Settings
from recordings.proof.compose import instant
from recordings.retention import certificate
from recordings.retention import service as retention
from recordings.retention.models import Destruction
from recordings.retention.states import DONE
from recordings.storage import service as storage
from recordings.storage.models import StoredFile
from recordings.storage.states import REMOVED
from web.keys import signer
from web.retention.words import NOT_YET

OWN = frozenset({"format", "version", "key"})


def objects(rows: Iterable[StoredFile]) -> list[dict[str, Any]]:
    """Each with `removed`, or `locked_until`, or why it is still there (`problem`)."""
    return [{"file": row.file, "object": row.object_key, **_said(row)} for row in rows]


def remaining(text: str) -> list[dict[str, Any]]:
    """What a certificate says is still in the store."""
    return [one for one in certificate.glance(text).get("store") or [] if not one.get("removed")]


def as_of_now(session: Session, row: Destruction) -> list[dict[str, Any]]:
    """The objects that the certificate names, as they are today."""
    if not certificate.glance(row.certificate or "").get("store"):
        return []
    return objects(storage.of_recording(session, row.recording_id))


def certify(settings: Settings, session: Session, recording_id: str, *, now: datetime) -> None:
    """If nothing is left of a recording whose certificate named remains, say so, signed. Twice is harmless."""
    session.flush()
    row = retention.latest_of(session, recording_id)
    if row is None or row.state != DONE or row.removal is not None or not row.certificate:
        return
    if not remaining(row.certificate) or storage.left(session, recording_id):
        return
    said = {name: value for name, value in certificate.glance(row.certificate).items() if name not in OWN}
    gone = {
        **said,
        "supplements": hashlib.sha256(row.certificate.encode()).hexdigest(),
        "removed_at": instant(now),
        "store": objects(storage.of_recording(session, recording_id)),
    }
    retention.remains_removed(session, row.id, certificate.sign(gone, signer(settings)), now=now)


def _said(row: StoredFile) -> dict[str, Any]:
    if row.state == REMOVED:
        return {"removed": True}
    if row.locked_until is not None and not row.problem:
        return {"locked_until": instant(row.locked_until)}
    return {"problem": row.problem or NOT_YET}
