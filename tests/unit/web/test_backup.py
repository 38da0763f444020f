"""`majlis backup` while the database is in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.db import Database
from core.settings import Settings
from web import backup
from web.backup import NotKept, keep
from web.doctor import _database
from web.migrate import upgrade


@pytest.fixture
def used(tmp_path: Path) -> tuple[str, Database]:
    url = f"sqlite:///{tmp_path / 'majlis.sqlite3'}"
    return url, Database(url)


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM case_file").fetchone()[0])


def test_what_was_written_last_is_in_the_copy(used: tuple[str, Database], tmp_path: Path) -> None:
    url, db = used
    with db.write() as session:
        session.connection().exec_driver_sql("CREATE TABLE case_file (words TEXT)")
        session.connection().exec_driver_sql("INSERT INTO case_file VALUES ('one'), ('two')")
    copy, said = tmp_path / "copy", []
    with db.write() as session:  # somebody is writing; what they have not finished isn't there
        session.connection().exec_driver_sql("INSERT INTO case_file VALUES ('three')")
        size = keep(url, copy, say=said.append)
    assert count(copy) == 2 and copy.stat().st_size == size
    assert copy.stat().st_mode & 0o777 == 0o600 and said
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == ["copy"]
    plain = tmp_path / "plain"
    plain.write_bytes((tmp_path / "majlis.sqlite3").read_bytes())
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        count(plain)
    db.dispose()


def test_whoever_writes_meanwhile_neither_waits_nor_begins_it_anew(
    used: tuple[str, Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, db = used
    with db.write() as session:
        session.connection().exec_driver_sql("CREATE TABLE case_file (words TEXT)")
        for _ in range(40):
            session.connection().exec_driver_sql(f"INSERT INTO case_file VALUES ('{'a' * 4000}')")
    monkeypatch.setattr(backup, "PAGES", 1)
    told: list[str] = []

    def write(percent: str) -> None:
        told.append(percent)
        with db.write() as session:
            session.connection().exec_driver_sql("INSERT INTO case_file VALUES ('later')")

    keep(url, tmp_path / "copy", say=write)
    assert count(tmp_path / "copy") == 40 and len(told) > 5
    assert count(tmp_path / "majlis.sqlite3") == 40 + len(told)
    db.dispose()


def test_nothing_is_overwritten_and_what_is_not_there_is_said(used: tuple[str, Database], tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("mine")
    with pytest.raises(NotKept, match="no database"):
        keep(used[0], tmp_path / "copy")
    with used[1].write() as session:
        session.connection().exec_driver_sql("CREATE TABLE case_file (words TEXT)")
    with pytest.raises(NotKept, match="already"):
        keep(used[0], there)
    with pytest.raises(NotKept, match="pg_dump"):
        keep("postgresql://somewhere/majlis", tmp_path / "copy")
    with pytest.raises(NotKept):
        keep(used[0], tmp_path / "no folder" / "copy")
    assert there.read_text() == "mine" and not (tmp_path / "copy").exists()


def test_tables_of_another_version_are_told_by_the_doctor(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    upgrade(settings)
    assert _database(settings) is None
    db = Database(settings.database)
    with db.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0009'")
    db.dispose()
    assert "0009" in str(_database(settings))
