"""Asking for a recording's marks and strip to be made, and telling that they are there."""

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
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
    for kind, lane, key in ((LIST, 2, "list"), (DRAW, 8, "draw")):
        payload = {"recording_id": recording_id}
        with suppress(IntegrityError), session.begin_nested():  # two first openings at once: the other's job does it
            jobs.enqueue(
                session, kind, payload, now=now, lane=lane, unique_key=f"{key}:{recording_id}", again_after=AGAIN
            )


def listed(session: Session, recording_id: str, *, now: datetime) -> None:
    emit(session, RecordingListed(recording_id), now=now)


def drawn(session: Session, recording_id: str, *, now: datetime) -> None:
    emit(session, RecordingDrawn(recording_id), now=now)
