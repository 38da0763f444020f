"""What a recorded side really holds: its colour, its tone, its length, and what lies between flash and beep."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 48000
FPS = 60  # the decoded pictures are laid on this grid, twice the camera's rate


@dataclass(frozen=True, slots=True)
class Measured:
    """`offset_s`: median of (beep − flash); positive when the sound is late."""

    duration_s: float
    colour: tuple[int, int, int]
    tone_hz: float
    flashes: int
    beeps: int
    offset_s: float | None


def measure(path: Path) -> Measured:
    """Decode with ffmpeg and look. Raises CalledProcessError when ffmpeg finds a fault in the file."""
    probe = json.loads(_run("ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path))
    kinds = {stream["codec_type"]: stream["codec_name"] for stream in probe["streams"]}
    assert kinds == {"video": "vp8", "audio": "opus"}, kinds
    pictures = _pictures(path)
    sound = _sound(path)
    middle = pictures[:, 3:5, 3:5].mean(axis=(1, 2, 3))
    flashes = rises(middle > 160) / FPS
    beeps = rises(loudness(sound, 2000) > 0.08) / 200
    pairs = [b[np.argmin(np.abs(b - f))] - f for f in flashes if (b := beeps).size]
    pairs = [p for p in pairs if abs(p) < 0.4]
    return Measured(
        duration_s=float(probe["format"]["duration"]),
        colour=tuple(int(v) for v in np.median(pictures[FPS:, 1, 1], axis=0)),  # type: ignore[arg-type]
        tone_hz=_tone(sound),
        flashes=len(flashes),
        beeps=len(beeps),
        offset_s=float(np.median(pairs)) if pairs else None,
    )


def _pictures(path: Path) -> np.ndarray:
    """(n, 8, 8, 3): the pictures on the file's own timeline, eight by eight."""
    raw = _run(
        "ffmpeg", "-v", "error", "-i", path, "-an", "-vf", f"fps={FPS}:start_time=0,scale=8:8:flags=area",
        "-pix_fmt", "rgb24", "-f", "rawvideo", "-",
    )  # fmt: skip
    return np.frombuffer(raw, np.uint8).reshape(-1, 8, 8, 3).astype(float)


def _sound(path: Path) -> np.ndarray:
    raw = _run(
        "ffmpeg", "-v", "error", "-i", path, "-vn", "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", RATE,
        "-f", "f32le", "-",
    )  # fmt: skip
    return np.frombuffer(raw, np.float32)


def loudness(sound: np.ndarray, hertz: float) -> np.ndarray:
    """How loud `hertz` is in each 5 ms."""
    size = RATE // 200
    blocks = sound[: len(sound) // size * size].reshape(-1, size)
    wave = np.exp(-2j * np.pi * hertz * np.arange(size) / RATE)
    return np.abs(blocks @ wave) / size * 2


def rises(on: np.ndarray) -> np.ndarray:
    return np.flatnonzero(on[1:] & ~on[:-1]) + 1


def _tone(sound: np.ndarray) -> float:
    """The loudest tone below 1 kHz."""
    spectrum = np.abs(np.fft.rfft(sound[RATE : RATE * 9]))
    hertz = np.fft.rfftfreq(len(sound[RATE : RATE * 9]), 1 / RATE)
    heard = (hertz > 100) & (hertz < 1000)
    return float(hertz[heard][np.argmax(spectrum[heard])])


def _run(*command: object) -> bytes:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=60).stdout
