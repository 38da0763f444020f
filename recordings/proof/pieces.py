"""A file's hash in pieces: what tells not only that a file was changed, but where.

Piece i is the bytes from i · piece to (i + 1) · piece, the last one shorter. The size of a piece grows with the file,
so that there are never more than 1024: of a gigabyte the place is known to a mebibyte, of a small file to a page.
All is plain SHA-256 (FIPS 180-4) over bytes as they lie, so `sha256sum` and `split` suffice to check it. A sealed
file's key slot is read as zeros: a key may be wrapped anew or destroyed without touching what was signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

LEAST_PIECE = 4096
MOST_PIECES = 1024
_READ_BYTES = 1 << 20

Progress = Callable[[int], None]
"""Told how many more bytes were read."""


def silent(_bytes: int) -> None:
    pass


NOTHING = (0, 0)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hashes in hexadecimal digits, sizes in bytes. `blank` is the range that was read as zeros."""

    size: int
    sha256: str
    piece: int
    pieces: tuple[str, ...]
    blank: tuple[int, int] = NOTHING

    def bounds(self, number: int) -> tuple[int, int]:
        return number * self.piece, min((number + 1) * self.piece, self.size)


def piece_for(size: int) -> int:
    """The smallest power of two from 4096 on that makes at most 1024 pieces."""
    piece = LEAST_PIECE
    while piece * MOST_PIECES < size:
        piece *= 2
    return piece


def take(path: Path, progress: Progress = silent, *, blank: tuple[int, int] = NOTHING) -> Fingerprint:
    """Raises OSError, FileChanged."""
    with path.open("rb") as file:
        size = path.stat().st_size
        piece = piece_for(size)
        whole = hashlib.sha256()

        def seen(block: bytes) -> None:
            whole.update(block)
            progress(len(block))

        pieces = tuple(_hashes(file, piece, size, seen, blank))
        if len(pieces) != _count(size, piece) or file.read(1):
            raise FileChanged(path.name)
    return Fingerprint(size, whole.hexdigest(), piece, pieces, blank)


class FileChanged(Exception):
    """Somebody wrote to the file while it was read: there is nothing to be signed yet."""


def differing(source: BinaryIO, size: int, known: Fingerprint, progress: Progress = silent) -> Iterator[int]:
    """Numbers of the pieces that are whole in `source` (of `size` bytes) and not what they were; missing ones are not
    among them."""
    with source as file:
        end = min(size, known.size)
        if end < known.size:
            end -= end % known.piece  # a piece cut short can't be compared
        found = _hashes(file, known.piece, end, lambda block: progress(len(block)), known.blank)
        for number in range(_count(end, known.piece)):
            if next(found, None) != known.pieces[number]:
                yield number


def _count(size: int, piece: int) -> int:
    return -(-size // piece)


def blanked(block: bytes, at: int, blank: tuple[int, int]) -> bytes:
    """`block`, which lies at `at`, with zeros where it is not looked at."""
    start, end = max(blank[0] - at, 0), min(blank[1] - at, len(block))
    return block[:start] + bytes(end - start) + block[end:] if start < end else block


def _hashes(
    file: BinaryIO, piece: int, end: int, seen: Callable[[bytes], object], blank: tuple[int, int]
) -> Iterator[str]:
    for start in range(0, end, piece):
        state, left = hashlib.sha256(), min(piece, end - start)
        while left:
            block = file.read(min(left, _READ_BYTES))
            if not block:
                return  # shorter than it was a moment ago: whoever counts the pieces sees it
            block = blanked(block, start + min(piece, end - start) - left, blank)
            state.update(block)
            seen(block)
            left -= len(block)
        yield state.hexdigest()
