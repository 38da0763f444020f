"""The live journal: what the media plane writes while a meeting runs, and what the remuxer reads afterwards.

`JournalWriter` is called from an event loop that forwards packets within a millisecond, so `write` only
appends to a queue; one thread a journal seals and syncs twice a second. A disk that fails, stalls or
falls behind never blocks or raises into the call: it shows in `healthy()`, `reason` and
`last_durable_at`, which the watchdog reads, because a recording that fails must be known while the
meeting can still be stopped.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol, cast

from recordings import journal_records as records
from recordings.container import CHUNK_BYTES
from recordings.journal_records import BODY_LIMIT, PACKET, BadRecord, Kind, Mark, Meta, Raw, TrackDeclared
from recordings.keys import KeyRing
from recordings.sealed_log import Head, SealedLogReader, SealedLogWriter

FLUSH_EVERY_S = 0.5
STALLED_AFTER_S = 2.5
HEAD_BYTES = records.HEAD.size
_HEAD = records.HEAD.pack
QUEUE_LIMIT_BYTES = 16 * 1024 * 1024  # half a minute of a busy call; beyond it the disk is as good as gone


class Log(Protocol):
    """What the writer thread needs of a SealedLogWriter; tests put failing disks in its place."""

    @property
    def head(self) -> Head: ...

    def append(self, data: bytes) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def abandon(self) -> None: ...


def open_journal(
    path: Path | str,
    keyring: KeyRing,
    *,
    recording_id: str,
    meeting_id: str,
    started_at: datetime,
    data_key: bytes | None = None,
) -> JournalWriter:
    """Create the journal; when this returns, its metadata is on the disk. Raises OSError (FileExistsError
    too)."""
    if started_at.tzinfo is None:
        raise ValueError("started_at needs a time zone")
    log = SealedLogWriter(Path(path), keyring, owner=recording_id, data_key=data_key)
    log.append(records.encode_meta(Meta(recording_id, meeting_id, started_at.astimezone(UTC).isoformat())))
    log.flush()
    return JournalWriter(log)


class JournalWriter:
    """Call `track`, `write` and `mark` from one thread. `at` is in seconds since the recording's start,
    monotonic."""

    def __init__(
        self,
        log: Log,
        *,
        flush_every: float = FLUSH_EVERY_S,
        stalled_after: float = STALLED_AFTER_S,
        queue_limit: int = QUEUE_LIMIT_BYTES,
    ) -> None:
        self._log = log
        self._flush_every = flush_every
        self._stalled_after = stalled_after
        self._queue_limit = queue_limit
        self._records: list[bytes] = []  # a head and a body each, put in and taken out by one atomic step
        self._queued = 0  # bytes ever queued, counted by the caller's thread
        self._taken = 0  # bytes ever taken out, counted by the writer thread
        self._newest = -1.0
        self._legs: dict[str, int] = {}
        self._declared: set[tuple[str, str]] = set()
        self._dropped = 0  # counted by the caller's thread
        self._confessed = 0  # how many of them a mark in the journal tells of
        self._failure = ""
        self._shut = False  # closed, or the writer has failed
        self._last_durable_at = -1.0
        self._head = log.head
        self._synced = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def track(self, leg: str, participant_id: str, kind: str, codec: str, clock_rate: int, at: float) -> None:
        """Declare a leg before its packets. A leg may carry one track of each kind; a rejoin is a new leg."""
        if kind not in ("audio", "video"):
            raise ValueError(f"a track is audio or video, not {kind!r}")
        if (leg, kind) in self._declared:
            raise ValueError(f"leg {leg} has declared its {kind} already")
        number = self._legs.setdefault(leg, len(self._legs))
        self._declared.add((leg, kind))
        record = records.encode_track(
            TrackDeclared(leg, participant_id, cast(Kind, kind), codec.lower(), clock_rate, number, at)
        )
        self._put(records.TRACK, number, at, record[records.HEAD.size :])

    def write(self, leg: str, at: float, packet: bytes) -> None:
        """Plain RTP, or RTCP with sender reports. Never blocks, never raises."""
        number = self._legs.get(leg)
        size = len(packet)
        if number is None:
            self._fail(f"packet for leg {leg!r}, which was never declared")
        elif size > BODY_LIMIT:
            self._fail(f"packet of {size} bytes")
        elif self._shut or self._queued + size + HEAD_BYTES - self._taken > self._queue_limit:
            self._room(size)  # says why not
        else:
            self._queued += size + HEAD_BYTES
            # bytes() copies only what its owner may reuse
            self._records.extend((_HEAD(PACKET, number, int(at * 1e6 + 0.5) if at > 0 else 0, size), bytes(packet)))
            if at > self._newest:
                self._newest = at

    def mark(self, at: float, kind: str, data: dict[str, Any]) -> None:
        """Raises ValueError or TypeError for data that is not JSON of at most 60 kB."""
        self._put(records.MARK, 0, at, records.encode_mark(Mark(at, kind, data))[records.HEAD.size :])

    def close(self, at: float, *, wait: float = 10.0) -> None:
        """Finish the file. Waits for the disk, so call it in a thread; afterwards `healthy()` tells the outcome."""
        if not self._stop.is_set():
            self._put(records.END, 0, at, b"")
            self._shut = True
            self._stop.set()
        self._thread.join(wait)
        if self._thread.is_alive():
            self._fail("the disk did not finish the file in time")

    def healthy(self) -> bool:
        return not self.reason

    @property
    def reason(self) -> str:
        """Why it is not healthy: a failure is kept for good, a stall only as long as it lasts."""
        if self._failure:
            return self._failure
        silent = time.monotonic() - self._synced
        if self._thread.is_alive() and silent > self._stalled_after:
            return f"the disk has not answered for {silent:.1f} s"
        return ""

    @property
    def last_durable_at(self) -> float:
        """`at` of the latest record that is on the disk with all before it; negative before the first."""
        return self._last_durable_at

    @property
    def head(self) -> Head:
        """The chain up to what is on the disk: whoever keeps it elsewhere can tell later that a tail was cut off."""
        return self._head

    def _put(self, type_: int, number: int, at: float, body: bytes) -> None:
        if self._room(len(body)):
            self._records.extend((records.head(type_, number, at, len(body)), body))
            self._newest = max(self._newest, at)

    def _room(self, size: int) -> bool:
        """Whether the queue takes a record with `size` bytes; what it can't take is counted."""
        if self._shut:
            return False
        queued = self._queued + size + HEAD_BYTES
        if queued - self._taken > self._queue_limit:
            self._dropped += 1
            self._fail("the disk is too slow: packets were lost")
            return False
        self._queued = queued
        return True

    def _fail(self, reason: str) -> None:
        self._failure = self._failure or reason

    def _run(self) -> None:
        try:
            stopping = False
            while not stopping:
                stopping = self._stop.wait(self._flush_every)
                latest = self._drain()
                self._log.flush()
                self._head = self._log.head
                self._last_durable_at = max(self._last_durable_at, latest)
                self._synced = time.monotonic()
            self._log.close()
            self._head = self._log.head
        except Exception as error:  # a full or failing disk; whatever it is, it must not end the call
            self._fail(f"{type(error).__name__}: {error}")
            self._shut = True
            self._records.clear()
            self._log.abandon()

    def _drain(self) -> float:
        """Hands what is there to the log, in pieces of whole records as large as fit; all but the division is done
        in C, since the loop that forwards waits for this thread's every line.
        """
        lost = self._dropped - self._confessed
        latest = self._newest  # before the records are looked at: those that come meanwhile are not covered by it
        waiting = self._records
        count = len(waiting)
        ends = list(accumulate(map(len, waiting[:count])))
        start = begun = 0
        while start < count:
            stop = bisect_right(ends, begun + CHUNK_BYTES) & ~1  # a head and its body stay together
            stop = min(count, max(stop, start + 2))
            self._log.append(b"".join(waiting[start:stop]))
            start, begun = stop, ends[stop - 1]
        del waiting[:count]
        self._taken += begun
        if lost:
            self._confessed += lost
            self._log.append(records.encode_mark(Mark(latest, "journal.lost", {"records": lost})))
        return latest


class JournalReader:
    """Reads a finished or unfinished journal. Iterating again after the end picks up what was appended since.

    Raises SealBroken for a file that was altered, KeyRefused or KeyDestroyed without the key, BadRecord,
    NotSealed.
    """

    def __init__(self, path: Path | str, keyring: KeyRing) -> None:
        self._log = SealedLogReader(Path(path), keyring)
        self._rest: Iterator[Raw] = iter(())
        self.closed_at: float | None = None
        self.last_at = 0.0
        self.legs: dict[int, list[TrackDeclared]] = {}
        self.marks: list[Mark] = []
        try:
            self.meta = self._read_meta()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._log.__exit__()

    @property
    def finished(self) -> bool:
        """True once the end was read. False after a whole iteration: the writer died, or is still writing."""
        return self.closed_at is not None and self._log.finished

    @property
    def duration(self) -> float:
        """Known after a whole iteration: the time of closing, or of the last record of an unfinished journal."""
        return self.last_at if self.closed_at is None else self.closed_at

    def packets(self) -> Iterator[tuple[int, float, bytes]]:
        """(leg number, at, RTP or RTCP). Tracks and marks met on the way are in `legs` and `marks`."""
        for type_, number, at, body in self.raw():
            if type_ == records.PACKET:
                yield number, at, body

    def __iter__(self) -> Iterator[TrackDeclared | Mark | Raw]:
        for raw in self.raw():
            if raw.type == records.TRACK:
                yield self.legs[raw.number][-1]
            elif raw.type == records.MARK:
                yield self.marks[-1]
            else:
                yield raw

    def raw(self) -> Iterator[Raw]:
        for raw in self._records():
            type_, _, at, _ = raw
            if at > self.last_at:
                self.last_at = at
            if type_ != records.PACKET:
                self._note(raw)
            yield raw

    def _records(self) -> Iterator[Raw]:
        yield from self._rest
        for chunk in self._log:
            yield from records.split(chunk)

    def _note(self, raw: Raw) -> None:
        if raw.type == records.TRACK:
            self.legs.setdefault(raw.number, []).append(records.decode_track(raw))
        elif raw.type == records.MARK:
            self.marks.append(records.decode_mark(raw))
        elif raw.type == records.END:
            self.closed_at = raw.at
        else:
            raise BadRecord(f"record of unknown type {raw.type}")

    def _read_meta(self) -> Meta:
        for chunk in self._log:
            self._rest = records.split(chunk)
            for raw in self._rest:
                return records.decode_meta(raw)
        raise BadRecord("the journal is empty")
