"""The migrations make exactly the tables that the models describe, on both databases."""

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
