"""Papers on disk: sealed, one key each, in folders of a few hundred. Nothing readable ever touches the disk."""

import os
from dataclasses import dataclass
from pathlib import Path

from core.errors import Fault
from recordings.container import SealBroken
from recordings.keys import KeyRefused, KeyRing
from recordings.sealed import open_bytes, seal_bytes


@dataclass(frozen=True, slots=True)
class FileStore:
    """`limit` is the largest upload in bytes."""

    folder: Path
    keys: KeyRing
    limit: int

    def put(self, file_id: str, data: bytes) -> str:
        """Seal `data` under its id; returns the path relative to the folder. On disk before the row commits.

        Raises Fault without a key to seal with."""
        try:
            sealed = seal_bytes(data, self.keys, owner=file_id)
        except KeyRefused as error:
            raise Fault("This paper can't be kept just now. The technical team has been told.") from error
        path = f"{file_id[-2:]}/{file_id}.sealed"
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = target.with_suffix(".draft")
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        return path

    def get(self, path: str) -> bytes:
        """Raises Fault when the file is missing, altered or not ours to open."""
        try:
            return open_bytes((self.folder / path).read_bytes(), self.keys)
        except (OSError, SealBroken, KeyRefused) as error:
            raise Fault("This paper can't be opened. The technical team has been told.") from error

    def drop(self, path: str) -> None:
        (self.folder / path).unlink(missing_ok=True)
