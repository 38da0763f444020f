"""Renditions that are made while the meeting still runs, so that it can be watched as soon as it is over.

A follower works in a folder of its own, `following`, inside the recording's; the lock on that folder says that it is at
work, and falls with its process. At the journal's end (or when it is asked to, for one that has lost its writer) it
closes the renditions and, last of all, a sealed page that says what it made. `take` adopts all that; what is not whole
is thrown away, and `remux` makes it from the journal. So a follower may be killed at any moment, or come too late, and
nothing depends on it but how soon the recording can be watched.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from recordings import container
from recordings.container import KeyDestroyed, NotSealed, SealBroken, Unfinished
from recordings.journal_records import Mark, Meta
from recordings.keys import KeyRefused, KeyRing
from recordings.remux import LAG_S, Remuxer, RemuxResult, Rendition
from recordings.sealed import SealedReader, SealedWriter
from recordings.timeline import Gap

JOURNAL = "journal"
FOLDER = "following"
WANTED = "wanted"  # a file in it that asks the follower to come to an end now
RESULT = "result.sealed"
PATIENCE_S = 60.0
_ASK_EVERY_S = 0.05


class Taken(Exception):
    """Another follower is at work on this recording, or it has its renditions already."""


class Follower:
    """Raises Taken; FileNotFoundError where there is no journal (yet); what `remux` raises."""

    def __init__(self, folder: Path, keyring: KeyRing, *, lag: float = LAG_S) -> None:
        self._folder, self._keyring = folder, keyring
        self._place = folder / FOLDER
        journal = folder / JOURNAL
        header = container.read_header(journal)
        if header.owner != folder.name:
            raise SealBroken(f"the journal is that of another recording, {header.owner}")
        self._owner, self._data_key = header.owner, header.data_key(keyring)
        if any(folder.glob("*.webm.sealed*")):
            raise Taken("it has its renditions")
        self._lock = _lock(self._place)
        try:
            for leftover in self._place.iterdir():  # of one who was killed
                leftover.unlink()
            self._remuxer = Remuxer(journal, keyring, out_dir=self._place, lag=lag)
        except BaseException:
            os.close(self._lock)
            raise

    def step(self) -> bool:
        """A slice of the journal further; False where there is no more (yet)."""
        return self._remuxer.step()

    @property
    def due(self) -> bool:
        """Whether it is time to finish. Ask when `step` has found nothing more."""
        return self._remuxer.at_end or (self._place / WANTED).exists() or not self._is_mine()

    def finish(self) -> None:
        """Makes what `take` takes. Raises Misplaced and others; then there is nothing to take."""
        try:
            if not self._is_mine():
                raise Taken("somebody has given up waiting for it")
            size = (self._folder / JOURNAL).stat().st_size
            page = json.dumps({"journal": size} | _written(self._remuxer.finish())).encode()
            with SealedWriter(self._place / RESULT, self._keyring, owner=self._owner, data_key=self._data_key) as file:
                file.write(page)
        except BaseException:
            self.let_go()
            raise
        self._remuxer.__exit__()
        self._unlock()

    def let_go(self) -> None:
        """Give up, and leave nothing behind."""
        if self._lock < 0:
            return
        self._remuxer.__exit__()
        if self._is_mine():
            shutil.rmtree(self._place, ignore_errors=True)
        self._unlock()

    def _is_mine(self) -> bool:
        try:
            return os.fstat(self._lock).st_ino == self._place.stat().st_ino
        except FileNotFoundError:
            return False

    def _unlock(self) -> None:
        os.close(self._lock)
        self._lock = -1


def take(folder: Path, keyring: KeyRing, *, patience: float = PATIENCE_S) -> RemuxResult | None:
    """What a follower has made of this recording, moved to where renditions lie; None, with nothing of it left, where
    it has not made everything. Waits for one that is at work, which the end of a call leaves little to do."""
    place = folder / FOLDER
    try:
        (place / WANTED).touch()
    except (FileNotFoundError, NotADirectoryError):
        return None
    until = time.monotonic() + patience
    result = None
    while True:
        try:
            lock = _lock(place)
        except Taken:
            if time.monotonic() > until:
                break  # it hangs: its files go, and what it may yet write with them
            time.sleep(_ASK_EVERY_S)
            continue
        try:
            result = _taken(folder, place, keyring)
        finally:
            os.close(lock)
        break
    discard(folder)
    return result


def discard(folder: Path) -> None:
    """What a follower may have left in a recording's folder."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def _taken(folder: Path, place: Path, keyring: KeyRing) -> RemuxResult | None:
    try:
        with SealedReader(place / RESULT, keyring) as file:
            page = json.loads(file.read())
            owner = file.header.owner
    except (FileNotFoundError, NotSealed, SealBroken, Unfinished, KeyDestroyed, KeyRefused, ValueError):
        return None
    if owner != folder.name or page["journal"] != (folder / JOURNAL).stat().st_size:
        return None
    result = _read(page, place)
    if not all(rendition.path.exists() for rendition in result.renditions):
        return None
    for rendition in result.renditions:
        rendition.path.replace(folder / rendition.path.name)
    container.fsync_folder(folder)
    moved = tuple(replace(rendition, path=folder / rendition.path.name) for rendition in result.renditions)
    return replace(result, renditions=moved)


def _lock(place: Path) -> int:
    place.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(fd).st_ino != place.stat().st_ino:
            raise FileNotFoundError
    except (BlockingIOError, FileNotFoundError):
        os.close(fd)
        raise Taken(f"{place} is somebody else's") from None
    return fd


def _written(result: RemuxResult) -> dict[str, Any]:
    fields = asdict(result)
    for rendition in fields["renditions"]:
        rendition["path"] = rendition["path"].name
    return fields


def _read(page: dict[str, Any], place: Path) -> RemuxResult:
    return RemuxResult(
        Meta(**page["meta"]),
        page["duration_s"],
        page["finished"],
        tuple(
            Rendition(**{**r, "path": place / Path(r["path"]).name, "gaps": tuple(Gap(**gap) for gap in r["gaps"])})
            for r in page["renditions"]
        ),
        tuple(Mark(**mark) for mark in page["marks"]),
        tuple(page["absent"]),
    )
