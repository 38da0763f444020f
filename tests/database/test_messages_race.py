"""Two workers react to one event at the same moment: one text, one job, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

from sqlalchemy import func, select

from core.db import Database
from messaging import service
from messaging.models import Dispatch, Message


def test_the_same_text_queued_by_many_at_once_is_one(any_db: Database, now: datetime) -> None:
    ready = Barrier(6)

    def write(_: int) -> str:
        ready.wait(timeout=30)
        with any_db.write() as session:
            return service.queue(
                session, to="+966501234567", template="petition_to_office", fields={"case": "R-1"}, language="ar",
                subject=("petition", "p"), key="once", now=now,
            ).id  # fmt: skip

    with ThreadPoolExecutor(6) as pool:
        ids = set(pool.map(write, range(6)))
    assert len(ids) == 1
    with any_db.read() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 1
        assert session.scalar(select(func.count()).select_from(Dispatch)) == 1
