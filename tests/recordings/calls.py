"""Synthetic calls: known pictures and sounds, sent as RTP through a network that misbehaves on purpose.

Every whole second of the sender's time has a white flash and a beep of 80 ms, so that a recording can be asked where
they went. Time is in seconds since the recording's start throughout.
"""

from __future__ import annotations

import fractions
import functools
import hashlib
import marshal
import os
import random
import struct
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

FPS = 25
FLASH_S = 0.08
NTP_EPOCH = 3_900_000_000.0  # what the senders' wall clocks show at t = 0


Packets = list[tuple[float, bytes]]


def kept(make: Callable[..., Packets]) -> Callable[..., Packets]:
    """What was encoded once, by whichever process of the tests, is read by the others: encoding takes seconds."""
    home = Path(tempfile.gettempdir()) / f"majlis-films-{os.getuid()}"
    state = f"{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()} {av.__version__} {make.__name__}"

    @functools.wraps(make)
    def found(*args: object, **more: object) -> Packets:
        path = home / hashlib.sha256(f"{state} {args} {sorted(more.items())}".encode()).hexdigest()
        if path.exists():
            return marshal.loads(path.read_bytes())
        packets = make(*args, **more)
        home.mkdir(mode=0o700, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(marshal.dumps(packets))
        fresh.replace(path)
        return packets

    return found


@kept
def pictures(
    start: float,
    end: float,
    width: int,
    height: int,
    *,
    keyframes: tuple[float, ...] = (),
    hue: tuple[int, int] = (128, 128),
) -> Packets:
    """(t, VP8 frame): dark moving bars, white at whole seconds; a keyframe first and at the times asked for. `hue` is
    the colour of it all, as U and V."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.bit_rate = fractions.Fraction(1, FPS), 600_000
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "100000"}
    wanted = {round(t * FPS) for t in keyframes}
    out = []
    for number in range(round(start * FPS), round(end * FPS)):
        t = number / FPS
        luma = np.full((height, width), 230 if t % 1.0 < FLASH_S - 1e-6 else 40, np.uint8)
        luma[:, (number * 4) % width :][:, :16] = 90
        colour = [np.full(width * height // 4, part, np.uint8) for part in hue]
        planes = np.concatenate([luma.ravel(), *colour])
        frame = av.VideoFrame.from_ndarray(planes.reshape(height * 3 // 2, width), format="yuv420p")
        frame.pts = number - round(start * FPS)
        if number in wanted:
            frame.pict_type = av.video.frame.PictureType.I
        out += [(t, bytes(packet)) for packet in encoder.encode(frame)]
    return out


@kept
def sounds(start: float, end: float, *, bit_rate: int = 48_000) -> Packets:
    """(t, Opus packet of 20 ms): a faint hum, 1 kHz at whole seconds."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 48_000, "mono", "s16", bit_rate
    encoder.options = {"application": "voip", "frame_duration": "20"}
    encoder.open()
    first, last = round(start * 48_000), round(end * 48_000)
    n = np.arange(first, last)
    loud = (n % 48_000) < FLASH_S * 48_000
    wave = np.where(loud, 12_000 * np.sin(2 * np.pi * 1000 * n / 48_000), 60 * np.sin(2 * np.pi * 200 * n / 48_000))
    packets = []
    for offset in range(0, len(n) - 959, 960):
        frame = av.AudioFrame.from_ndarray(wave[None, offset : offset + 960].astype(np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = 48_000, offset
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return [(start + number * 0.02, packet) for number, packet in enumerate(packets)]


@dataclass
class Sender:
    """One RTP stream. `skew` is how much too fast its media clock runs."""

    ssrc: int
    payload_type: int
    rate: int
    sequence: int = 1000
    timestamp: int = 5000
    skew: float = 0.0
    extension: bytes = b""
    picture: int = field(default=0x7FF0)

    def clock(self, t: float) -> int:
        return (self.timestamp + round(t * self.rate * (1 + self.skew))) & 0xFFFFFFFF

    def packet(self, t: float, payload: bytes, *, marker: bool = False) -> bytes:
        first = 0x90 if self.extension else 0x80
        head = struct.pack(
            "!BBHII", first, self.payload_type | marker << 7, self.sequence & 0xFFFF, self.clock(t), self.ssrc
        )
        self.sequence += 1
        if self.extension:
            words = len(self.extension) // 4
            head += struct.pack("!HH", 0xBEDE, words) + self.extension
        return head + payload

    def frame(self, t: float, data: bytes, *, size: int = 1100) -> list[bytes]:
        """RFC 7741: extended descriptor with a 15-bit picture id."""
        self.picture = (self.picture + 1) & 0x7FFF
        parts = [data[i : i + size] for i in range(0, len(data), size)]
        return [
            self.packet(
                t,
                bytes([0x90 if i == 0 else 0x80, 0x80, 0x80 | self.picture >> 8, self.picture & 0xFF]) + part,
                marker=i == len(parts) - 1,
            )
            for i, part in enumerate(parts)
        ]

    def report(self, t: float) -> bytes:
        ntp = NTP_EPOCH + t
        seconds = int(ntp)
        body = struct.pack("!IIIIII", self.ssrc, seconds, int((ntp - seconds) * 2**32), self.clock(t), 0, 0)
        source = struct.pack("!BBHI", 0x81, 202, 2, self.ssrc) + b"\x01\x02hi\0\0"[:4]
        return struct.pack("!BBH", 0x80, 200, 6) + body + source


Sent = tuple[float, str, bytes]  # at, leg, packet


def send(
    sender: Sender,
    leg: str,
    media: list[tuple[float, bytes]],
    *,
    delay: float = 0.02,
    reports: bool = True,
    split: Callable[[float, bytes], list[bytes]] | None = None,
) -> list[Sent]:
    """The stream's packets with their time of arrival; a video frame's packets come 1 ms apart."""
    out: list[Sent] = []
    next_report = media[0][0] + 0.3
    for t, data in media:
        packets = split(t, data) if split else [sender.packet(t, data)]
        out += [(t + delay + i * 0.001, leg, packet) for i, packet in enumerate(packets)]
        if reports and t >= next_report:
            out.append((t + delay, leg, sender.report(t)))
            next_report = t + 1.0
    return out


def misbehave(
    sent: list[Sent], rng: random.Random, *, jitter: float = 0.0, late: float = 0.0, twice: float = 0.0
) -> list[Sent]:
    """Jitter on everything; a share of packets `late` by 30 to 250 ms (so out of order), a share `twice`."""
    out = []
    for at, leg, packet in sent:
        at += rng.random() * jitter
        if rng.random() < late:
            at += rng.uniform(0.03, 0.25)
        out.append((at, leg, packet))
        if rng.random() < twice:
            out.append((at + rng.uniform(0, 0.3), leg, packet))
    return out


def deliver(journal, sent: list[Sent]) -> None:
    for at, leg, packet in sorted(sent, key=lambda entry: entry[0]):
        journal.write(leg, at, packet)


# --- what became of it ---------------------------------------------------------------------------------------


def flashes(source) -> list[float]:
    """Times at which the picture turns white."""
    return list(_onsets(_brightness(source), 150))


def beeps(source) -> list[float]:
    """Times at which the 1 kHz tone begins."""
    return list(_onsets(_loudness(source), 2000))


def _onsets(levels: Iterator[tuple[float, float]], threshold: float) -> Iterator[float]:
    before, last = 0.0, -1.0
    for t, level in levels:
        if level > threshold >= before and t - last > 0.3:  # a lost packet may cut one beep in two
            yield t
            last = t
        before = level


def _brightness(source) -> Iterator[tuple[float, float]]:
    source.seek(0)
    with av.open(source) as container:
        for frame in container.decode(video=0):
            yield frame.time, float(frame.to_ndarray(format="gray").mean())


def _loudness(source) -> Iterator[tuple[float, float]]:
    """Peak level of every 2 ms, placed as a player does: samples counted from the first packet's time."""
    source.seek(0)
    with av.open(source) as container:
        position = None
        for frame in container.decode(audio=0):
            if position is None:
                position = frame.time
            wave = np.abs(frame.to_ndarray()[0].astype(float))
            if wave.size and frame.format.name.startswith("flt"):
                wave *= 32768
            for offset in range(0, len(wave), 96):
                yield position + offset / frame.sample_rate, float(wave[offset : offset + 96].max())
            position += len(wave) / frame.sample_rate
