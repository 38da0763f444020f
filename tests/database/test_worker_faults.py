"""What fails in the worker fails alone: a sweep, a lease, a job that kills its taker, a reaction always wrong."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core import jobs
from core.db import Database
from core.events import EventDelivery, emit
from core.jobs import Handler, Job
from core.staff.events import SignedIn
from web import worker as worker_module
from web.worker import Worker

NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)
MINUTE = timedelta(seconds=60)
pytestmark = pytest.mark.real


def claim(db: Database, kind: str, *, now: datetime) -> jobs.Claimed | None:
    with db.write() as session:
        return jobs.claim(session, [kind], now=now, lease=lambda _kind: MINUTE)


def test_a_sweep_that_always_fails_does_not_keep_the_next_from_its_turn(any_db: Database) -> None:
    ran: list[str] = []

    def broken(_session: Any, _now: datetime) -> None:
        raise RuntimeError("always")

    def sound(_session: Any, _now: datetime) -> None:
        ran.append("sound")

    Worker(db=any_db, reactions={}, handlers={}, sweeps=(broken, sound)).step()
    assert ran == ["sound"]


def test_a_worker_that_lost_its_lease_gives_nothing_up(any_db: Database) -> None:
    with any_db.write() as session:
        jobs.enqueue(session, "work", {}, now=NOW)
    slow = claim(any_db, "work", now=NOW)
    other = claim(any_db, "work", now=NOW + 2 * MINUTE)
    assert slow and other
    with any_db.write() as session:
        assert jobs.retry(session, slow, "late", tries=1, now=NOW) is False
        assert jobs.finish(session, other, now=NOW)
        assert jobs.retry(session, other, "after its end", tries=1, now=NOW) is False
        assert session.scalars(select(Job.state)).all() == [jobs.DONE]


def test_a_job_that_kills_its_worker_is_given_up_like_one_that_fails(any_db: Database) -> None:
    with any_db.write() as session:
        jobs.enqueue(session, "deadly", {"n": 1}, now=NOW)
    at = NOW
    for _ in range(3):  # three workers took it and were never heard of again
        assert claim(any_db, "deadly", now=at)
        at += 2 * MINUTE
    acted: list[Any] = []
    given_up: list[str] = []

    def gave_up(_session: Any, _payload: dict[str, Any], error: str, _now: datetime) -> None:
        given_up.append(error)

    handler = Handler(act=acted.append, gave_up=gave_up, tries=3)
    Worker(db=any_db, reactions={}, handlers={"deadly": handler}, clock=lambda: at).step()
    assert not acted and len(given_up) == 1
    with any_db.read() as session:
        assert session.scalars(select(Job.state)).all() == [jobs.FAILED]


def test_one_failed_renewal_does_not_lose_the_lease(any_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with any_db.write() as session:
        jobs.enqueue(session, "long", {}, now=datetime.now(UTC))
    renewed = threading.Event()
    calls: list[int] = []
    real = jobs.renew

    def shaky(*args: Any, **kwargs: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("the database is starting up")
        real(*args, **kwargs)
        renewed.set()

    monkeypatch.setattr(worker_module.jobs, "renew", shaky)
    handler = Handler(act=lambda _payload: renewed.wait(60), lease=timedelta(seconds=0.6))
    Worker(db=any_db, reactions={}, handlers={"long": handler}).step()
    assert renewed.is_set()


def test_a_reaction_that_is_for_ever_wrong_is_tried_less_and_less(any_db: Database) -> None:
    def wrong(_session: Any, _event: Any, *, now: datetime) -> None:
        raise RuntimeError("always")

    with any_db.write() as session:
        emit(session, SignedIn("x"), now=NOW)
    at = [NOW]
    one = Worker(db=any_db, reactions={SignedIn: (wrong,)}, handlers={}, clock=lambda: at[0])
    waits = []
    for _ in range(12):
        until = time.monotonic() + 60
        while one.step() and time.monotonic() < until:
            pass
        with any_db.read() as session:
            due = session.scalars(select(EventDelivery.due_at)).one()
        waits.append((due - at[0]).total_seconds())
        at[0] = due
    assert waits[0] == 5 and waits[-1] == 600 and waits == sorted(waits)
