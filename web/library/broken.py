"""A recording that ends before its meeting does says so: what can't be heard must not look as if it was never said."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import OutboxEvent, name_of
from recordings.archive import service
from recordings.archive.models import Recording
from recordings.archive.states import READY
from video.meetings.events import RecordingLost
from video.meetings.models import Meeting

SHORTEST = timedelta(seconds=30)
"""A media process that dies is followed by another within seconds: a new part begins, and hardly a word is missing."""

AROUND = timedelta(minutes=1)
"""What was on the disk last, and the alarm: the watchdog needs seconds, and a slow machine some more."""


def broke_off(ended_at: datetime, begun: Sequence[datetime], left: Iterable[datetime | None], until: datetime) -> bool:
    """Whether the meeting went on, unrecorded, when this part of it ended, until the next part or its own end.

    `begun` are the beginnings of all parts; `left` is when each who came was last there, None for whoever stayed until
    the meeting ended (or is there still, at `until`). Where everybody has left, nothing was missed.
    """
    following = min((at for at in begun if at > ended_at), default=None)
    if following is not None:
        return following - ended_at > SHORTEST
    last = max((until if at is None else min(at, until) for at in left), default=until)
    return last - ended_at > SHORTEST


def is_broken(session: Session, recording: Recording, meeting: Meeting | None, *, now: datetime) -> bool:
    """Whether the watchdog gave this part up while people were meeting, and they went on without it."""
    if meeting is None or not meeting.recording_lost or recording.state != READY or recording.duration_s is None:
        return False
    ended_at = recording.started_at + timedelta(seconds=recording.duration_s)
    if not _given_up(session, meeting.id, ended_at):
        return False
    parts = service.of_meeting(session, meeting.id)
    return broke_off(
        ended_at,
        [part.started_at for part in parts if part.id != recording.id],
        [person.left_at for person in meeting.participants if person.joined_at],
        meeting.ended_at or now,
    )


def _given_up(session: Session, meeting_id: str, ended_at: datetime) -> bool:
    """The outbox keeps these for good: manifests tell of them, too."""
    alarms = select(OutboxEvent.payload).where(
        OutboxEvent.name == name_of(RecordingLost),
        OutboxEvent.occurred_at >= ended_at - AROUND,
        OutboxEvent.occurred_at <= ended_at + AROUND,
    )
    return any(payload.get("meeting_id") == meeting_id for payload in session.scalars(alarms))
