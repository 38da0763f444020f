"""Key-encryption keys: what turns a recording's data key into a blob that may lie beside the recording.

Every sealed file carries its own data key, wrapped. Wrapping binds the owner (the recording's id) as
associated data, so that a blob copied into another recording's file does not open. The blob names the key
that wrapped it: rotation is `FileKeyRing.rotate()` and then `rotation.rewrap_all` over the files, with
no media touched.

A ministry with an HSM writes its own `KeyRing` (two methods); everything else here only knows that interface. The key
that signs manifests stands behind a door of the same shape: `signing.py`.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

DATA_KEY_BYTES = 32
_ID_BYTES = 8
_NONCE_BYTES = 12
_BLOB_BYTES = _ID_BYTES + _NONCE_BYTES + DATA_KEY_BYTES + 16


class KeyRefused(Exception):
    """The wrapped key cannot be opened: unknown key-encryption key, another owner, or a damaged blob."""


class KeyLost(KeyRefused):
    """The file with the key-encryption keys is gone, and what was sealed before needs it."""


class UnsafeKeyFile(Exception):
    """The key file can be read by others than its owner; like ssh, we do not use it."""


class KeyRing(Protocol):
    """`owner` is the recording's id (or an attachment's); it is authenticated, not stored in the blob."""

    def wrap(self, data_key: bytes, *, owner: str) -> bytes: ...

    def unwrap(self, blob: bytes, *, owner: str) -> bytes: ...


def new_data_key() -> bytes:
    return secrets.token_bytes(DATA_KEY_BYTES)


class FileKeyRing:
    """Key-encryption keys in one text file of mode 0600: a line for each, `id key` in hex, the last one
    current.

    Losing the file loses every recording: it belongs in the safe, apart from the media. Where it is missing it is
    created, unless `may_make` says that something needs the one that was there: then nothing is sealed or opened
    (KeyLost) until it is back, which is noticed by itself. A new key made silently would seal what nobody's backup
    opens, and nobody would look for the earlier one.
    """

    def __init__(self, path: Path | str, *, may_make: Callable[[], bool] = lambda: True) -> None:
        self._path = Path(path)
        self._keys: dict[bytes, AESGCM] = {}
        self._current = b""
        self._seen = (0, 0)
        if not self._path.exists() and may_make():
            self._create()
        if self._path.exists():
            self._load()

    @property
    def lost(self) -> bool:
        return not self._path.exists()

    def wrap(self, data_key: bytes, *, owner: str) -> bytes:
        if len(data_key) != DATA_KEY_BYTES:
            raise ValueError(f"a data key has {DATA_KEY_BYTES} bytes, not {len(data_key)}")
        if self.lost or _version(self._path) != self._seen:
            self._load()  # rotated by another process: what is wrapped from now on must not need the older key
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._keys[self._current].encrypt(nonce, data_key, _associated(self._current, owner))
        return self._current + nonce + sealed

    def unwrap(self, blob: bytes, *, owner: str) -> bytes:
        if len(blob) != _BLOB_BYTES:
            raise KeyRefused("not a wrapped key")
        key_id, nonce, sealed = blob[:_ID_BYTES], blob[_ID_BYTES : _ID_BYTES + _NONCE_BYTES], blob[20:]
        if key_id not in self._keys:
            self._load()  # another process may have rotated since
        if key_id not in self._keys:
            raise KeyRefused(f"no key-encryption key {key_id.hex()} in this ring")
        try:
            return self._keys[key_id].decrypt(nonce, sealed, _associated(key_id, owner))
        except InvalidTag:
            raise KeyRefused("the wrapped key belongs to another owner, or is damaged") from None

    def is_current(self, blob: bytes) -> bool:
        """False for a blob wrapped by an older key: such a file is due for `container.rewrap`."""
        return blob[:_ID_BYTES] == self._current

    def rotate(self) -> None:
        """Add a new key and make it current; the older ones stay, to open what they wrapped."""
        replace_private(self._path, self._text() + _new_line())
        self._load()

    def drop_older(self) -> int:
        """Keep the current key alone; returns how many went. What they still wrap, backups too, is lost with them."""
        lines = [line for line in self._text().splitlines() if line.strip()]
        replace_private(self._path, lines[-1] + "\n")
        self._load()
        return len(lines) - 1

    def _create(self) -> None:
        create_private(self._path, _new_line())

    def _text(self) -> str:
        try:
            refuse_open_to_others(self._path)
            return self._path.read_text()
        except FileNotFoundError:
            raise KeyLost(f"{self._path} is gone") from None

    def _load(self) -> None:
        seen = (0, 0) if self.lost else _version(self._path)
        pairs = list(_parse(self._text()))
        if not pairs:
            raise KeyRefused(f"{self._path} holds no key")
        self._keys = {key_id: AESGCM(key) for key_id, key in pairs}
        self._current, self._seen = pairs[-1][0], seen


def _version(path: Path) -> tuple[int, int]:
    """Another one after each `replace_private`."""
    stat_ = path.stat()
    return stat_.st_ino, stat_.st_mtime_ns


def _associated(key_id: bytes, owner: str) -> bytes:
    return b"majlis data key\0" + key_id + owner.encode()


def _new_line() -> str:
    return f"{secrets.token_hex(_ID_BYTES)} {secrets.token_hex(DATA_KEY_BYTES)}\n"


def _parse(text: str) -> Iterator[tuple[bytes, bytes]]:
    for line in text.splitlines():
        if line.strip():
            key_id, key = (bytes.fromhex(part) for part in line.split())
            if len(key_id) != _ID_BYTES or len(key) != DATA_KEY_BYTES:
                raise KeyRefused("malformed key file")
            yield key_id, key


def write_private(path: Path, text: str) -> None:
    """A new file of mode 0600, on the disk when this returns. Raises FileExistsError."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def create_private(path: Path, text: str) -> None:
    """Of two processes that start at once, the first one's file stands, and both use it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_private(draft, text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def refuse_open_to_others(path: Path) -> None:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnsafeKeyFile(f"{path} must be readable by its owner alone (chmod 600)")


def replace_private(path: Path, text: str) -> None:
    """Readers see the old file or the new one, never half of it. On the disk when this returns: what a new key wraps
    must not outlive it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_private(draft, text)
    draft.replace(path)
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
