from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, jobs
from core.db import new_id
from core.errors import NotFound
from core.events import emit
from recordings.archive import leave
from recordings.archive.events import (
    RecordingClosed,
    RecordingFailed,
    RecordingReady,
    RecordingStarted,
    RecordingTriedAgain,
)
from recordings.archive.models import Grant, Recording, Rendition
from recordings.archive.rules import TOOK_PART, took_part
from recordings.archive.states import CLOSED, MACHINE, RECORDING

FINISH = "recordings.finish"  # the job that makes a closed journal playable


@dataclass(frozen=True, slots=True)
class Side:
    """One participant's part of a finished recording; lengths in seconds, size in pixels."""

    participant_id: str
    role: str
    name_ar: str
    name_en: str
    path: str
    duration_s: float
    width: int
    height: int
    has_audio: bool
    has_video: bool
    gaps: list[object]


def start(session: Session, *, recording_id: str, meeting_id: str, petition_id: str, now: datetime) -> Recording:
    """Note that a recorder has opened its journal; `now` is second 0 of its timeline."""
    recording = Recording(
        id=recording_id,
        meeting_id=meeting_id,
        petition_id=petition_id,
        started_at=now,
        journal=f"{recording_id}/journal",
    )
    session.add(recording)
    session.flush()  # what refers to it may follow at once
    emit(session, RecordingStarted(recording_id, meeting_id), now=now)
    return recording


def close(session: Session, recording_id: str, *, now: datetime) -> None:
    """The journal is complete (or its writer is gone): what it holds can be made playable. Twice is harmless."""
    recording = locked(session, recording_id)
    if recording.state != RECORDING:
        return
    recording.state, recording.closed_at = MACHINE.next(recording.state, "close"), now
    emit(session, RecordingClosed(recording.id, recording.meeting_id), now=now)


def ask_to_finish(session: Session, recording_id: str, *, now: datetime) -> bool:
    """Have a closed journal made playable, before any other work. False where that is asked for, or done, already."""
    recording = session.get(Recording, recording_id)
    if recording is None or recording.state != CLOSED:
        return False
    payload, key = {"recording_id": recording_id}, f"{FINISH}:{recording_id}"
    return jobs.enqueue(session, FINISH, payload, now=now, lane=1, unique_key=key, again_after=timedelta(0)) is not None


def finish(
    session: Session,
    recording_id: str,
    sides: Iterable[Side],
    viewers: Iterable[str],
    *,
    now: datetime,
    duration_s: float = 0.0,
) -> Recording:
    """The renditions exist: the recording can be played by `viewers`, the staff who took part.

    There are none where nobody was seen or heard; `duration_s` is then all that can be told of it.
    """
    recording = locked(session, recording_id)
    recording.state = MACHINE.next(recording.state, "finish")
    recording.problem, recording.duration_s = None, duration_s
    for side in sides:
        session.add(Rendition(id=new_id(), recording_id=recording.id, **{f: getattr(side, f) for f in Side.__slots__}))
        recording.duration_s = max(recording.duration_s, side.duration_s)
    _give_leave(session, recording, viewers, now=now)
    emit(session, RecordingReady(recording.id, recording.meeting_id, recording.petition_id), now=now)
    return recording


def fail(session: Session, recording_id: str, problem: str, *, now: datetime, viewers: Iterable[str] = ()) -> Recording:
    """It can't be made playable; the sealed journal is kept. `viewers` see that, and may have it tried again."""
    recording = locked(session, recording_id)
    recording.state, recording.problem = MACHINE.next(recording.state, "fail"), problem[:500]
    _give_leave(session, recording, viewers, now=now)
    emit(session, RecordingFailed(recording.id, recording.meeting_id), now=now)
    return recording


def try_again(session: Session, recording_id: str, *, by: str, now: datetime) -> Recording:
    """A failed recording is made playable once more. Raises NotFound unless `by` may view it; Refused unless failed."""
    viewable(session, recording_id, by, now=now)
    recording = locked(session, recording_id)
    recording.state = MACHINE.next(recording.state, "try_again")
    audit.note(session, "try again", "recording", recording.id, now=now)
    emit(session, RecordingTriedAgain(recording.id, recording.meeting_id), now=now)
    return recording


def viewable(session: Session, recording_id: str, staff_id: str, *, now: datetime) -> Recording:
    """The recording if this person may view it; otherwise NotFound, as for one that does not exist.

    One that was destroyed stays on its viewers' shelf; that it can be opened is decided in recordings/access.py.
    """
    recording = session.get(Recording, recording_id)
    if recording is None or not leave.may_view(session, recording, staff_id, now=now):
        raise NotFound
    return recording


def library(session: Session, staff_id: str, *, now: datetime, limit: int = 100) -> list[Recording]:
    """What this person may view, latest first."""
    who = leave.viewer(session, staff_id)
    if who is None:
        return []
    query = leave.visible(select(Recording), who, now=now).order_by(Recording.started_at.desc()).limit(limit)
    return list(session.scalars(query))


def get(session: Session, recording_id: str) -> Recording:
    """For the archive's own work; whoever shows it to somebody asks `viewable`. Raises NotFound."""
    recording = session.get(Recording, recording_id)
    if recording is None:
        raise NotFound
    return recording


def of_meeting(session: Session, meeting_id: str) -> list[Recording]:
    """The parts of a meeting's record in the order of time; says that they exist, not that they may be viewed."""
    return list(
        session.scalars(select(Recording).where(Recording.meeting_id == meeting_id).order_by(Recording.started_at))
    )


def at_moment(session: Session, meeting_id: str, moment: datetime) -> tuple[Recording, float] | None:
    """The part of the record that is being written at `moment`, and the seconds into it; None while nothing is."""
    running = [r for r in of_meeting(session, meeting_id) if r.started_at <= moment and r.state == RECORDING]
    return (running[-1], (moment - running[-1].started_at).total_seconds()) if running else None


def open_ones(session: Session) -> list[Recording]:
    return list(session.scalars(select(Recording).where(Recording.state == RECORDING)))


def _give_leave(session: Session, recording: Recording, viewers: Iterable[str], *, now: datetime) -> None:
    """To those who took part; once, however often the recording was tried."""
    have = {grant.staff_id for grant in recording.grants if took_part(grant)}
    for staff_id in viewers:
        if staff_id not in have:
            session.add(
                Grant(id=new_id(), recording_id=recording.id, staff_id=staff_id, purpose=TOOK_PART, granted_at=now)
            )
    session.flush()


def locked(session: Session, recording_id: str) -> Recording:
    """For the archive's own work, like `get`, and nobody else changes it meanwhile. Raises NotFound."""
    query = select(Recording).where(Recording.id == recording_id).with_for_update()
    recording = session.scalar(query.execution_options(populate_existing=True))
    if recording is None:
        raise NotFound
    return recording
