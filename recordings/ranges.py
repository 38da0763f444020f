"""HTTP ranges over sealed files (RFC 9110 section 14), so that a player can seek without the file ever
lying open.

We answer one range; a request for several is served whole, which section 14.2 allows ("MAY ignore") and
no player we know sends. The edge turns `None` into 200, a `ByteRange` into 206, `Unsatisfiable` into 416.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

BLOCK_BYTES = 256 * 1024

_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t,]*(\d*)[ \t]*-[ \t]*(\d*)[ \t,]*", re.ASCII | re.IGNORECASE)


class ByteRange(NamedTuple):
    """`end` is exclusive, as everywhere in Python; `content_range` writes it inclusive, as HTTP has it."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.end - 1}/{size}"


class Unsatisfiable(Exception):
    """The range lies outside of the file: answer 416 with this Content-Range."""

    def __init__(self, size: int) -> None:
        super().__init__(f"range not satisfiable, the size is {size}")
        self.content_range = f"bytes */{size}"


class Readable(Protocol):
    def read_at(self, offset: int, length: int) -> bytes: ...


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """None when there is no range to obey: no header, another unit, malformed, or several ranges.

    Raises Unsatisfiable.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header and len(header) < 200 else None
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return _suffix(int(last), size)
    if last and int(last) < int(first):
        return None  # section 14.1.1: such a range is invalid, not unsatisfiable
    if int(first) >= size:
        raise Unsatisfiable(size)
    return ByteRange(int(first), min(int(last) + 1, size) if last else size)


def _suffix(length: int, size: int) -> ByteRange:
    if length == 0 or size == 0:
        raise Unsatisfiable(size)
    return ByteRange(max(0, size - length), size)


def read_range(source: Readable, chosen: ByteRange) -> Iterator[bytes]:
    """The range in blocks, so that an hour of video needs a few hundred KiB of memory."""
    at = chosen.start
    while at < chosen.end:
        block = source.read_at(at, min(BLOCK_BYTES, chosen.end - at))
        if not block:
            return
        at += len(block)
        yield block
