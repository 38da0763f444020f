"""Who looks often looks only where something was committed, or where the time has come for what it saw."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core import jobs
from core.db import Database
from core.events import emit
from core.jobs import Handler
from core.once import OnceKey
from core.staff.events import SignedIn
from web.worker import Worker

NOON = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)


def put(db: Database, name: str) -> None:
    with db.write() as session:
        session.add(OnceKey(key=name, location="/", at=NOON))


@contextmanager
def asked(db: Database) -> Iterator[list[str]]:
    """What the pool's connections are asked meanwhile."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield said
    event.remove(db.engine, "before_cursor_execute", note)


def test_a_mark_changes_with_every_commit_whoever_made_it_and_with_nothing_else(any_db: Database) -> None:
    first = any_db.mark()
    put(any_db, "ours")
    second = any_db.mark()
    assert second != first
    other = Database(any_db.engine.url.render_as_string(hide_password=False))
    put(other, "another process's")
    third = any_db.mark()
    assert third not in (first, second)
    with any_db.read() as session:
        session.scalars(select(OnceKey)).all()
    with any_db._sessions() as session:
        session.add(OnceKey(key="taken back", location="/", at=NOON))
        session.flush()
        session.rollback()
    if any_db.engine.dialect.name == "sqlite":
        assert any_db.mark() == third
    other.dispose()


def test_in_memory_one_looks_each_time() -> None:
    db = Database("sqlite://")
    assert db.mark() != db.mark()
    db.dispose()


def test_an_idle_worker_asks_nothing_and_hears_of_the_next_event_at_once(db: Database) -> None:
    heard: list[str] = []

    def react(_session: Session, happened: SignedIn, *, now: datetime) -> None:
        heard.append(happened.staff_id)

    worker = Worker(db, {SignedIn: (react,)}, {"act": Handler(act=lambda payload: None)})
    worker.step()
    with asked(db) as questions:
        assert [worker.step(), worker._run_job("quick")] == [False, False]
        before = len(questions)
        for _ in range(5):
            assert not worker.step() and not worker._run_job("quick")
        assert len(questions) == before
    with db.write() as session:
        emit(session, SignedIn("amal"), now=NOON)
    worker.drain()
    assert heard == ["amal"]


def test_what_was_put_off_is_done_when_its_time_comes_though_nothing_was_committed(db: Database) -> None:
    at, done, tried = [NOON], [], []

    def react(_session: Session, happened: SignedIn, *, now: datetime) -> None:
        tried.append(now)
        if len(tried) == 1:
            raise ValueError("the first time it fails")

    worker = Worker(db, {SignedIn: (react,)}, {"act": Handler(act=done.append)}, clock=lambda: at[0])
    with db.write() as session:
        jobs.enqueue(session, "act", {"n": 1}, now=NOON, run_at=NOON + timedelta(minutes=1))
        emit(session, SignedIn("amal"), now=NOON)
    worker.drain()
    assert len(tried) == 1 and not done
    with asked(db) as questions:
        at[0] += timedelta(seconds=4)
        assert not worker.step() and not questions
    at[0] += timedelta(seconds=2)
    worker.drain()
    assert len(tried) == 2 and not done
    at[0] = NOON + timedelta(minutes=1)
    worker.drain()
    assert done == [{"n": 1}]
