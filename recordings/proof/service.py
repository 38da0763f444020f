from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, jobs
from core.db import new_id
from core.errors import Refused
from core.events import emit
from recordings.archive.models import Recording
from recordings.archive.service import viewable
from recordings.archive.states import RECORDING, SETTLED
from recordings.proof.events import CheckAdvanced, CheckAsked, RecordingChecked, RecordingSigned, SigningFailed
from recordings.proof.models import Check, SignedManifest, Witness
from recordings.proof.rules import FORGOTTEN, running
from recordings.sealed_log import Head

SIGN = "recordings.sign"  # the job that hashes a recording's files and signs what they are
CHECK = "recordings.check"  # the job that reads a recording against its manifest
LANE_SIGN, LANE_CHECK = 3, 7  # after making playable, after texts


def witness(session: Session, heads: Mapping[str, Head], *, now: datetime) -> None:
    """Keep how far live journals have come. A head never goes back, whoever tells of it late."""
    for recording_id, head in heads.items():
        row = session.get(Witness, recording_id)
        if row is None:
            row = Witness(recording_id=recording_id, frames=-1)
            session.add(row)
        if head.frames > row.frames:
            row.frames, row.size, row.head, row.at = head.frames, head.size, head.chain.hex(), now


def witnessed(session: Session, recording_id: str) -> Witness | None:
    return session.get(Witness, recording_id)


def ask_to_sign(session: Session, recording_id: str, *, now: datetime) -> None:
    """Have what there is of the recording signed soon; again, where files have come or gone since."""
    jobs.enqueue(session, SIGN, {"recording_id": recording_id}, now=now, lane=LANE_SIGN)


def sign_forgotten(session: Session, *, now: datetime) -> int:
    """Have settled recordings signed that never were: those of before there were manifests. Each is asked for once."""
    known = select(SignedManifest.recording_id)
    query = select(Recording.id).where(
        Recording.state.in_(SETTLED),
        Recording.signing_problem.is_(None),
        Recording.closed_at < now - FORGOTTEN,
        Recording.id.not_in(known),
    )
    asked = [
        jobs.enqueue(session, SIGN, {"recording_id": id_}, now=now, lane=LANE_CHECK, unique_key=f"{SIGN}:{id_}")
        for id_ in session.scalars(query)
    ]
    return sum(job is not None for job in asked)


def sign_again(session: Session, recording_id: str, *, by: str, now: datetime) -> None:
    """For a viewer, after signing failed. Raises NotFound; Refused where nothing failed."""
    recording = viewable(session, recording_id, by, now=now)
    if recording.signing_problem is None:
        raise Refused("This recording is signed already.")
    recording.signing_problem = None
    ask_to_sign(session, recording.id, now=now)
    audit.note(session, "sign again", "recording", recording.id, now=now)


def signed(
    session: Session, recording_id: str, *, revision: int, sha256: str, key: str, signed_at: datetime
) -> SignedManifest:
    """A manifest was written and signed; `sha256` is that of its file."""
    recording = session.get_one(Recording, recording_id)
    recording.signing_problem = None
    row = SignedManifest(
        id=new_id(), recording_id=recording_id, revision=revision, sha256=sha256, key=key, signed_at=signed_at
    )
    session.add(row)
    emit(session, RecordingSigned(recording_id, recording.meeting_id, key), now=signed_at)
    return row


def not_signed(session: Session, recording_id: str, problem: str, *, now: datetime) -> None:
    recording = session.get_one(Recording, recording_id)
    recording.signing_problem = problem[:500]
    emit(session, SigningFailed(recording_id, recording.meeting_id), now=now)


def manifest_of(session: Session, recording_id: str) -> SignedManifest | None:
    """The newest one."""
    mine = select(SignedManifest).where(SignedManifest.recording_id == recording_id)
    return session.scalar(mine.order_by(SignedManifest.revision.desc()).limit(1))


def ask_check(session: Session, recording_id: str, *, by: str, now: datetime) -> Check:
    """A viewer wants to know whether the recording is still what was signed. While a check runs, that one is given.

    Raises NotFound; Refused for a recording that is still being written.
    """
    recording = viewable(session, recording_id, by, now=now)
    if recording.state == RECORDING:
        raise Refused("The meeting is still being recorded.")
    latest = check_of(session, recording_id)
    if latest and running(latest.asked_at, latest.verdict, now=now):
        return latest
    row = Check(id=new_id(), recording_id=recording_id, asked_by=by, asked_at=now, findings=[])
    session.add(row)
    jobs.enqueue(session, CHECK, {"recording_id": recording_id, "check_id": row.id}, now=now, lane=LANE_CHECK)
    audit.note(session, "verify", "recording", recording_id, now=now)
    emit(session, CheckAsked(recording_id, row.id), now=now)
    return row


def advance(session: Session, check_id: str, percent: int, *, now: datetime) -> None:
    row = session.get_one(Check, check_id)
    row.percent = percent
    emit(session, CheckAdvanced(row.recording_id, percent), now=now)


def checked(
    session: Session,
    recording_id: str,
    *,
    verdict: str,
    findings: Sequence[Mapping[str, Any]],
    read: int,
    now: datetime,
    check_id: str | None = None,
    asked_at: datetime | None = None,
) -> Check:
    """A check has come to its end; `read` in bytes. Without `check_id` it is one that nobody asked for on a page."""
    row = session.get(Check, check_id) if check_id else None
    if row is None:
        row = Check(id=new_id(), recording_id=recording_id, asked_at=asked_at or now)
        session.add(row)
    row.done_at, row.percent, row.verdict, row.findings, row.bytes = now, 100, verdict, list(findings), read
    emit(session, RecordingChecked(recording_id, verdict), now=now)
    return row


def check_of(session: Session, recording_id: str) -> Check | None:
    """The latest, done or not."""
    mine = select(Check).where(Check.recording_id == recording_id)
    return session.scalar(mine.order_by(Check.asked_at.desc(), Check.id.desc()).limit(1))
