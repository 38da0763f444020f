"""Files that lie in the bucket, read as if they lay here.

What stays of a file `x` is `x.away`: its 512-byte header with the key slot, and a line of JSON that says where the rest
is. So keys are wrapped anew and destroyed here and nowhere else. `.bucket` in the recordings folder names the bucket;
neither database nor settings are needed to read.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from core.errors import Fault
from recordings import container
from recordings.container import HEADER_BYTES, KEY_SLOT, SealBroken
from recordings.keys import KeyRing
from recordings.proof.pieces import Progress, blanked, silent
from recordings.sealed import SealedReader
from recordings.storage.bucket import DIFFERS, Bucket, BucketError, Place

SUFFIX = ".away"
PLACE = ".bucket"
BLOCK = 512 * 1024
KEPT_BLOCKS = 96  # 48 MiB of ciphertext for all players of one process
AHEAD = 4  # blocks fetched at once by who reads on


@dataclass(frozen=True, slots=True)
class Away:
    key: str
    version: str
    size: int
    sha256: str
    removed: str = ""  # when, of a destroyed recording: the bucket has it no more


def say_place(recordings: Path, place: Place) -> None:
    """Let every process that reads here know which bucket it is."""
    text = json.dumps(asdict(place), sort_keys=True)
    path = recordings / PLACE
    if not path.exists() or path.read_text() != text:
        recordings.mkdir(parents=True, exist_ok=True)
        _write(path, text.encode())


def bucket_of(recordings: Path) -> Bucket:
    """Raises BucketError where none is named."""
    try:
        return Bucket(Place(**json.loads((recordings / PLACE).read_text())))
    except (FileNotFoundError, ValueError, TypeError):
        raise BucketError("no store is named in the recordings folder") from None


def stub_of(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)


def _behind(stub: Path) -> Path:
    return stub.with_name(stub.name.removesuffix(SUFFIX))


@contextmanager
def alone(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """In a recording's folder only one thread of one process at a time lets files go, brings them back, or writes the
    slots of their keys: a slot is copied from file to stub and back, and must not change hands half-way.

    The lock is the folder's own, so nothing is left behind, and it falls with whoever holds it. Raises BlockingIOError
    where somebody is at it and `wait` is False. Who has it must not ask for it again.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(fd)


def leave(path: Path, away: Away) -> None:
    """Let the local copy go; its header stays. The caller has read the bucket's copy back.

    Raises BlockingIOError while files of the folder are brought back: there is time.
    """
    with alone(path.parent, wait=False):
        _leave(path, stub_of(path), away)


def _leave(path: Path, stub: Path, away: Away) -> None:
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
        container.decode_header(head)
        _write(stub, head + json.dumps(asdict(away)).encode() + b"\n")
        path.unlink()
        container.fsync_folder(path.parent)
        file.seek(0)
        _put_slot(stub, file.read(HEADER_BYTES))  # its key may have been wrapped anew, or destroyed, while we wrote


def read_stub(stub: Path) -> tuple[bytes, Away]:
    """Raises FileNotFoundError, SealBroken."""
    data = stub.read_bytes()
    try:
        return data[:HEADER_BYTES], Away(**json.loads(data[HEADER_BYTES:]))
    except (ValueError, TypeError):
        raise SealBroken(f"{stub.name} was altered") from None


def say_removed(stub: Path, at: str) -> None:
    """The bucket has it no more, and that was meant. Raises FileNotFoundError, SealBroken."""
    head, away = read_stub(stub)
    if not away.removed:
        _write(stub, head + json.dumps(asdict(replace(away, removed=at))).encode() + b"\n")


def is_away(path: Path) -> bool:
    return not path.exists() and stub_of(path).exists()


def open_sealed(path: Path, keyring: KeyRing) -> SealedReader:
    """As `SealedReader(path, …)`, wherever the file lies. Raises Fault too, where the bucket does not answer."""
    try:
        return SealedReader(path, keyring)
    except FileNotFoundError:
        pass
    try:
        head, away = read_stub(stub_of(path))
    except FileNotFoundError:  # it is nowhere, or came back at this very moment
        return SealedReader(path, keyring)
    try:
        remote = Remote(bucket_of(path.parent.parent), away, head)
        return SealedReader.of_source(remote.pread, away.size, keyring)
    except BucketError as error:
        raise Fault("The store of recordings does not answer. Please try again in a moment.") from error


class Remote:
    """Reads of one file in the bucket, in blocks that all readers share; who reads on is read ahead for."""

    def __init__(self, bucket: Bucket, away: Away, head: bytes) -> None:
        self._bucket, self._away, self._head = bucket, away, head
        self._last = -1

    def pread(self, length: int, at: int) -> bytes:
        end = min(at + length, self._away.size)
        if end <= at:
            return b""
        if end <= HEADER_BYTES:
            return self._head[at:end]
        first, last = at // BLOCK, (end - 1) // BLOCK
        data = b"".join(self._block(index) for index in range(first, last + 1))
        part = data[at - first * BLOCK : end - first * BLOCK]
        return part if at >= HEADER_BYTES else self._head[at:] + part[HEADER_BYTES - at :]

    def _block(self, index: int) -> bytes:
        kept = _blocks.get((self._away.key, self._away.version, index))
        if kept is None:
            count = AHEAD if index == self._last + 1 else 1
            start, end = index * BLOCK, min((index + count) * BLOCK, self._away.size)
            data = self._bucket.read(self._away.key, self._away.version, start, end)
            if len(data) != end - start:
                raise BucketError(DIFFERS, self._away.key)
            for number in range(-(-len(data) // BLOCK)):
                block = data[number * BLOCK : (number + 1) * BLOCK]
                _blocks.put((self._away.key, self._away.version, index + number), block)
            kept = data[:BLOCK]
        self._last = index
        return kept


class RawAway(io.RawIOBase):
    """The bytes of a file in the bucket from beginning to end, its key slot as it is here: what a verifier reads."""

    def __init__(self, path: Path) -> None:
        self._head, self.away = read_stub(stub_of(path))
        self._blocks = self._stream(bucket_of(path.parent.parent))
        self._rest = b""
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            block = next(self._blocks, b"")
            if not block:
                return 0
            self._rest = block
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def _stream(self, bucket: Bucket) -> Iterator[bytes]:
        at = 0
        for block in bucket.stream(self.away.key, self.away.version):
            start, end = max(KEY_SLOT[0] - at, 0), min(KEY_SLOT[1] - at, len(block))
            if start < end:
                block = block[:start] + self._head[at + start : at + end] + block[end:]
            at += len(block)
            yield block


def coming(folder: Path, only: str = "") -> int:
    """How many bytes the disk takes when everything (or one file) of a recording comes back."""
    size = 0
    for stub in folder.glob(f"{only or '*'}{SUFFIX}"):
        with suppress(FileNotFoundError):  # somebody has just brought it back
            size += 0 if _behind(stub).exists() else read_stub(stub)[1].size
    return size


def bring_back(
    folder: Path, progress: Progress = silent, *, only: str = "", room: Callable[[int], None] = lambda _bytes: None
) -> list[str]:
    """Every file of a recording that lies in the bucket alone comes back; returns the names of those that we fetched.

    Somebody else may be fetching them too: whoever comes second waits, and finds them here. `room` is told before each
    file how much is still to come, and may raise. Raises BucketError.
    """
    back = []
    for stub in sorted(folder.glob(f"{only or '*'}{SUFFIX}")):
        path = _behind(stub)
        with alone(folder):  # for each file: who needs the journal does not wait for all films
            if not stub.exists():
                continue
            if path.exists():
                stub.unlink()
            else:
                room(coming(folder, only))
                _fetch(path, stub, progress)
                back.append(path.name)
    return back


def _fetch(path: Path, stub: Path, progress: Progress) -> None:
    _, away = read_stub(stub)
    draft = path.with_name(f".{path.name}.unfinished")
    try:
        _download(draft, away, bucket_of(path.parent.parent), progress)
        _copy_slot(stub, draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)  # half a film on a full disk would be in the way of the next try
        raise
    container.fsync_folder(path.parent)
    with stub.open("rb") as file:
        stub.unlink()
        _put_slot(path, file.read(HEADER_BYTES))  # its key may have been destroyed while we were at it


def _download(draft: Path, away: Away, bucket: Bucket, progress: Progress) -> None:
    state, size = hashlib.sha256(), 0
    with draft.open("wb") as out:
        draft.chmod(0o600)
        for block in bucket.stream(away.key, away.version):
            state.update(blanked(block, size, KEY_SLOT))
            size += len(block)
            out.write(block)
            progress(len(block))
        out.flush()
        os.fsync(out.fileno())
    if (size, state.hexdigest()) != (away.size, away.sha256):
        raise BucketError(DIFFERS, away.key)


def _copy_slot(source: Path, target: Path) -> None:
    with source.open("rb") as file:
        _put_slot(target, file.read(HEADER_BYTES))


def _put_slot(target: Path, head: bytes) -> None:
    start, end = KEY_SLOT
    slot = head[start:end]
    fd = os.open(target, os.O_RDWR)
    try:
        if os.pread(fd, end - start, start) != slot:
            os.pwrite(fd, slot, start)
            os.fsync(fd)
    finally:
        os.close(fd)


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.unfinished")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    container.fsync_folder(path.parent)


class _Blocks:
    """Ciphertext that was fetched lately."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str, int]) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple[str, str, int], block: bytes) -> None:
        with self._lock:
            self._kept[key] = block
            while len(self._kept) > KEPT_BLOCKS:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


_blocks = _Blocks()
