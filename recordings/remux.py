"""A journal becomes one sealed WebM for every participant, all on the recording's timeline: copied, never
decoded.

Two readers go over the journal, both streaming: one ahead, which learns the clocks (see `rtp_clock`), and one behind,
which orders, joins and writes. A finished journal is read to its end by the first before the second begins (`remux`);
a live one is followed by both, the second `LAG_S` behind (`recordings/follow.py`). An hour's call never needs more
memory than some twenty seconds of it. What the journal holds in clear is only ever in memory: renditions go through
SealedWriter, under the journal's own data key.

An unfinished journal (the media process died) is remuxed as far as it goes; an altered one raises SealBroken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf
from pathlib import Path

from recordings import container, rtp, rtp_clock
from recordings.journal import JournalReader
from recordings.journal_records import Mark, Meta
from recordings.keys import KeyRing
from recordings.rtp_clock import Trail
from recordings.sealed import SealedWriter
from recordings.streams import Feed, Stream, Streams, Survey
from recordings.timeline import Gap, Timeline
from recordings.webm import WebmWriter

Opener = Callable[[str], SealedWriter]  # participant id → where the rendition goes

LAG_S = 20.0  # how much of a stream and its sender's reports is known before any of it is placed
SLICE_S = 10.0  # of the journal, taken at a time: some 30 ms of work
LEARN_EVERY_S = 10.0  # of the journal; shorter than LAG_S, or a stream would be placed before it was aligned
MOST_OFF_S = 0.5  # what was placed while the call went on may be so far from where its end would place it …
MOST_APART_S = 0.04  # … and lips and voice so far from each other


class Misplaced(Exception):
    """What a live journal seemed to be was wrong, as its end shows: it has to be remuxed as a whole."""


@dataclass(frozen=True)
class Rendition:
    """`width` and `height` are of the largest picture; seeking is as fine as `longest_keyframe_distance_s`."""

    participant_id: str
    path: Path
    duration_s: float
    width: int
    height: int
    has_audio: bool
    has_video: bool
    gaps: tuple[Gap, ...]
    longest_keyframe_distance_s: float


@dataclass(frozen=True)
class RemuxResult:
    """`absent` are participants who were declared and never heard or seen: they have no rendition."""

    meta: Meta
    duration_s: float
    finished: bool
    renditions: tuple[Rendition, ...]
    marks: tuple[Mark, ...]
    absent: tuple[str, ...]


def remux(
    journal_path: Path | str,
    keyring: KeyRing,
    *,
    out_dir: Path | str | None = None,
    opener: Opener | None = None,
) -> RemuxResult:
    """Give `out_dir` (files are named after the participant), or an `opener`. Blocking, CPU-bound: run it
    in a worker process. On any error the drafts are removed. Raises SealBroken, KeyDestroyed, KeyRefused,
    BadRecord, OSError."""
    with Remuxer(journal_path, keyring, out_dir=out_dir, opener=opener, lag=inf) as remuxer:
        while remuxer.step():
            pass
        return remuxer.finish()


class Remuxer:
    """`step` until it has come to the end of what there is, again later where the journal is live, then `finish`.

    Leaving the `with` block before `finish` has returned removes the drafts.
    """

    def __init__(
        self,
        journal_path: Path | str,
        keyring: KeyRing,
        *,
        out_dir: Path | str | None = None,
        opener: Opener | None = None,
        lag: float = LAG_S,
    ) -> None:
        self._journal, self._lag = Path(journal_path), lag
        self._readers = ExitStack()
        self._sinks: dict[str, SealedWriter] = {}
        self._timelines: dict[str, Timeline] = {}
        self._trails: dict[str, Trail] = {}
        self._learn_at = 0.0
        self._tick_at = 0.0
        with self._readers as readers:
            self._reader = readers.enter_context(JournalReader(self._journal, keyring))
            self._feed = Feed(readers.enter_context(JournalReader(self._journal, keyring)))
            self._survey = Survey(self._reader)
            self._streams = Streams(self._survey)
            self._open = opener or self._in_folder(keyring, Path(out_dir or self._journal.parent))
            self._readers = readers.pop_all()

    def __enter__(self) -> Remuxer:
        return self

    def __exit__(self, *_: object) -> None:
        self._readers.close()
        for sink in self._sinks.values():
            sink.discard()  # nothing, where it was closed

    @property
    def at_end(self) -> bool:
        """Whether the journal's last record was read."""
        return self._reader.finished

    def step(self) -> bool:
        """A slice of the journal further; False where there is no more (yet)."""
        more = self._survey.read(SLICE_S)
        if self._survey.at >= self._learn_at and self._lag < inf:
            self._learn_at = self._survey.at + LEARN_EVERY_S
            self._learn()
        self._replay(self._survey.at - self._lag)
        return more

    def finish(self) -> RemuxResult:
        """The rest, up to where the journal ends now. Raises Misplaced, after which `remux` will do better."""
        while self._survey.read(SLICE_S):
            pass
        self._learn()
        self._replay(self._survey.at)
        for stream in self._streams:
            if stream.timeline is not None:
                stream.flush()
        self._judge()
        duration = self._reader.duration
        for timeline in self._timelines.values():
            timeline.finish(duration)
        everyone = self._everyone()
        present = [participant for participant in everyone if participant in self._timelines]
        for participant in present:
            self._sinks[participant].close()
        return RemuxResult(
            self._reader.meta,
            duration,
            self._reader.finished,
            tuple(_describe(p, self._sinks[p].path, self._timelines[p]) for p in present),
            tuple(self._reader.marks),
            tuple(participant for participant in everyone if participant not in self._timelines),
        )

    def _learn(self) -> None:
        self._streams.choose()
        for participant, streams in self._streams.by_participant().items():
            clocks = [stream.clock for stream in streams]
            self._trails.setdefault(participant, Trail()).note(clocks)
            rtp_clock.align(clocks)

    def _judge(self) -> None:
        if self._streams.misjudged():
            raise Misplaced("a stream was taken for another")
        for participant, trail in self._trails.items():
            off, apart = trail.worst()
            if off > MOST_OFF_S or apart > MOST_APART_S:
                raise Misplaced(f"{participant}: {off:.3f} s off, sound and picture {apart:.3f} s apart")

    def _replay(self, limit: float) -> None:
        unpack = rtp.unpack_header
        begun: dict[tuple[int, int], Stream | None] = {}
        for number, at, packet in self._feed.until(limit):
            if len(packet) < rtp.HEADER_BYTES:
                continue
            _, second, sequence, timestamp, ssrc = unpack(packet)
            if 192 <= second <= 223:
                continue
            key = number, ssrc
            try:
                stream = begun[key]
            except KeyError:
                stream = begun[key] = self._begin(key)
            if stream is None:
                continue
            stream.push(second, sequence, timestamp, at, packet)
            if at >= self._tick_at:
                self._tick(at)

    def _begin(self, key: tuple[int, int]) -> Stream | None:
        stream = self._streams.begin(key)
        if stream is not None and stream.timeline is None:
            participant = stream.track.participant_id
            if participant not in self._timelines:
                self._sinks[participant] = self._open(participant)
                self._timelines[participant] = Timeline(WebmWriter(self._sinks[participant]))
            stream.timeline = self._timelines[participant]
        return stream

    def _tick(self, now: float) -> None:
        """About once a second of the journal."""
        self._tick_at = now + 1.0
        for stream in self._streams:
            if stream.timeline is not None:
                stream.expire(now)
        for timeline in self._timelines.values():
            timeline.advance(now)

    def _everyone(self) -> list[str]:
        """All who were declared, in that order."""
        return list({track.participant_id: None for tracks in self._reader.legs.values() for track in tracks})

    def _in_folder(self, keyring: KeyRing, folder: Path) -> Opener:
        header = container.read_header(self._journal)
        data_key = header.data_key(keyring)
        folder.mkdir(parents=True, exist_ok=True)

        def open_sink(participant: str) -> SealedWriter:
            name = re.sub(r"[^A-Za-z0-9-]+", "_", participant)[:60]
            path = folder / f"{self._everyone().index(participant) + 1:02d}-{name}.webm.sealed"
            return SealedWriter(path, keyring, owner=header.owner, data_key=data_key)

        return open_sink


def _describe(participant: str, path: Path, timeline: Timeline) -> Rendition:
    return Rendition(
        participant,
        path,
        timeline.duration,
        timeline.width,
        timeline.height,
        has_audio=timeline.packets > 0,
        has_video=timeline.frames > 0,
        gaps=tuple(timeline.gaps),
        longest_keyframe_distance_s=round(timeline.longest_keyframe_distance, 3),
    )
