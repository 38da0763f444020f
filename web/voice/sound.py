"""Sound as samples: read from any file, freed of silence, brought to one loudness, written small."""

import io
from array import array
from collections.abc import Iterable
from math import log10, sqrt
from operator import mul
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

RATE = 24_000
Samples = array  # of "h": signed 16 bits, one channel

_FULL = 32767
_FRAME = RATE // 50  # 20 ms
_SILENT = 0.012 * _FULL  # about −38 dBFS
_LOUDNESS_DBFS = -19.0  # of the voiced parts
_PEAK = 0.84 * _FULL  # −1.5 dBFS
_MOST_SECONDS = 12
_BIT_RATE = 48_000


class BadSound(Exception):
    """A file that holds no sound we can read."""


def read(source: Path | bytes) -> "Samples[int]":
    """The first seconds of a sound in any format. Raises BadSound."""
    samples: Samples[int] = array("h")
    try:
        with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source), "r") as container:
            if not container.streams.audio:
                raise BadSound("no sound in it")
            resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
            for frame in container.decode(audio=0):
                _take(samples, resampler.resample(frame))
                if len(samples) > _MOST_SECONDS * RATE:
                    raise BadSound(f"longer than {_MOST_SECONDS} s")
            _take(samples, resampler.resample(None))
    except (FFmpegError, OSError, ValueError) as error:
        raise BadSound(str(error)) from error
    if loudness(samples) is None:
        raise BadSound("silence")
    return samples


def trimmed(samples: "Samples[int]") -> "Samples[int]":
    """Without the silence before and after; a breath of 20 ms stays."""
    loud = [n for n, level in enumerate(_levels(samples)) if level > _SILENT]
    if not loud:
        return samples[:0]
    return samples[max(loud[0] - 1, 0) * _FRAME : (loud[-1] + 2) * _FRAME]


def loudness(samples: "Samples[int]") -> float | None:
    """Mean level of the voiced frames, dBFS; None for silence. Those 10 dB below the mean don't count (BS.1770)."""
    levels = [level for level in _levels(samples) if level > _SILENT]
    if not levels:
        return None
    gate = _mean(levels) * 10 ** (-10 / 20)
    return 20 * log10(_mean([level for level in levels if level > gate]) / _FULL)


def levelled(samples: "Samples[int]") -> "Samples[int]":
    """At the common loudness, or as near to it as the highest peak allows."""
    now = loudness(samples)
    if now is None:
        return samples
    gain = 10 ** ((_LOUDNESS_DBFS - now) / 20)
    highest = max(max(samples), -min(samples), 1)
    gain = min(gain, _PEAK / highest)
    return array("h", [int(sample * gain) for sample in samples])


def joined(parts: Iterable["Samples[int]"], *, gap_ms: int) -> "Samples[int]":
    whole: Samples[int] = array("h")
    for part in parts:
        if whole:
            whole.frombytes(bytes(2 * (RATE * gap_ms // 1000)))
        whole.extend(part)
    return whole


def mp3(samples: "Samples[int]") -> bytes:
    """Small, and played by every browser and every screen with one."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono", format="s16p")
        stream.bit_rate = _BIT_RATE
        frame = AudioFrame(format="s16", layout="mono", samples=len(samples))
        frame.planes[0].update(samples.tobytes() + bytes(frame.planes[0].buffer_size - 2 * len(samples)))
        frame.sample_rate = RATE
        resampler = AudioResampler(format="s16p", layout="mono", rate=RATE, frame_size=stream.frame_size or 576)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()


def _take(samples: "Samples[int]", frames: Iterable[AudioFrame]) -> None:
    for frame in frames:
        samples.frombytes(bytes(frame.planes[0])[: 2 * frame.samples])


def _levels(samples: "Samples[int]") -> list[float]:
    starts = range(0, len(samples), _FRAME)
    return [_mean(samples[start : start + _FRAME]) for start in starts]


def _mean(values: Iterable[float]) -> float:
    """Root of the mean of squares."""
    kept = list(values)
    return sqrt(sum(map(mul, kept, kept)) / len(kept)) if kept else 0.0
