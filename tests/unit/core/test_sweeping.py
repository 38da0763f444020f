"""Sweeps that find nothing to do take no lock and open no transaction that could write."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core.db import Database
from core.once import OnceKey
from core.settings import Settings
from core.sweeping import gated, is_due, read_first, reads_first
from web.wiring import make_worker
from web.worker import Worker

NOON = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)


def key(session: Session, name: str) -> None:
    session.add(OnceKey(key=name, location="/", at=NOON))


def test_a_look_knows_of_a_change_and_leaves_no_trace(any_db: Database) -> None:
    assert not any_db.would_write(lambda session: session.scalars(select(OnceKey)).all())
    assert any_db.would_write(lambda session: key(session, "a")), "what only stands in the session is a change, too"

    def swallows(session: Session) -> None:
        key(session, "b")
        try:
            session.flush()
        except Exception:
            return

    assert any_db.would_write(swallows), "no handler of faults hides it"
    with any_db.read() as session:
        assert session.scalars(select(OnceKey)).all() == []


def test_a_sweep_with_nothing_to_do_opens_no_transaction_to_write_in(db: Database) -> None:
    opened: list[bool] = []
    event.listen(db.engine, "begin", lambda connection: opened.append(_writes(connection)))
    ran: list[str] = []
    work: list[str] = []

    def looks(session: Session, now: datetime) -> None:
        ran.append("looks")
        if work:
            key(session, work.pop())

    timed = gated(lambda session, now: ran.append("timed"), lambda now: now >= NOON + timedelta(hours=1))
    now = [NOON]
    worker = Worker(db, {}, {}, sweeps=(read_first(looks), timed), clock=lambda: now[0])
    for sweep in worker.sweeps:
        worker._sweep(sweep)
    assert ran == ["looks"] and not any(opened)
    work.extend(["once", "once"])  # the look takes one, the turn itself the other
    now[0] += timedelta(hours=1)
    for sweep in worker.sweeps:
        worker._sweep(sweep)
    assert ran == ["looks", "looks", "looks", "timed"] and opened.count(True) == 1
    with db.read() as session:
        assert session.scalars(select(OnceKey.key)).all() == ["once"]


def _writes(connection: object) -> bool:
    return bool(connection.get_execution_options().get("majlis_write", True))  # type: ignore[attr-defined]


def test_an_idle_worker_of_the_product_takes_no_lock_for_its_sweeps(db: Database, tmp_path: Path) -> None:
    worker = make_worker(Settings(data_dir=tmp_path, sms_provider="null"), db)
    for sweep in worker.sweeps:  # the first turn of what keeps time
        worker._sweep(sweep)
    opened: list[bool] = []
    event.listen(db.engine, "begin", lambda connection: opened.append(_writes(connection)))
    for sweep in worker.sweeps:
        assert reads_first(sweep) or not is_due(sweep, worker.clock()), sweep
        worker._sweep(sweep)
    assert opened and not any(opened)


@pytest.mark.parametrize("marked", [True, False])
def test_what_is_marked_is_found(marked: bool) -> None:
    def sweep(session: Session, now: datetime) -> None: ...

    assert reads_first(read_first(sweep) if marked else sweep) is marked and is_due(sweep, NOON)
