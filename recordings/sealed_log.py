"""The append-only sealed file under a live recording: short chunks, each whole or absent after a crash.

A frame is a 4-byte word (top bit: the last frame of the file; the rest: length) and one AES-256-GCM chunk
of up to 64 KiB. Its associated data binds the file, the chunk's place and the final bit, so that nothing
can be cut from the middle, put in another order or taken from another file. Because frames vary in
length, `flush` may seal whatever there is once a second; a power cut then costs what was not yet flushed,
and the reader says that the file is unfinished. A log is never reopened for writing and a failed write
ends it: that is what makes the chunk's number a safe nonce.

Apart from the cipher, frames form a hash chain over the *ciphertext* (`walk_chain`), which anyone can
check without a key; the chain's value after any frame is what a proof signs.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recordings import container
from recordings.container import CHUNK_BYTES, HEADER_BYTES, TAG_BYTES, SealBroken
from recordings.keys import KeyRing

_WORD = struct.Struct("!I")
_FINAL = 1 << 31
_PLACE = struct.Struct("!Q?")
_READ_BYTES = 1 << 20


def _associated(digest: bytes, index: int, final: bool) -> bytes:
    return digest + _PLACE.pack(index, final)


class Head(NamedTuple):
    """How far a log has come: what a witness is told while it grows. `size` in bytes."""

    frames: int
    size: int
    chain: bytes


class SealedLogWriter:
    """Not thread-safe: one thread appends, flushes and closes. Any OSError ends the log for good."""

    def __init__(self, path: Path, keyring: KeyRing, *, owner: str, data_key: bytes | None = None) -> None:
        header, self._aead = container.new_header(container.LOG, keyring, owner=owner, data_key=data_key)
        self.path = path
        self.digest = header.digest
        self.chain = header.digest
        self.chunks = 0
        self.bytes = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._write(header.encode())
        os.fsync(self._fd)
        container.fsync_folder(path.parent)

    @property
    def head(self) -> Head:
        return Head(self.chunks, self.bytes, self.chain)

    def append(self, data: bytes) -> None:
        """`data` is never split: after a crash it is there as a whole, or not at all."""
        if len(data) > CHUNK_BYTES:
            raise ValueError(f"{len(data)} bytes do not fit one chunk")
        if self._size + len(data) > CHUNK_BYTES:
            self._seal(final=False)
        self._parts.append(data)
        self._size += len(data)

    def flush(self) -> None:
        """Seal what is pending and return once it is on the disk."""
        if self._size:
            self._seal(final=False)
        os.fdatasync(self._fd)

    def close(self) -> None:
        """Write the final frame (even an empty one): from here on a cut at the end is visible."""
        if self._fd < 0:
            return
        self._seal(final=True)
        os.fsync(self._fd)
        self.abandon()

    def abandon(self) -> None:
        """Let go without finishing, as after a failed write."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _seal(self, *, final: bool) -> None:
        plain = b"".join(self._parts)
        self._parts, self._size = [], 0
        nonce = self.chunks.to_bytes(12, "big")
        sealed = self._aead.encrypt(nonce, plain, _associated(self.digest, self.chunks, final))
        word = _WORD.pack(len(sealed) | (_FINAL if final else 0))
        self.chunks += 1
        chain = hashlib.sha256(self.chain + word)
        chain.update(sealed)
        self.chain = chain.digest()
        self._write(word + sealed)

    def _write(self, data: bytes) -> None:
        if self._fd < 0:
            raise ValueError("the log is closed")
        view = memoryview(data)
        self.bytes += len(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            self.abandon()
            raise


class SealedLogReader:
    """Iterates the chunks. Iterating again goes on where the last pass ended, so that a live log can be
    followed.

    `finished` turns True at the final frame. A frame cut short at the very end (or zeros, which a power
    cut leaves on some file systems) is the mark of a crash and ends the iteration; anything else that
    does not authenticate raises SealBroken.
    """

    def __init__(self, path: Path, keyring: KeyRing) -> None:
        self._file = path.open("rb")
        try:
            self.header = container.decode_header(self._file.read(HEADER_BYTES), kind=container.LOG)
            self._aead: AESGCM = self.header.aead(keyring)
        except BaseException:
            self._file.close()
            raise
        self._digest = self.header.digest
        self._offset = HEADER_BYTES
        self.chunks = 0
        self.finished = False

    def __enter__(self) -> SealedLogReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[bytes]:
        for frame in _frames(self._file, self._offset):
            if self.finished:
                raise SealBroken("there is something after the final chunk")
            associated = _associated(self._digest, self.chunks, frame.final)
            try:
                plain = self._aead.decrypt(self.chunks.to_bytes(12, "big"), frame.sealed, associated)
            except InvalidTag:
                raise SealBroken(f"chunk {self.chunks} was altered, moved or damaged") from None
            self.chunks += 1
            self._offset = frame.end
            self.finished = frame.final
            yield plain
        if self.finished and self._file.seek(0, os.SEEK_END) != self._offset:
            raise SealBroken("there is something after the final chunk")


class Link(NamedTuple):
    """One frame as seen without a key: `chain` covers everything from the header's identity to `end`."""

    number: int
    end: int
    final: bool
    chain: bytes


def walk_chain(path: Path) -> Iterator[Link]:
    with path.open("rb") as file:
        chain = container.decode_header(file.read(HEADER_BYTES), kind=container.LOG).digest
        for number, frame in enumerate(_frames(file, HEADER_BYTES)):
            word = _WORD.pack(len(frame.sealed) | (_FINAL if frame.final else 0))
            chain = hashlib.sha256(chain + word + frame.sealed).digest()
            yield Link(number, frame.end, frame.final, chain)


class _Frame(NamedTuple):
    sealed: bytes
    final: bool
    end: int


def _frames(file: BinaryIO, offset: int) -> Iterator[_Frame]:
    """Whole frames from `offset` on; reads in large blocks, since a long call has tens of thousands of
    frames."""
    buffer, at = b"", 0
    while True:
        file.seek(offset + len(buffer) - at)
        block = file.read(_READ_BYTES)
        if not block:
            return  # what remains is a frame cut short, or zeros
        buffer, at = buffer[at:] + block, 0
        while len(buffer) - at >= 4:
            (word,) = _WORD.unpack_from(buffer, at)
            length = word & ~_FINAL
            if not word and not buffer[at:].strip(b"\0"):
                break  # zeros so far: perhaps a tail that never reached the disk
            if not TAG_BYTES <= length <= CHUNK_BYTES + TAG_BYTES:
                raise SealBroken("a chunk's length was altered")
            end = at + 4 + length
            if end > len(buffer):
                break
            offset += end - at
            yield _Frame(buffer[at + 4 : end], bool(word & _FINAL), offset)
            at = end
