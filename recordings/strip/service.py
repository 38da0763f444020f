"""Asking for a recording's marks and strip to be made, and telling that they are there."""

from datetime import datetime

from sqlalchemy.orm import Session

from core import jobs
from core.events import emit
from recordings.strip.events import RecordingDrawn, RecordingListed

LIST, DRAW = "recordings.list", "recordings.draw"  # jobs: the journal's marks; curve and stills


def ask(session: Session, recording_id: str, *, now: datetime) -> None:
    """Once for each recording, however often it is asked: the marks soon, the drawing when there is time."""
    payload = {"recording_id": recording_id}
    jobs.enqueue(session, LIST, payload, now=now, lane=2, unique_key=f"list:{recording_id}")
    jobs.enqueue(session, DRAW, payload, now=now, lane=8, unique_key=f"draw:{recording_id}")


def listed(session: Session, recording_id: str, *, now: datetime) -> None:
    emit(session, RecordingListed(recording_id), now=now)


def drawn(session: Session, recording_id: str, *, now: datetime) -> None:
    emit(session, RecordingDrawn(recording_id), now=now)
