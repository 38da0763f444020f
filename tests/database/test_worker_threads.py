"""A code on its way to somebody's phone waits for no film; what a newer version meant waits for that version."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core import jobs
from core.db import Database
from core.events import EventDelivery, OutboxEvent, emit
from core.jobs import MEDIA, MESSAGES, READING, Handler, Job
from core.settings import Settings
from core.staff.events import SignedIn, SignInFailed
from messaging.sending import Sender
from web.wiring import make_worker
from web.worker import Worker

NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)
LONG_S = 30.0
pytestmark = pytest.mark.real


@dataclass
class Slow:
    """A job that goes on until it is let go."""

    begun: threading.Event
    over: threading.Event

    def __call__(self, _payload: dict[str, Any]) -> None:
        self.begun.set()
        self.over.wait(LONG_S)


def test_a_text_is_sent_while_films_are_made_and_recordings_read(any_db: Database) -> None:
    media, reading = (Slow(threading.Event(), threading.Event()) for _ in range(2))
    sent, quick = threading.Event(), threading.Event()
    worker = Worker(
        db=any_db,
        reactions={},
        handlers={
            "film": Handler(act=media, thread=MEDIA),
            "audit": Handler(act=reading, thread=READING),
            "text": Handler(act=lambda _payload: sent.set(), thread=MESSAGES),
            "quick": Handler(act=lambda _payload: quick.set()),
        },
    )
    before = threading.active_count()
    with any_db.write() as session:
        for kind in ("film", "film", "audit", "audit"):
            jobs.enqueue(session, kind, {}, now=NOW, lane=0)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        assert media.begun.wait(LONG_S) and reading.begun.wait(LONG_S)
        with any_db.write() as session:
            jobs.enqueue(session, "text", {}, now=NOW)
            jobs.enqueue(session, "quick", {}, now=NOW)
        assert sent.wait(LONG_S) and quick.wait(LONG_S)
        assert not media.over.is_set() and not reading.over.is_set(), "they are at work still"
        # this thread's: the worker's own, three beside it, and one for each lease that is being kept
        assert threading.active_count() - before <= 4 + 4
        with any_db.read() as session:
            states = dict(session.execute(select(Job.kind, Job.state).where(Job.kind.in_(["film", "audit"]))).all())
        assert set(states.values()) == {jobs.PENDING}
    finally:
        worker.stop.set()
        media.over.set()
        reading.over.set()
        thread.join(LONG_S)
    assert not thread.is_alive()


def test_what_takes_long_never_stands_beside_what_must_be_quick(tmp_path: Any) -> None:
    worker = make_worker(Settings(data_dir=tmp_path, sms_provider="null"), Database("sqlite://"))
    threads = {kind: handler.thread for kind, handler in worker.handlers.items()}
    assert any(isinstance(one, Sender) for one in worker.beside), "texts have a thread of their own"
    assert {threads[kind] for kind in ("recordings.finish", "recordings.sign")} == {MEDIA}
    assert {threads[kind] for kind in ("recordings.check", "recordings.destroy")} == {READING}
    assert len(set(threads.values())) <= 4


def test_a_reaction_of_a_newer_version_waits_for_it(any_db: Database) -> None:
    ran: list[str] = []

    def known(_session: Any, _event: SignedIn, *, now: datetime) -> None:
        ran.append("known")

    def newer(_session: Any, _event: SignedIn, *, now: datetime) -> None:
        ran.append("newer")

    new = Worker(db=any_db, reactions={SignedIn: (known, newer)}, handlers={}, quiet=())
    old = Worker(db=any_db, reactions={SignedIn: (known,)}, handlers={}, quiet=())
    with any_db.write() as session:
        emit(session, SignedIn("s"), now=NOW)
    assert new._fan_out()
    old.drain()
    assert ran == ["known"]
    with any_db.read() as session:
        waiting = session.scalars(select(EventDelivery).where(EventDelivery.done_at.is_(None))).one()
    assert waiting.reaction == "newer" and waiting.attempts == 0
    new.drain()
    assert ran == ["known", "newer"]


def test_an_event_of_a_newer_version_waits_for_it_and_keeps_nothing_up(
    any_db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []

    def out(_session: Any, _event: SignInFailed, *, now: datetime) -> None:
        ran.append("out")

    def in_(_session: Any, _event: SignedIn, *, now: datetime) -> None:
        ran.append("in")

    old = Worker(db=any_db, reactions={SignedIn: (in_,)}, handlers={}, quiet=())
    new = Worker(db=any_db, reactions={SignedIn: (in_,), SignInFailed: (out,)}, handlers={}, quiet=())
    with any_db.write() as session:
        for _ in range(60):  # more than are taken at once
            emit(session, SignInFailed("s"), now=NOW)
        emit(session, SignedIn("s"), now=NOW)
    old.drain()
    assert ran == ["in"]
    with any_db.read() as session:
        assert len(session.scalars(select(OutboxEvent).where(OutboxEvent.fanned_out_at.is_(None))).all()) == 60
    new.drain()
    assert ran.count("out") == 60


def test_what_came_to_its_end_is_done_again_when_asked_after_a_while(any_db: Database) -> None:
    minute, ran = timedelta(minutes=1), []
    at = [NOW]

    def fails(_payload: dict[str, Any]) -> None:
        ran.append(at[0])
        raise OSError("once more")

    worker = Worker(db=any_db, reactions={}, handlers={"draw": Handler(act=fails, tries=1)}, clock=lambda: at[0])

    def ask() -> str | None:
        with any_db.write() as session:
            return jobs.enqueue(session, "draw", {}, now=at[0], unique_key="draw:1", again_after=minute)

    assert ask()
    worker.drain()
    assert ask() is None, "too soon"
    at[0] += 2 * minute
    assert ask() and ask() is None, "it waits already"
    worker.drain()
    assert len(ran) == 2
