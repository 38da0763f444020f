"""Whether anything was committed since one last looked, for whoever looks often: a question of some microseconds.

SQLite counts the commits of others on each connection (`PRAGMA data_version`), so a connection that never writes sees
those of all processes. PostgreSQL has nothing as cheap: there every mark differs, and one looks each time.
"""

import sqlite3
import threading
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine


class Stillness:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._watcher: Any = None
        self._counts = engine.dialect.name == "sqlite" and engine.url.database not in (None, "", ":memory:")

    def mark(self) -> object:
        """Taken before one looks. Equal to an earlier one: nothing was committed in between, by any process."""
        if not self._counts:
            return object()
        try:
            with self._lock:
                if self._watcher is None:
                    opened = self._engine.raw_connection()
                    opened.detach()  # ours alone: on a connection of the pool one's own commits don't count
                    self._watcher = opened
                return self._watcher.dbapi_connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return object()

    def close(self) -> None:
        with self._lock, suppress(sqlite3.Error):
            if self._watcher is not None:
                self._watcher.close()
            self._watcher = None
