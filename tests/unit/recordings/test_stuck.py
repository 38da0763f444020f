"""Nothing waits for a job that isn't there."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.jobs import DONE, Job
from core.settings import Settings
from reception.arrangements import make_playable
from recordings.archive import service as archive
from recordings.archive.events import RecordingClosed, RecordingTriedAgain
from recordings.archive.service import FINISH
from recordings.export.models import Export
from recordings.export.service import MAKE
from recordings.export.states import AGREED, READY
from recordings.retention.models import Destruction
from recordings.retention.service import DESTROY
from recordings.retention.states import DESTROYING
from recordings.storage.models import StoredFile
from recordings.storage.service import REMOVE, SEND
from recordings.storage.states import DOOMED, FAILED
from web.stuck import EVERY, ask_again

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def kinds(session: Session) -> list[str]:
    return sorted(job.kind for job in session.scalars(select(Job).where(Job.state != DONE)))


def test_what_lost_its_job_gets_one_and_only_one(session: Session) -> None:
    closed = archive.start(session, recording_id="r1", meeting_id="m", petition_id="p", now=NOW)
    archive.close(session, "r1", now=NOW)
    for id_, state in (("e1", AGREED), ("e2", READY)):
        session.add(
            Export(
                id=id_, recording_id="r1", state=state, format="mp4", lang="ar", purpose="x", asked_by="s", asked_at=NOW
            )
        )
    session.add(
        Destruction(
            id="d1",
            recording_id="r1",
            state=DESTROYING,
            reason="x",
            kept_until=NOW,
            years=1,
            proposed_by="a",
            proposed_at=NOW,
        )
    )
    for id_, state in (("f1", FAILED), ("f2", DOOMED)):
        session.add(
            StoredFile(
                id=id_,
                recording_id="r1",
                file=id_,
                state=state,
                size=1,
                sha256="",
                object_key=id_,
                version="",
                upload="",
            )
        )
    session.flush()
    assert ask_again(session, now=NOW + timedelta(seconds=1)) == 4, "one that was closed just now has its event yet"
    assert kinds(session) == sorted([MAKE, DESTROY, SEND, REMOVE])
    assert ask_again(session, now=NOW + EVERY * 2) == 1 and FINISH in kinds(session)
    assert ask_again(session, now=NOW + EVERY * 3) == 0
    session.scalars(select(Job).where(Job.kind == MAKE)).one().state = DONE
    assert ask_again(session, now=NOW + EVERY * 4) == 1, "a job that is done is none that is to come"
    assert closed.state == "closed"


def test_a_closed_recording_has_one_job_whoever_asks_first(session: Session, tmp_path: Path) -> None:
    """Workers were away: the sweep sees what was closed before the reaction to it has had its turn."""

    def pending() -> int:
        return kinds(session).count(FINISH)

    later, settings = NOW + EVERY * 2, Settings(data_dir=tmp_path, secret_hex="11" * 32)
    closed = archive.start(session, recording_id="r1", meeting_id="m", petition_id="p", now=NOW)
    archive.close(session, "r1", now=NOW)
    assert ask_again(session, now=later) == 1
    make_playable(session, RecordingClosed("r1", "m"), now=later, settings=settings)
    assert pending() == 1
    job = session.scalars(select(Job).where(Job.kind == FINISH)).one()
    job.state, job.finished_at, closed.state = DONE, later, "ready"
    session.flush()
    make_playable(session, RecordingClosed("r1", "m"), now=later, settings=settings)
    assert pending() == 0, "what can be played is left alone"
    closed.state = "closed"  # it had failed, and is tried again
    session.flush()
    make_playable(session, RecordingTriedAgain("r1", "m"), now=later, settings=settings)
    assert ask_again(session, now=later + EVERY) == 0 and pending() == 1
