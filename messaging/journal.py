"""A sender's own notes of what it hands over, beside the database: what a killed process leaves for the next one.

Recording every answer in a transaction of its own would carry some hundred texts a second; recording them in portions
would leave a portion of texts in doubt after each crash. So a line goes into a file before a part is handed over and
another when it was answered: a write, never a sync, since the kernel keeps what a killed process wrote. Only a machine
that loses its power loses lines; its new boot id then puts everything it had in hand in doubt.

The file is locked (flock) while its sender lives. Whoever gets the lock finds a dead sender's notes.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core.db import new_id
from messaging.providers.base import Answer

FOLDER = "sending"
LARGE = 1 << 20
FORGOTTEN_S = 7 * 24 * 3600.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True)
class Notes:
    """What a journal says: parts handed over by which gateway, and the answers of those that were answered."""

    claim: str
    handed: dict[str, str] = field(default_factory=dict)  # part's key → gateway
    answered: dict[str, tuple[str, Answer]] = field(default_factory=dict)
    complete: bool = True  # False: the machine was started anew since, so the last lines may be missing


class Journal:
    """One for each sender. `claim` is its name in the database, too."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        self.claim = f"{os.uname().nodename}-{new_id()}"
        self._path = self._folder / f"{self.claim}.journal"
        self._file = -1
        self._size = 0
        self._lock = threading.Lock()
        self._lines: list[bytes] = []  # not in the file yet
        self._open: dict[str, bytes] = {}  # lines of parts that the database doesn't know yet
        self._begin(self._path)

    def hand(self, key: str, gateway: str) -> None:
        """Before a part leaves, and `flush`, too."""
        self._write(key, f"H {key} {gateway}\n".encode(), fresh=True)

    def answer(self, key: str, gateway: str, answer: Answer) -> None:
        error = " ".join(answer.error.split())
        self._write(key, f"A {key} {gateway} {answer.state} {answer.provider_id or '-'} {error}\n".encode())

    def recorded(self, message_ids: set[str]) -> None:
        """The database has what became of these. A file that has grown large starts afresh with the rest."""
        with self._lock:
            for key in [key for key in self._open if key.rpartition(".")[0] in message_ids]:
                del self._open[key]
            self._renew()

    def _renew(self) -> None:
        if self._size > LARGE or (self._size > 4096 and not self._open):
            fresh = self._path.with_suffix(".fresh")
            old = self._file
            self._lines.clear()  # they are among those of the open parts
            self._begin(fresh)
            fresh.replace(self._path)
            os.close(old)

    def close(self) -> None:
        """Nothing is in hand any more."""
        self.flush()
        if not self._open:
            self._path.unlink(missing_ok=True)
        os.close(self._file)

    def _begin(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._size = os.write(self._file, f"B {_boot()}\n".encode() + b"".join(self._open.values()))

    def _write(self, key: str, line: bytes, *, fresh: bool = False) -> None:
        with self._lock:
            self._open[key] = line if fresh else self._open.get(key, b"") + line
            self._lines.append(line)

    def flush(self) -> None:
        """To the file, which outlives us. What was handed over is in it before it leaves."""
        with self._lock:
            if self._lines:
                self._size += os.write(self._file, b"".join(self._lines))
                self._lines.clear()


@contextmanager
def left_behind(data_dir: Path, *, now: datetime | None = None) -> Iterator[list[Notes]]:
    """The notes of senders that are dead; they are thrown away once what is done with them is done.

    A lock tells of the senders of this kernel, whatever a container calls its machine. Notes of another one are left to
    it; after a week, with their texts long on their way again, they are removed.
    """
    held: list[tuple[int, Path]] = []
    found = []
    try:
        for path in sorted((data_dir / FOLDER).glob("*.journal")):
            file = _locked(path)
            if file is None:
                continue
            if _ours(path):
                held.append((file, path))
                found.append(_read(path))
                continue
            if now is not None and now.timestamp() - path.stat().st_mtime > FORGOTTEN_S:
                path.unlink(missing_ok=True)
            os.close(file)
        yield found
        for _file, path in held:
            path.unlink(missing_ok=True)
    finally:
        for file, _path in held:
            os.close(file)


def _ours(path: Path) -> bool:
    """Of this machine by its name, or by the start of its kernel that the first line names."""
    if path.stem.rpartition("-")[0] == os.uname().nodename:
        return True
    with path.open("rb") as file:
        return file.readline().decode("utf-8", "replace").split() == ["B", _boot()]


def _locked(path: Path) -> int | None:
    """The file, if its sender is dead and it is still the one of that name."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file).st_ino == path.stat().st_ino:
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(file)
    return None


def _read(path: Path) -> Notes:
    notes = Notes(path.stem)
    notes.complete = False  # until the first line says otherwise
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break  # it was killed within a line; what the line would have said had not happened yet
        kind, _, rest = line.decode("utf-8", "replace").rstrip("\n").partition(" ")
        if kind == "B":
            notes.complete = rest == _boot()
        elif kind == "H":
            key, _, gateway = rest.partition(" ")
            notes.handed[key] = gateway
            notes.answered.pop(key, None)
        elif kind == "A":
            key, gateway, state, provider_id, error = [*rest.split(" ", 4), ""][:5]
            notes.answered[key] = gateway, Answer(state, "" if provider_id == "-" else provider_id, error)
    return notes


def _boot() -> str:
    return _BOOT.read_text().strip() if _BOOT.exists() else "unknown"
