"""A recording's page is opened for the first time by two people at once: both ask for its strip, nobody is refused."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.db import Database
from core.jobs import Job
from recordings.strip import service

pytestmark = pytest.mark.real
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_two_who_ask_at_once_share_the_jobs(any_db: Database) -> None:
    began, problems = threading.Event(), []

    def second() -> None:
        try:
            with any_db.write() as session:
                began.set()
                service.ask(session, "r", now=NOW)
                session.add(Job(id="after", kind="x", payload={}, run_at=NOW, lane=5, created_at=NOW))
        except Exception as error:
            problems.append(error)

    thread = threading.Thread(target=second)
    with any_db.write() as session:
        service.ask(session, "r", now=NOW)
        session.flush()
        thread.start()
        began.wait(1)  # on PostgreSQL it has begun and sees nothing of ours; on SQLite it waits for its turn
        thread.join(0.5)
    thread.join(20)
    assert problems == []
    with any_db.read() as session:
        kinds = sorted(session.scalars(select(Job.kind)))
    assert kinds == sorted([service.LIST, service.DRAW, "x"]), "and what else it had to write is kept"
