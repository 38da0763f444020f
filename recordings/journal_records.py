"""The records in a live journal, as bytes: described in docs/protocols/recording-format.md.

A record is 13 bytes (type, leg number, microseconds since the recording's start, length) and its body.
Records are never split between chunks of the sealed log, so a crash leaves whole records only.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

HEAD = struct.Struct("!BHQH")
BODY_LIMIT = 60_000

META = 0
TRACK = 1
PACKET = 2
MARK = 3
END = 4

Kind = Literal["audio", "video"]


class BadRecord(Exception):
    """The journal authenticates, yet its content makes no sense: written by another version, or by a
    faulty one."""


@dataclass(frozen=True)
class Meta:
    recording_id: str
    meeting_id: str
    started_at: str  # ISO 8601, UTC: the wall clock at t = 0
    version: int = 1


@dataclass(frozen=True)
class TrackDeclared:
    leg: str
    participant_id: str
    kind: Kind
    codec: str
    clock_rate: int
    number: int = 0
    at: float = 0.0


@dataclass(frozen=True)
class Mark:
    """Something that a viewer may want to jump to, or that explains the recording (joined, left,
    directive, alarm)."""

    at: float
    kind: str
    data: dict[str, Any]


class Raw(NamedTuple):
    """A record before its body is looked at; `at` in seconds."""

    type: int
    number: int
    at: float
    body: bytes


def head(type_: int, number: int, at: float, size: int) -> bytes:
    return HEAD.pack(type_, number, max(0, round(at * 1e6)), size)


def encode(type_: int, number: int, at: float, body: bytes) -> bytes:
    return head(type_, number, at, len(body)) + body


def encode_json(type_: int, number: int, at: float, value: dict[str, Any]) -> bytes:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > BODY_LIMIT:
        raise ValueError(f"a record of {len(body)} bytes is longer than {BODY_LIMIT}")
    return encode(type_, number, at, body)


def encode_meta(meta: Meta) -> bytes:
    return encode_json(META, 0, 0.0, asdict(meta))


def encode_track(track: TrackDeclared) -> bytes:
    fields = asdict(track)
    del fields["number"], fields["at"]
    return encode_json(TRACK, track.number, track.at, fields)


def encode_mark(mark: Mark) -> bytes:
    return encode_json(MARK, 0, mark.at, {"kind": mark.kind, "data": mark.data})


def split(chunk: bytes) -> Iterator[Raw]:
    offset, size, head = 0, len(chunk), HEAD.size
    unpack = HEAD.unpack_from
    while offset < size:
        if offset + head > size:
            raise BadRecord("a record is cut short inside its chunk")
        type_, number, at, length = unpack(chunk, offset)
        offset += head + length
        if offset > size:
            raise BadRecord("a record is cut short inside its chunk")
        yield Raw(type_, number, at / 1e6, chunk[offset - length : offset])


def decode_meta(raw: Raw) -> Meta:
    if raw.type != META:
        raise BadRecord("the journal does not begin with its metadata")
    return Meta(**_fields(raw))


def decode_track(raw: Raw) -> TrackDeclared:
    return TrackDeclared(**_fields(raw), number=raw.number, at=raw.at)


def decode_mark(raw: Raw) -> Mark:
    return Mark(raw.at, **_fields(raw))


def _fields(raw: Raw) -> dict[str, Any]:
    try:
        value = json.loads(raw.body)
    except ValueError:
        raise BadRecord("a record's fields are not JSON") from None
    if not isinstance(value, dict):
        raise BadRecord("a record's fields are not an object")
    return value
