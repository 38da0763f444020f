"""The command lines of ffmpeg: one for each stream to be decoded, one that puts the film together.

Decoding stands apart for two reasons. A picture that changes its size in mid-call makes ffmpeg build its filters anew,
and all that they had in hand is lost: here those filters are a scaler that has nothing in hand, and what follows sees
frames of one size, 25 a second, without a gap. And the decoders, which read what somebody's device sent, run with
neither keys nor names.

Everything goes through descriptors. No name and no word of a meeting stands in an argument, where `ps` shows it.
"""

from __future__ import annotations

from pathlib import Path

import ffmpeg  # type: ignore[import-untyped]

from recordings.export.layout import FPS, HEIGHT, WIDTH, Box

RATE = 48_000
VIDEO_BITS = 2_000_000
CANVAS = "0x1C2321"  # the ink of docs/design-system.md
KEYFRAMES = FPS * 5  # apart: a player finds any moment within so many frames
BEFORE = ("-hide_banner", "-nostdin", "-v", "error", "-nostats")
ONLY_PIPES = {"protocol_whitelist": "pipe"}
"""Whatever a container may speak of: nothing is opened but what was given."""
BEAR = ("-max_error_rate", "1")
"""However much of what a device sent makes no sense: the others' pictures are not lost for it."""

# Sources are VP8 in BT.601; a player would take 720 lines for BT.709 and shift the colours, unless told.
_COLOUR = {"colorspace": "smpte170m", "color_primaries": "smpte170m", "color_trc": "smpte170m", "color_range": "tv"}
_ENCODERS = {
    "mp4": {
        "vcodec": "libx264", "preset": "veryfast", "crf": 25, "maxrate": VIDEO_BITS, "bufsize": 2 * VIDEO_BITS,
        "bf": 0,  # Matroska tells no decoding times: with no picture out of order there is nothing to guess
        "profile:v": "high", "acodec": "aac", "audio_bitrate": 96_000,
    },
    "webm": {  # one thread: two wait for each other by spinning, which costs six times as much on a busy machine;
        # below 0: a fixed speed, where a positive one would follow the clock and so the machine's load
        "vcodec": "libvpx", "deadline": "realtime", "cpu-used": -8, "threads": 1, "video_bitrate": VIDEO_BITS,
        "crf": 20, "acodec": "libopus", "audio_bitrate": 64_000,
    },
}  # fmt: skip
ENCODERS = tuple(str(encoder[kind]) for encoder in _ENCODERS.values() for kind in ("vcodec", "acodec"))


def decode_picture(box: Box, frames: int, *, source: int, target: int) -> list[str]:
    """WebM on descriptor `source` → `frames` raw pictures of the box's size on `target`; gaps repeat the last one."""
    picture = (
        ffmpeg.input(f"pipe:{source}", format="matroska", codec_whitelist="vp8", threads=1, copyts=None, **ONLY_PIPES)
        .video.filter(
            "scale", box.width, box.height, force_original_aspect_ratio="decrease", force_divisible_by=2,
            flags="bilinear",
        )
        .filter("pad", box.width, box.height, -1, -1, color=CANVAS)
        .filter("setsar", 1)
    )  # fmt: skip
    raw = picture.output(
        f"pipe:{target}",
        format="rawvideo",
        pix_fmt="yuv420p",
        r=FPS,
        fps_mode="cfr",
        **{"frames:v": frames},
        **ONLY_PIPES,
    )
    return _line(raw, *BEAR)


def decode_sound(seconds: float, *, source: int, target: int) -> list[str]:
    """WebM on descriptor `source` → samples of 16 bits, one channel, on `target`."""
    heard = ffmpeg.input(f"pipe:{source}", format="matroska", codec_whitelist="opus", copyts=None, **ONLY_PIPES)
    sound = heard.audio.filter("atrim", end=seconds)
    return _line(sound.output(f"pipe:{target}", format="s16le", ac=1, ar=RATE, **ONLY_PIPES), *BEAR)


def put_together(
    pictures: list[tuple[Box, int]],
    sounds: list[int],
    *,
    frames: int,
    format: str,
    script: int,
    fonts: Path,
    progress: int,
    target: int,
) -> list[str]:
    """Raw pictures and sounds on their descriptors, the words in `script` → the film as Matroska on `target`."""
    seconds = frames / FPS
    canvas = ffmpeg.input(f"color=c={CANVAS}:s={WIDTH}x{HEIGHT}:r={FPS}:d={seconds}", format="lavfi")
    film = canvas.video.filter("format", "yuv420p")
    for box, descriptor in pictures:
        picture = ffmpeg.input(
            f"pipe:{descriptor}",
            format="rawvideo",
            pix_fmt="yuv420p",
            s=f"{box.width}x{box.height}",
            framerate=FPS,
            **ONLY_PIPES,
        )
        film = film.overlay(picture, x=box.x, y=box.y, format="yuv420", eof_action="repeat")
    film = film.filter("ass", filename=f"/dev/fd/{script}", fontsdir=str(fonts), shaping="complex")
    out = ffmpeg.output(
        film,
        _mixed(sounds, seconds),
        f"pipe:{target}",
        format="matroska",
        pix_fmt="yuv420p",
        g=KEYFRAMES,
        ac=2,
        ar=RATE,
        **_ENCODERS[format],
        **_COLOUR,
        **ONLY_PIPES,
    )
    return _line(out, "-progress", f"pipe:{progress}", "-stats_period", "0.5")


def _mixed(sounds: list[int], seconds: float) -> object:
    """All voices at their own loudness; a limiter holds what two of them together would overdrive."""
    voices = [ffmpeg.input(f"pipe:{d}", format="s16le", ac=1, ar=RATE, **ONLY_PIPES).audio for d in sounds]
    if not voices:
        silence = ffmpeg.input(f"anullsrc=channel_layout=mono:sample_rate={RATE}", format="lavfi").audio
        return silence.filter("atrim", end=seconds)
    mixed = voices[0]
    if len(voices) > 1:
        mixed = ffmpeg.filter(voices, "amix", inputs=len(voices), normalize=0, duration="longest")
        mixed = mixed.filter("alimiter", limit=0.95, level=0)
    return mixed.filter("apad").filter("atrim", end=seconds)


def _line(output: object, *more: str) -> list[str]:
    return list(ffmpeg.compile(output, cmd=["ffmpeg", *BEFORE, *more]))
