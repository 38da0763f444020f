"""A live journal is witnessed from its first frame to its last, by the process that writes it."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from core import clock
from core.db import Database
from core.ids import new_id
from core.settings import Settings
from recordings.proof import service as proof
from recordings.proof.models import Witness
from recordings.sealed_log import walk_chain
from video.meetings import service as meetings
from web import recording
from web.proof import Witnesses


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, secret_hex="11" * 32)


@pytest.fixture
def meeting_id(db: Database) -> str:
    now = clock.now()
    with db.write() as session:
        return meetings.schedule(
            session,
            appointment_id=new_id(),
            petition_id="p",
            visitor_id="v",
            visitor_name=("ز", "V"),
            official=("o", "م", "M"),
            centre_id="c",
            starts_at=now,
            ends_at=now + timedelta(minutes=20),
            now=now,
        ).id


def witness_of(db: Database) -> Witness:
    with db.read() as session:
        return session.query(Witness).one()


def witnessing() -> set[int | None]:
    return {thread.ident for thread in threading.enumerate() if thread.name == "witness"}


def test_from_the_first_frame_to_the_last(
    db: Database, settings: Settings, meeting_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MARGIN", 0)
    monkeypatch.setattr(recording, "Witnesses", lambda db: Witnesses(db, every=0.05))
    before = witnessing()
    sink = recording.sink_opener(settings, db)(meeting_id)
    (journal,) = settings.recordings_dir.glob("*/journal")
    assert witness_of(db).frames == 1
    sink.track("a", "visitor", "audio", "opus", 48_000, 0.0)
    until = time.monotonic() + 60
    while witness_of(db).frames < 3:
        sink.write("a", 0.1, b"x" * 500)
        time.sleep(0.05)
        assert time.monotonic() < until
    seen = witness_of(db)
    link = list(walk_chain(journal))[seen.frames - 1]
    assert (link.end, link.chain.hex(), link.final) == (seen.size, seen.head, False)
    sink.close(1.0)
    last = list(walk_chain(journal))[-1]
    seen = witness_of(db)
    assert (seen.frames, seen.size, seen.head) == (last.number + 1, journal.stat().st_size, last.chain.hex())
    assert last.final
    until = time.monotonic() + 60
    while witnessing() - before:
        time.sleep(0.05)
        assert time.monotonic() < until, "the thread ends with the last recording"


def test_a_database_that_does_not_answer_is_asked_again_and_the_call_goes_on(
    db: Database, settings: Settings, meeting_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = proof.witness

    def shaky(*args: object, **more: object) -> None:
        asked.append(1)
        if 1 < len(asked) < 4:
            raise RuntimeError("the database is starting up")
        real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(proof, "witness", shaky)
    monkeypatch.setattr(recording, "MARGIN", 0)
    monkeypatch.setattr(recording, "Witnesses", lambda db: Witnesses(db, every=0.05))
    sink = recording.sink_opener(settings, db)(meeting_id)
    sink.track("a", "visitor", "audio", "opus", 48_000, 0.0)
    until = time.monotonic() + 60
    while witness_of(db).frames < 2:
        sink.write("a", 0.1, b"x" * 500)
        time.sleep(0.05)
        assert sink.healthy() and time.monotonic() < until
    sink.close(1.0)
    assert len(asked) > 4
