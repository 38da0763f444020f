"""A journal becomes one sealed WebM for every participant, all on the recording's timeline: copied, never
decoded.

Two passes over the journal, both streaming: the first learns the clocks (see `rtp_clock`), the second
orders, joins and writes. An hour's call never needs more memory than some twenty seconds of it. What the
journal holds in clear is only ever in memory: renditions go through SealedWriter, under the journal's own
data key.

An unfinished journal (the media process died) is remuxed as far as it goes; an altered one raises SealBroken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from recordings import container, streams
from recordings.journal import JournalReader
from recordings.journal_records import Mark, Meta
from recordings.keys import KeyRing
from recordings.sealed import SealedWriter
from recordings.timeline import Gap, Timeline
from recordings.webm import WebmWriter

Opener = Callable[[str], SealedWriter]  # participant id → where the rendition goes


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
    journal_path = Path(journal_path)
    with JournalReader(journal_path, keyring) as reader:
        plan = streams.survey(reader)
        duration, finished = reader.duration, reader.finished
        meta, marks = reader.meta, tuple(reader.marks)
        everyone = {track.participant_id: None for tracks in reader.legs.values() for track in tracks}
    present = [p for p in everyone if any(s.track.participant_id == p for s in plan.values())]
    open_sink = opener or _in_folder(journal_path, keyring, Path(out_dir or journal_path.parent), present)

    with ExitStack() as stack:
        sinks = {p: stack.enter_context(open_sink(p)) for p in present}
        timelines = {p: Timeline(WebmWriter(sinks[p], video=_has(plan, p, "video")), duration) for p in present}
        for stream in plan.values():
            stream.timeline = timelines[stream.track.participant_id]
        reader = stack.enter_context(JournalReader(journal_path, keyring))
        streams.replay(reader, plan, lambda now: _advance(timelines, now))
        for timeline in timelines.values():
            timeline.finish()
    renditions = tuple(_describe(p, sinks[p].path, timelines[p]) for p in present)
    absent = tuple(p for p in everyone if p not in present)
    return RemuxResult(meta, duration, finished, renditions, marks, absent)


def _advance(timelines: dict[str, Timeline], now: float) -> None:
    for timeline in timelines.values():
        timeline.advance(now)


def _has(plan: dict[streams.Key, streams.Stream], participant: str, kind: str) -> bool:
    return any(s.track.participant_id == participant and s.track.kind == kind for s in plan.values())


def _in_folder(journal: Path, keyring: KeyRing, folder: Path, present: list[str]) -> Opener:
    header = container.read_header(journal)
    data_key = header.data_key(keyring)
    folder.mkdir(parents=True, exist_ok=True)

    def open_sink(participant: str) -> SealedWriter:
        name = re.sub(r"[^A-Za-z0-9-]+", "_", participant)[:60]
        path = folder / f"{present.index(participant) + 1:02d}-{name}.webm.sealed"
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
