"""Outbox, jobs and the worker on both databases."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core import jobs
from core.db import Database
from core.events import EventDelivery, emit
from core.jobs import Handler, Job
from core.staff.events import SignedIn
from web.worker import Worker

NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.real


def worker(
    db: Database, reactions: dict[type, Any] | None = None, handlers: dict[str, Handler] | None = None
) -> Worker:
    return Worker(db=db, reactions=reactions or {}, handlers=handlers or {})


def test_a_change_that_fails_leaves_no_event(any_db: Database) -> None:
    with pytest.raises(RuntimeError), any_db.write() as session:
        emit(session, SignedIn("x"), now=NOW)
        raise RuntimeError
    seen: list[Any] = []
    worker(any_db, {SignedIn: (lambda s, e, *, now: seen.append(e),)}).drain()
    assert seen == []


def test_each_reaction_happens_once_and_one_that_fails_is_tried_again_alone(any_db: Database) -> None:
    calls: list[str] = []

    def steady(session: Any, event: Any, *, now: datetime) -> None:
        calls.append("steady")

    def shaky(session: Any, event: Any, *, now: datetime) -> None:
        calls.append("shaky")
        jobs.enqueue(session, "made-by-a-failure", {}, now=now)
        if calls.count("shaky") < 2:
            raise RuntimeError("not yet")

    with any_db.write() as session:
        emit(session, SignedIn("x"), now=NOW)
    times = [datetime.now(UTC)]
    one = worker(any_db, {SignedIn: (steady, shaky)})
    one.clock = lambda: times[-1]
    one.drain()
    times.append(times[-1] + timedelta(seconds=10))
    one.drain()
    assert sorted(calls) == ["shaky", "shaky", "steady"]
    with any_db.read() as session:
        assert all(d.done_at for d in session.scalars(select(EventDelivery)))
        assert len(session.scalars(select(Job)).all()) == 1, "the failed try must leave nothing behind"


def test_eight_workers_claim_two_hundred_jobs_once_each(any_db: Database) -> None:
    with any_db.write() as session:
        for n in range(200):
            jobs.enqueue(session, "count", {"n": n}, now=NOW)
    done: list[int] = []

    def act(payload: dict[str, Any]) -> None:
        done.append(payload["n"])

    def run() -> None:
        mine = worker(any_db, handlers={"count": Handler(act=act)})
        misses = 0
        while misses < 3:
            misses = 0 if mine._run_job() else misses + 1

    threads = [threading.Thread(target=run) for _ in range(8)]
    [t.start() for t in threads]
    [t.join(60) for t in threads]
    assert sorted(done) == list(range(200))


def test_a_killed_workers_job_comes_back_when_its_lease_is_over(any_db: Database) -> None:
    with any_db.write() as session:
        jobs.enqueue(session, "k", {}, now=NOW)
    lease = timedelta(seconds=60)
    with any_db.write() as session:
        first = jobs.claim(session, ["k"], now=NOW, lease=lambda _: lease)
    assert first
    with any_db.write() as session:
        assert jobs.claim(session, ["k"], now=NOW + timedelta(seconds=59), lease=lambda _: lease) is None
        second = jobs.claim(session, ["k"], now=NOW + timedelta(seconds=61), lease=lambda _: lease)
    assert second and second.attempts == 2
    with any_db.write() as session:
        assert not jobs.finish(session, first, now=NOW), "whoever lost the lease records nothing"
        assert jobs.finish(session, second, now=NOW)


def test_a_job_is_given_up_after_its_tries_and_says_why(any_db: Database) -> None:
    gave_up: list[str] = []

    def fail(_: dict[str, Any]) -> None:
        raise OSError("no line")

    handler = Handler(act=fail, gave_up=lambda s, p, error, now: gave_up.append(error), tries=2)
    times = [datetime.now(UTC)]
    with any_db.write() as session:
        jobs.enqueue(session, "f", {}, now=times[0])
    one = worker(any_db, handlers={"f": handler})
    one.clock = lambda: times[-1]
    one.drain()
    times.append(times[-1] + timedelta(minutes=5))
    one.drain()
    assert gave_up == ["OSError: no line"]


def test_a_job_with_a_key_is_made_once(any_db: Database) -> None:
    with any_db.write() as session:
        assert jobs.enqueue(session, "u", {}, now=NOW, unique_key="u1")
        assert jobs.enqueue(session, "u", {}, now=NOW, unique_key="u1") is None
