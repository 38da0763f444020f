"""What every sealed file has in common: a 512-byte header, and how its key, digest and erasure work.

Two kinds follow the header, described in docs/protocols/recording-format.md: the append-only log
(`sealed_log.py`) and the random-access file (`sealed.py`). The header splits in three: an identity that
never changes and is bound into every chunk, a key slot that may be re-wrapped or destroyed without
touching the media, and a seal over the finished size (random-access files alone).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from recordings.keys import KeyRefused, KeyRing, new_data_key

HEADER_BYTES = 512
CHUNK_BYTES = 64 * 1024
NONCE_BYTES = 12
TAG_BYTES = 16

LOG = 1
FILE = 2

_MAGIC = b"MAJLIS"
_VERSION = 1
_IDENTITY = struct.Struct("!6sBB16sI128p")  # magic, version, kind, file id, chunk size, owner
_SLOT_AT = _IDENTITY.size
_MOST_WRAPPED = 254
_SLOT = struct.Struct(f"!H{_MOST_WRAPPED}s")
SEAL_AT = _SLOT_AT + _SLOT.size
KEY_SLOT = (_SLOT_AT, SEAL_AT)
"""Where the wrapped key lies: the only bytes of a finished file that may ever change."""
SEAL_BYTES = NONCE_BYTES + 8 + 32 + TAG_BYTES


class SealBroken(Exception):
    """The file was altered or damaged: something in it does not authenticate."""


class Unfinished(Exception):
    """The file was never closed by its writer; for a random-access file there is then nothing to trust."""


class NotSealed(Exception):
    """The file is not one of ours, or of a version that we do not know."""


class KeyDestroyed(Exception):
    """The recording was erased: its key slot is empty, and nobody can read the rest."""


@dataclass(frozen=True)
class Header:
    kind: int
    file_id: bytes
    owner: str
    wrapped_key: bytes
    chunk_bytes: int = CHUNK_BYTES
    seal: bytes = bytes(SEAL_BYTES)

    @property
    def identity(self) -> bytes:
        """The part that never changes; its digest starts the hash chain and is bound into every chunk."""
        owner = self.owner.encode()
        return _IDENTITY.pack(_MAGIC, _VERSION, self.kind, self.file_id, self.chunk_bytes, owner)

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.identity).digest()

    def encode(self) -> bytes:
        slot = _SLOT.pack(len(self.wrapped_key), self.wrapped_key)
        return (self.identity + slot + self.seal).ljust(HEADER_BYTES, b"\0")

    def aead(self, keyring: KeyRing) -> AESGCM:
        """The file's own cipher: a key derived from the recording's data key, so that no two files share
        nonces."""
        return _derive(self.data_key(keyring), self)

    def data_key(self, keyring: KeyRing) -> bytes:
        """The recording's key, to seal further files of the same recording with. Raises KeyDestroyed,
        KeyRefused."""
        if not self.wrapped_key:
            raise KeyDestroyed(self.owner)
        return keyring.unwrap(self.wrapped_key, owner=self.owner)


def new_header(kind: int, keyring: KeyRing, *, owner: str, data_key: bytes | None = None) -> tuple[Header, AESGCM]:
    """`data_key` lets the files of one recording share a key (destroying it erases them together)."""
    if not 0 < len(owner.encode()) <= 127:
        raise ValueError("an owner's id has 1 to 127 bytes")
    key = data_key or new_data_key()
    wrapped = keyring.wrap(key, owner=owner)
    if len(wrapped) > _MOST_WRAPPED:
        raise ValueError("the key ring's wrapped key does not fit the header's slot of 254 bytes")
    header = Header(kind, secrets.token_bytes(16), owner, wrapped)
    return header, _derive(key, header)


def decode_header(data: bytes, *, kind: int | None = None) -> Header:
    """Strict: a header that would not be written again byte for byte is refused, so that no flipped bit
    passes."""
    if len(data) < HEADER_BYTES or data[:6] != _MAGIC:
        raise NotSealed("no sealed file")
    _, version, its_kind, file_id, chunk_bytes, owner = _IDENTITY.unpack_from(data)
    if version != _VERSION or (kind is not None and its_kind != kind) or chunk_bytes != CHUNK_BYTES:
        raise NotSealed(f"sealed file of version {version}, kind {its_kind}, which this reader does not know")
    length, slot = _SLOT.unpack_from(data, _SLOT_AT)
    try:
        header = Header(
            its_kind, file_id, owner.decode(), slot[:length], seal=bytes(data[SEAL_AT : SEAL_AT + SEAL_BYTES])
        )
        if header.encode() == data[:HEADER_BYTES] and (its_kind == FILE or header.seal == bytes(SEAL_BYTES)):
            return header
    except UnicodeDecodeError:
        pass
    raise SealBroken("the header was altered")


def read_header(path: Path) -> Header:
    with path.open("rb") as file:
        return decode_header(file.read(HEADER_BYTES))


def key_slot(path: Path) -> bytes | None:
    """The slot as it lies, zeros included; None where the file is not one of ours."""
    try:
        read_header(path)
    except (NotSealed, SealBroken):
        return None
    with path.open("rb") as file:
        return file.read(HEADER_BYTES)[_SLOT_AT:SEAL_AT]


def rewrap(path: Path, old: KeyRing, new: KeyRing) -> None:
    """Wrap the file's data key anew (after rotation `old` and `new` are the same ring); the chunks stay
    as they are. Nothing is written before the new blob has been seen to open. Raises KeyDestroyed, KeyRefused."""
    header = read_header(path)
    data_key = header.data_key(old)
    blob = new.wrap(data_key, owner=header.owner)
    if len(blob) > _MOST_WRAPPED or new.unwrap(blob, owner=header.owner) != data_key:
        raise KeyRefused("what the key ring wrapped does not open")
    _write_slot(path, blob)


def destroy_key(path: Path) -> None:
    """Erasure: the media stays as noise, its hash chain still verifies. Copies of the header elsewhere
    are yours to find."""
    _write_slot(path, b"")


def digest(path: Path) -> bytes:
    """SHA-256 of the file with the key slot left out: needs no key, and survives rotation and erasure."""
    state = hashlib.sha256()
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
        state.update(head[:_SLOT_AT] + head[SEAL_AT:])
        while block := file.read(1 << 20):
            state.update(block)
    return state.digest()


def fsync_folder(path: Path) -> None:
    """A new name is durable only when its folder is."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _derive(data_key: bytes, header: Header) -> AESGCM:
    info = b"majlis sealed file v1" + bytes([header.kind])
    return AESGCM(HKDF(SHA256(), length=32, salt=header.file_id, info=info).derive(data_key))


def _write_slot(path: Path, wrapped: bytes) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(fd, _SLOT.pack(len(wrapped), wrapped), _SLOT_AT)
        os.fsync(fd)
    finally:
        os.close(fd)
