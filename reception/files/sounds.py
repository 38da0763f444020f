"""A dictated note: one voice, written anew as Opus, without pictures, chapters, names or places. Bytes to bytes."""

import io
from typing import Any

import av

from core.errors import Mistake
from reception.files.rules import MAX_NOTE_S, SOUND, Paper, damaged, kind, safe_name, titled

CONTAINERS = {
    "video/webm": "matroska", "audio/webm": "matroska", "video/x-matroska": "matroska", "audio/x-matroska": "matroska",
    "audio/ogg": "ogg", "video/ogg": "ogg", "application/ogg": "ogg",
    "video/mp4": "mp4", "audio/mp4": "mp4", "audio/x-m4a": "mp4", "video/quicktime": "mp4",
    "audio/x-wav": "wav", "audio/wav": "wav", "audio/vnd.wave": "wav",
}  # fmt: skip
_RATE, _BITS = 48_000, 24_000


def note(name: str, data: bytes, *, limit: int) -> Paper:
    """The harmless copy of what a browser recorded; `pages` is its length in seconds. Raises Mistake."""
    shown = safe_name(name)
    container = CONTAINERS.get(kind(shown, data, limit=limit))
    if container is None:
        raise Mistake("“{name}” is no sound recording. Please record the note again.", field="files", name=shown)
    try:
        made, seconds = _again(data, container)
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise damaged(shown) from error
    if not seconds:
        raise Mistake("Nothing was recorded. Please look at the microphone and record again.", field="files")
    if seconds > MAX_NOTE_S:
        raise Mistake("A dictated note has {max} minutes at most.", field="files", max=MAX_NOTE_S // 60)
    return Paper(titled(shown, SOUND), SOUND, made, round(seconds) or 1)


def _again(data: bytes, container: str) -> tuple[bytes, float]:
    out = io.BytesIO()
    samples = 0
    with av.open(io.BytesIO(data), format=container) as source, av.open(out, "w", format="webm") as target:
        voice = source.streams.audio[0]
        stream: Any = target.add_stream("libopus", rate=_RATE, layout="mono")
        stream.bit_rate = _BITS
        even = av.AudioResampler("s16", "mono", _RATE, frame_size=_RATE // 50)
        for frame in source.decode(voice):
            frame.pts = None
            for part in even.resample(frame):
                samples = _put(target, stream, part, samples)
            if samples > (MAX_NOTE_S + 1) * _RATE:
                break
        for part in even.resample(None):
            samples = _put(target, stream, part, samples)
        target.mux(stream.encode(None))
    return out.getvalue(), samples / _RATE


def _put(target: Any, stream: Any, part: Any, samples: int) -> int:
    part.pts = samples
    target.mux(stream.encode(part))
    return samples + int(part.samples)
