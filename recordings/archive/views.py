"""Who watched what, and when. A sitting begins in the transaction that hands out the key, and grows while it lasts."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from recordings.archive.models import Grant, Recording, View
from recordings.archive.rules import SITTING, spans_with


def begin(
    session: Session, recording: Recording, staff_id: str, leave: Grant, *, what: str, anew: bool, now: datetime
) -> View:
    """Note that `what` (a participant's side, or another piece) is being opened; the caller holds the recording's lock.

    `anew`: from its beginning, which leaves a row of its own in the audit trail. A sitting that goes on has left its.
    """
    row = session.scalar(
        select(View)
        .where(
            View.recording_id == recording.id,
            View.staff_id == staff_id,
            View.purpose == leave.purpose,
            View.last_at > now - SITTING,
        )
        .order_by(View.last_at.desc())
        .limit(1)
        .with_for_update()
    )
    if row is None:
        row = View(
            id=new_id(),
            recording_id=recording.id,
            staff_id=staff_id,
            purpose=leave.purpose,
            began_at=now,
            last_at=now,
            address=session.info.get("address"),
            spans=[],
            what=[],
        )
        session.add(row)
    if anew or what not in row.what:
        audit.note(session, "view", "recording", recording.id, now=now, detail={"what": what, "sitting": row.id})
    if what not in row.what:
        row.what = [*row.what, what]
    row.last_at = max(row.last_at, now)
    session.flush()
    return row


def extend(session: Session, view_id: str, start: float, end: float, *, duration: float, now: datetime) -> None:
    """The seconds from `start` to `end` are about to be given out."""
    row = session.scalar(
        select(View).where(View.id == view_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is not None:
        row.spans = spans_with(row.spans, start, end, duration=duration)
        row.last_at = max(row.last_at, now)


def of_recording(session: Session, recording_id: str, *, limit: int = 500) -> list[View]:
    """Latest first."""
    rows = select(View).where(View.recording_id == recording_id).order_by(View.began_at.desc(), View.id.desc())
    return list(session.scalars(rows.limit(limit)))


def summary(rows: list[View]) -> Mapping[str, int]:
    """Sittings of each person."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.staff_id] = counts.get(row.staff_id, 0) + 1
    return counts
