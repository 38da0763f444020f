"""`majlis backup`: the whole database in one file, while everything runs."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

PAGES = 2048
"""Copied at a time, eight megabytes: between them it is told how far the copy is."""


class NotKept(Exception):
    """Why there is no copy."""


def keep(database: str, path: Path, *, say: Callable[[str], None] = print) -> int:
    """Copy the SQLite database of the url `database` to the new file `path`, readable by its owner alone.

    Returns its size in bytes. A plain copy of the file would miss what lies in its write-ahead log yet. The copy is of
    one instant, appears under its name when it is whole, was read through and is on the disk. Raises NotKept, also
    where `path` is there.
    """
    url = make_url(database)
    if url.get_backend_name() != "sqlite":
        raise NotKept("PostgreSQL has its own way: pg_dump --format=custom, or its continuous archiving.")
    source = Path(url.database or "")
    if not source.is_file():
        raise NotKept(f"There is no database at {source}.")
    if path.exists():
        raise NotKept(f"{path} is there already.")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600, exist_ok=False)
        with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(draft)) as here:
            there.execute(
                "BEGIN"
            )  # one view for all steps: each write would begin the copy anew (sqlite.org/backup.html)
            there.execute("SELECT count(*) FROM sqlite_master").fetchone()
            there.backup(here, pages=PAGES, progress=_telling(say))
            here.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            if (found := here.execute("PRAGMA quick_check").fetchone()) != ("ok",):
                raise NotKept(f"The copy is damaged: {found[0]}")
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a renaming, never over another's
    except (OSError, sqlite3.Error) as error:
        raise NotKept(str(error)) from error
    finally:
        draft.unlink(missing_ok=True)
    return path.stat().st_size


def _telling(say: Callable[[str], None]) -> Callable[[int, int, int], None]:
    told = 0

    def progress(_status: int, left: int, total: int) -> None:
        nonlocal told
        percent = 100 * (total - left) // max(total, 1)
        if percent >= told + 10:
            told = percent
            say(f"{percent} %")

    return progress
