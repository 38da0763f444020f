"""Asking for a recording's marks and strip to be made, and telling that they are there."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core import jobs
from core.events import emit
from recordings.strip.events import RecordingDrawn, RecordingListed

AGAIN = timedelta(minutes=10)
LIST, DRAW = "recordings.list", "recordings.draw"  # jobs: the journal's marks; curve and stills


def ask(session: Session, recording_id: str, *, now: datetime) -> None:
    """The marks soon, the drawing when there is time. However often it is asked, there is one job of each.

    One that failed, or whose file was lost since, is done once more when it is asked for after a while.
    """
    payload = {"recording_id": recording_id}
    jobs.enqueue(session, LIST, payload, now=now, lane=2, unique_key=f"list:{recording_id}", again_after=AGAIN)
    jobs.enqueue(session, DRAW, payload, now=now, lane=8, unique_key=f"draw:{recording_id}", again_after=AGAIN)


def listed(session: Session, recording_id: str, *, now: datetime) -> None:
    emit(session, RecordingListed(recording_id), now=now)


def drawn(session: Session, recording_id: str, *, now: datetime) -> None:
    emit(session, RecordingDrawn(recording_id), now=now)
