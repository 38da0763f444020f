"""Random-access sealed files, for renditions and attachments: what is on the disk is never readable as media.

Fixed chunks of 64 KiB, each with its own random nonce, so that a chunk may be rewritten (a muxer goes
back to write duration and index). Closing appends a table of all chunks' tags and seals size and table in
the header: a file cut short, or a chunk put back in an older version, is therefore found on opening or
reading. A file that was not closed does not open. Writing goes to `<name>.unfinished`, renamed on close.

Both classes are plain file objects (read, write, seek, tell), which PyAV accepts.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import secrets
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recordings import container
from recordings.container import (
    CHUNK_BYTES,
    HEADER_BYTES,
    NONCE_BYTES,
    SEAL_AT,
    SEAL_BYTES,
    TAG_BYTES,
    Header,
    SealBroken,
    Unfinished,
)
from recordings.keys import KeyRing

_SLOT_BYTES = NONCE_BYTES + CHUNK_BYTES + TAG_BYTES
_OVERHEAD = NONCE_BYTES + TAG_BYTES
_KEPT_CHUNKS = 4
_SIZE = struct.Struct("!Q")


def _associated(digest: bytes, index: int) -> bytes:
    return digest + _SIZE.pack(index)


def _encrypt(aead: AESGCM, digest: bytes, index: int, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + aead.encrypt(nonce, plain, _associated(digest, index))


def _decrypt(aead: AESGCM, digest: bytes, index: int, slot: bytes) -> bytes:
    try:
        return aead.decrypt(slot[:NONCE_BYTES], slot[NONCE_BYTES:], _associated(digest, index))
    except (InvalidTag, ValueError):
        raise SealBroken(f"chunk {index} was altered, moved or damaged") from None


def _chunk_count(size: int) -> int:
    return -(-size // CHUNK_BYTES)


def _seal_size(aead: AESGCM, digest: bytes, size: int, tags: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + aead.encrypt(nonce, _SIZE.pack(size) + hashlib.sha256(tags).digest(), digest + b"size")


def _put(fd: int, data: bytes, at: int) -> None:
    """All of it: a disk that fills up takes a part first and says so only at the next write."""
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, at)
        view, at = view[done:], at + done


def _open_alone(draft: Path) -> int:
    """An empty draft, locked: what a crash left behind is taken over, what another process writes is not."""
    fd = os.open(draft, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not draft.exists() or os.fstat(fd).st_ino != draft.stat().st_ino:
            raise BlockingIOError(f"{draft} was finished by another process just now")
        os.ftruncate(fd, 0)
    except BaseException:
        os.close(fd)
        raise
    return fd


class SealedWriter:
    """Leaving the `with` block by an exception discards the file; leaving it normally finishes and renames it.

    Raises BlockingIOError while another writer is at work on the same file.
    """

    def __init__(self, path: Path, keyring: KeyRing, *, owner: str, data_key: bytes | None = None) -> None:
        self._header, self._aead = container.new_header(container.FILE, keyring, owner=owner, data_key=data_key)
        self._digest = self._header.digest
        self.path = path
        self._draft = path.with_name(path.name + ".unfinished")
        self._fd = _open_alone(self._draft)
        _put(self._fd, self._header.encode(), 0)
        self._tags: list[bytes] = []
        self._position = 0
        self._size = 0
        self._index = 0  # the chunk held in clear, in memory alone
        self._chunk = bytearray()
        self._dirty = False

    def __enter__(self) -> SealedWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    @property
    def closed(self) -> bool:
        return self._fd < 0

    @property
    def name(self) -> str:
        return str(self.path)

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("negative position")
        self._position = base + offset
        return self._position

    def write(self, data: bytes | bytearray | memoryview) -> int:
        if self._fd < 0:
            raise ValueError("the sealed file is closed")
        view = memoryview(data).cast("B")
        if view and self._position > self._size:
            self._fill_with_zeros()
        total = len(view)
        while view:
            index, start = divmod(self._position, CHUNK_BYTES)
            self._hold(index)
            part = view[: CHUNK_BYTES - start]
            self._chunk[start : start + len(part)] = part
            self._dirty = True
            self._position += len(part)
            self._size = max(self._size, self._position)
            view = view[len(part) :]
        return total

    def flush(self) -> None:
        """Chunks go out when they are left; there is nothing to gain from sealing a half one twice."""

    def close(self) -> None:
        if self._fd < 0:
            return
        self._release()
        tags = b"".join(self._tags)
        _put(self._fd, tags, HEADER_BYTES + self._size + len(self._tags) * _OVERHEAD)
        os.fsync(self._fd)  # the chunks first: a seal on the disk means that all of it is
        _put(self._fd, _seal_size(self._aead, self._digest, self._size, tags), SEAL_AT)
        os.fsync(self._fd)
        self._draft.replace(self.path)
        container.fsync_folder(self.path.parent)
        self._let_go()

    def discard(self) -> None:
        if self._fd >= 0:
            self._draft.unlink(missing_ok=True)
            self._let_go()

    def _let_go(self) -> None:
        os.close(self._fd)
        self._fd = -1
        self._chunk = bytearray()

    def _fill_with_zeros(self) -> None:
        target, self._position = self._position, self._size
        while self._position < target:
            self.write(bytes(min(CHUNK_BYTES, target - self._position)))

    def _hold(self, index: int) -> None:
        if index == self._index:
            return
        self._release()
        self._index = index
        if index < len(self._tags):
            slot = os.pread(self._fd, self._slot_bytes(index), HEADER_BYTES + index * _SLOT_BYTES)
            self._chunk = bytearray(_decrypt(self._aead, self._digest, index, slot))
        else:
            self._chunk = bytearray()

    def _release(self) -> None:
        if not self._dirty:
            return
        slot = _encrypt(self._aead, self._digest, self._index, bytes(self._chunk))
        _put(self._fd, slot, HEADER_BYTES + self._index * _SLOT_BYTES)
        self._tags[self._index : self._index + 1] = [slot[-TAG_BYTES:]]
        self._dirty = False

    def _slot_bytes(self, index: int) -> int:
        return min(CHUNK_BYTES, self._size - index * CHUNK_BYTES) + _OVERHEAD


class SealedReader:
    """`read_at` for serving ranges, `read`/`seek`/`tell` for PyAV. Not thread-safe: open one for each
    request."""

    def __init__(self, path: Path, keyring: KeyRing) -> None:
        self._fd = os.open(path, os.O_RDONLY)
        try:
            self._open(lambda length, at: os.pread(self._fd, length, at), os.fstat(self._fd).st_size, keyring)
        except BaseException:
            self.close()
            raise

    @classmethod
    def of_bytes(cls, sealed: bytes, keyring: KeyRing) -> SealedReader:
        return cls.of_source(lambda length, at: sealed[at : at + length], len(sealed), keyring)

    @classmethod
    def of_source(cls, pread: Callable[[int, int], bytes], size: int, keyring: KeyRing) -> SealedReader:
        """`pread(length, at)` gives out the sealed bytes, wherever they lie."""
        reader = cls.__new__(cls)
        reader._fd = -1
        reader._open(pread, size, keyring)
        return reader

    def _open(self, pread: Callable[[int, int], bytes], disk_size: int, keyring: KeyRing) -> None:
        self._pread = pread
        self.header: Header = container.decode_header(pread(HEADER_BYTES, 0), kind=container.FILE)
        if self.header.seal == bytes(SEAL_BYTES):
            raise Unfinished(f"{self.header.owner}: this file was never closed")
        self._aead = self.header.aead(keyring)
        self._digest = self.header.digest
        seal = self.header.seal
        try:
            plain = self._aead.decrypt(seal[:NONCE_BYTES], seal[NONCE_BYTES:], self._digest + b"size")
        except InvalidTag:
            raise SealBroken("the seal over size and chunks was altered") from None
        (self.size,) = _SIZE.unpack_from(plain)
        chunks = _chunk_count(self.size)
        table_at = HEADER_BYTES + self.size + chunks * _OVERHEAD
        if disk_size != table_at + chunks * TAG_BYTES:
            raise SealBroken("the file was cut or lengthened")
        self._tags = pread(chunks * TAG_BYTES, table_at)
        if hashlib.sha256(self._tags).digest() != plain[_SIZE.size :]:
            raise SealBroken("the table of chunks was altered")
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._position = 0

    def __enter__(self) -> SealedReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def name(self) -> str:
        return self.header.owner

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("negative position")
        self._position = base + offset
        return self._position

    def read(self, length: int = -1) -> bytes:
        rest = max(0, self.size - self._position)
        data = self.read_at(self._position, rest if length < 0 else min(length, rest))
        self._position += len(data)
        return data

    def read_at(self, offset: int, length: int) -> bytes:
        """Like os.pread: fewer bytes at the end of the file, none after it."""
        end = min(offset + length, self.size)
        if offset >= end:
            return b""
        first, last = offset // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
        if first == last:
            return self._chunk(first)[offset - first * CHUNK_BYTES : end - first * CHUNK_BYTES]
        joined = b"".join([self._chunk(index) for index in range(first, last + 1)])
        return joined[offset - first * CHUNK_BYTES : end - first * CHUNK_BYTES]

    def _chunk(self, index: int) -> bytes:
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        length = min(CHUNK_BYTES, self.size - index * CHUNK_BYTES) + _OVERHEAD
        slot = self._pread(length, HEADER_BYTES + index * _SLOT_BYTES)
        if slot[-TAG_BYTES:] != self._tags[index * TAG_BYTES : (index + 1) * TAG_BYTES]:
            raise SealBroken(f"chunk {index} is not the one that was sealed last")
        plain = _decrypt(self._aead, self._digest, index, slot)
        self._kept[index] = plain
        if len(self._kept) > _KEPT_CHUNKS:
            self._kept.popitem(last=False)
        return plain


def seal_bytes(data: bytes, keyring: KeyRing, *, owner: str, data_key: bytes | None = None) -> bytes:
    """The same format in memory, for attachments: written to a file it opens with SealedReader."""
    header, aead = container.new_header(container.FILE, keyring, owner=owner, data_key=data_key)
    digest = header.digest
    slots = [
        _encrypt(aead, digest, index, data[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES])
        for index in range(_chunk_count(len(data)))
    ]
    tags = b"".join(slot[-TAG_BYTES:] for slot in slots)
    out = io.BytesIO(header.encode())
    out.seek(SEAL_AT)
    out.write(_seal_size(aead, digest, len(data), tags))
    out.seek(HEADER_BYTES)
    out.writelines(slots)
    out.write(tags)
    return out.getvalue()


def open_bytes(sealed: bytes, keyring: KeyRing) -> bytes:
    return SealedReader.of_bytes(sealed, keyring).read()
