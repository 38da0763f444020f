"""The migrations make exactly the tables that the models describe, on both databases."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from core.db import Base, make_engine
from web.migrate import config
from web.schema import load_models

pytestmark = pytest.mark.real


def differences(url: str) -> list[object]:
    command.upgrade(config(url), "head")
    load_models()
    engine = make_engine(url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    return found


def test_on_sqlite(tmp_path: Path) -> None:
    assert differences(f"sqlite:///{tmp_path / 'm.sqlite3'}") == []


def test_on_postgresql(postgres: str) -> None:
    admin = create_engine(postgres.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE migrations"))
    admin.dispose()
    assert differences(postgres.replace("/postgres?", "/migrations?")) == []


FILLED: Mapping[str, list[tuple[str, dict[str, object]]]] = {
    "0009": [
        ("centre", {"id": "c"}),
        ("service_point", {"id": "p", "centre_id": "c"}),
        ("counter", {"id": "k", "centre_id": "c"}),
        ("ticket", {"id": "t", "centre_id": "c", "service_point_id": "p", "counter_id": "k"}),
    ],
    "0022": [
        ("appointment_series", {"id": "s"}),
        ("appointment_series_exception", {"series_id": "s"}),
        ("appointment_slot", {"id": "o", "capacity": 3, "taken": 1, "ends_at": "2026-01-01 01:00:00.000000"}),
        ("appointment", {"id": "b", "slot_id": "o", "state": "booked", "petition_id": "1"}),
        ("appointment", {"id": "m", "slot_id": "o", "state": "moved", "petition_id": "2", "previous_id": "b"}),
        ("waitlist", {"id": "w"}),
        ("waitlist_offer", {"waiting_id": "w", "slot_id": "o", "appointment_id": "b"}),
    ],
}
"""Revision → rows that refer to each other, of tables which a later revision makes anew on SQLite."""


def insert(connection: sqlite3.Connection, table: str, given: Mapping[str, object]) -> None:
    """A row of what is `given`, with something in each other column that must not be empty."""
    fill = {"DATE": "2026-01-01", "DATETIME": "2026-01-01 00:00:00.000000", "JSON": "[]", "VARCHAR": "x", "TEXT": "x"}
    row = dict(given)
    for _, name, kind, needed, default, _ in connection.execute(f"PRAGMA table_info({table})"):
        if needed and default is None and name not in row:
            row[name] = fill.get(kind.split("(")[0], 0)
    marks = ", ".join("?" * len(row))
    names = ", ".join(f'"{name}"' for name in row)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


@pytest.mark.parametrize("before", FILLED)
def test_a_filled_database_loses_no_row(tmp_path: Path, before: str) -> None:
    path = tmp_path / "m.sqlite3"
    command.upgrade(config(f"sqlite:///{path}"), before)
    connection = sqlite3.connect(path)
    for table, given in FILLED[before]:
        insert(connection, table, given)
    connection.commit()
    command.upgrade(config(f"sqlite:///{path}"), "head")
    for table, given in FILLED[before]:
        where = " AND ".join(f"{name} = ?" for name in given)
        found = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", list(given.values())).fetchone()
        assert found == (1,), f"{table} {given}"
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_what_would_refer_to_nothing_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite3"
    command.upgrade(config(f"sqlite:///{path}"), "0022")
    connection = sqlite3.connect(path)  # refers to what it likes, as SQLite does by default
    insert(connection, "appointment", {"id": "a", "slot_id": "none"})
    connection.commit()
    with pytest.raises(RuntimeError, match="appointment"):
        command.upgrade(config(f"sqlite:///{path}"), "head")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0022",)]
    connection.close()
