"""Writers of one SQLite file wait for each other, and whoever waited in vain can go on."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core import db as core_db
from core.db import Database


def count(db: Database) -> int:
    with db.read() as session:
        return int(session.execute(text("SELECT count(*) FROM seen")).scalar_one())


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'lines.sqlite3'}"


def test_a_writer_that_waits_in_vain_is_told_and_writes_the_next_time(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_db, "PATIENCE_S", 0.2)
    ours, theirs = Database(address), Database(address)  # as two processes: each has a line of its own
    with ours.write() as session:
        session.execute(text("CREATE TABLE seen (n INTEGER)"))
    with ours.write() as session:
        session.execute(text("INSERT INTO seen VALUES (1)"))
        with pytest.raises(OperationalError, match="locked"), theirs.write() as second:
            second.execute(text("INSERT INTO seen VALUES (2)"))
        assert count(theirs) == 0, "nobody who reads waits"
    with theirs.write() as second:
        second.execute(text("INSERT INTO seen VALUES (3)"))
        assert second.execute(text("PRAGMA busy_timeout")).scalar() == 15000
    assert count(ours) == 2


def test_whoever_stands_in_line_writes_in_the_end_and_an_error_holds_nobody(address: str) -> None:
    both = Database(address), Database(address)
    with both[0].write() as session:
        session.execute(text("CREATE TABLE seen (n INTEGER)"))
    wrong: list[BaseException] = []

    def work(db: Database, number: int) -> None:
        for turn in range(10):
            try:
                with db.write() as session:
                    session.execute(text("INSERT INTO seen VALUES (:n)"), {"n": number})
                    if turn % 5 == 4:
                        raise ValueError("taken back")
            except ValueError:
                continue
            except BaseException as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(both[n % 2], n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong and not any(thread.is_alive() for thread in threads)
    assert count(both[0]) == 8 * 8
