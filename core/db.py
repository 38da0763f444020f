"""The database: one declarative Base, one engine, two kinds of transaction. SQLite by default, PostgreSQL alike.

On SQLite a write transaction takes the lock at its start (BEGIN IMMEDIATE): a read-then-write can't be overtaken and
never fails half-way with "database is locked". On PostgreSQL the same code takes row locks with `with_for_update`.

SQLite lets a writer who finds the lock taken sleep for up to a tenth of a second at a time, while others who come later
pass by. So the writers of a process stand in a line of their own, and its first looks every millisecond.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Engine, MetaData, String, TypeDecorator, create_engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from core.ids import new_id
from core.stillness import Stillness

POOL = 5  # connections kept open
PATIENCE_S = 15.0  # that a writer waits for its turn
LOOK_S = 0.001
THREADS = 40  # that may work at once in a process; none of them waits for a connection, only for a lock of its own


class UtcDateTime(TypeDecorator[datetime]):
    """Aware instants in, aware UTC instants out, on databases that forget time zones too."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime can't be stored: say which instant is meant")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[str]: JSON, str: String}


def make_engine(url: str) -> Engine:
    """An engine with the project's conventions for the database that `url` names."""
    if url.startswith("postgresql:"):
        url = "postgresql+psycopg:" + url.removeprefix("postgresql:")
    in_memory = url in ("sqlite://", "sqlite:///:memory:")
    # the one used last is used next: each connection has caches of its own, which few of them are to fill
    room = {} if in_memory else {"pool_size": POOL, "max_overflow": THREADS, "pool_use_lifo": True}
    # hide_parameters: what an error says goes to a log, and they are people's names, numbers and secrets
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"), hide_parameters=True, **room)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # we say BEGIN ourselves
            cursor = connection.cursor()
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", _BUSY):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine, "begin")
        def _begin(connection: Any) -> None:
            write = connection.get_execution_options().get("majlis_write", True)
            if write:
                _begin_writing(connection)
            else:
                connection.exec_driver_sql("BEGIN")

    return engine


_BUSY = f"busy_timeout={PATIENCE_S * 1000:.0f}"


class WouldWrite(BaseException):
    """A change was tried where changes are only looked for; no `except Exception` may take it for a fault."""


def _no_change(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
        raise WouldWrite


def _begin_writing(connection: Any) -> None:
    """BEGIN IMMEDIATE as soon as the writers of other processes let us; OperationalError when they don't in time."""
    plain = connection.connection.driver_connection
    plain.execute("PRAGMA busy_timeout=0")
    try:
        for _ in range(round(PATIENCE_S / LOOK_S)):
            try:
                plain.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
            time.sleep(LOOK_S)
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # says what it has to say by SQLAlchemy's words
    finally:
        plain.execute(f"PRAGMA {_BUSY}")


class Database:
    """Opens transactions. Only edges hold one; services are handed the session."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self._line = threading.Lock() if self.engine.dialect.name == "sqlite" else None
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        reader = self.engine.execution_options(majlis_write=False)
        self._readers = sessionmaker(reader, expire_on_commit=False, autoflush=False)
        looker = self.engine.execution_options(majlis_write=False)
        event.listen(looker, "before_cursor_execute", _no_change)
        self._lookers = sessionmaker(looker, expire_on_commit=False)
        self._stillness = Stillness(self.engine)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may change things: commits at the end, rolls back on any error."""
        with self._turn(), self._sessions.begin() as session:
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Only eases the waiting: whoever isn't let in here in time asks the database all the same."""
        mine = self._line is not None and self._line.acquire(timeout=PATIENCE_S)
        try:
            yield
        finally:
            if mine and self._line is not None:
                self._line.release()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view that changes nothing (rolled back at the end whatever was done)."""
        with self._readers() as session:
            yield session

    def would_write(self, work: Callable[[Session], object]) -> bool:
        """Whether this work changes anything: it is done without a lock up to its first change, and undone."""
        with self._lookers() as session:
            try:
                work(session)
                session.flush()
            except WouldWrite:
                return True
        return False

    def mark(self) -> object:
        """Taken before a look: while it stays the same, the next look would find the same rows."""
        return self._stillness.mark()

    def dispose(self) -> None:
        self._stillness.close()
        self.engine.dispose()


__all__ = ["Base", "Database", "UtcDateTime", "make_engine", "new_id"]
