"""The call that everything is measured with: two people in 720p, real VP8 and Opus, as RTP with sender reports.

Encoded once, ten seconds of it, and repeated; each packet is then a template in which number and timestamp are put.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import av
from av.audio.frame import AudioFrame
from av.filter import Graph
from av.video.frame import PictureType, VideoFrame

from bench.media.film import AUDIO_BPS, CUT, FPS, HEIGHT, OPUS, SOUND_S, VIDEO_BPS, VP8, WIDTH
from recordings import journal_records as records
from recordings.journal_records import Meta, TrackDeclared
from recordings.keys import KeyRing
from recordings.sealed_log import SealedLogWriter

LOOP_S = 10
"""Of film; it begins with the only keyframe, so that is also how far apart those are."""
PEOPLE = ("sara", "omar")
_RTP = struct.Struct("!BBHII")
NTP = 3_900_000_000
STARTED = "2026-11-21T12:00:00+00:00"


class Film(NamedTuple):
    pictures: list[bytes]
    sounds: list[bytes]


@lru_cache(maxsize=1)
def film(seconds: int = LOOP_S, width: int = WIDTH, height: int = HEIGHT) -> Film:
    return Film(_pictures(seconds, width, height), _sounds(seconds))


def _pictures(seconds: int, width: int, height: int) -> list[bytes]:
    graph = Graph()
    source = graph.add("testsrc2", f"size={width}x{height}:rate={FPS}:duration={seconds}")
    noise = graph.add("noise", "alls=3:allf=t")
    shape, sink = graph.add("format", "yuv420p"), graph.add("buffersink")
    source.link_to(noise)
    noise.link_to(shape)
    shape.link_to(sink)
    graph.configure()
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate = VIDEO_BPS * width * height // (WIDTH * HEIGHT)
    encoder.options = {
        "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1", "static-thresh": "0",
        "g": "100000", "qmin": "2", "qmax": "63",
    }  # fmt: skip
    found: list[bytes] = []
    for index in range(seconds * FPS):
        frame = graph.pull()
        assert isinstance(frame, VideoFrame)
        frame.pts, frame.time_base = index, Fraction(1, FPS)
        frame.pict_type = PictureType.NONE  # the source says of each of its pictures that it is a key
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return found + [bytes(packet) for packet in encoder.encode(None)]


def _sounds(seconds: int) -> list[bytes]:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    encoder.bit_rate, encoder.options = AUDIO_BPS, {"frame_duration": "20", "application": "voip"}
    wave = b"".join((((n % 192) - 96) * 80).to_bytes(2, "little", signed=True) for n in range(960))
    found: list[bytes] = []
    for index in range(round(seconds / SOUND_S) + 2):
        frame = AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(wave)
        frame.sample_rate, frame.pts, frame.time_base = 48_000, index * 960, Fraction(1, 48_000)
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return found[: round(seconds / SOUND_S)]


class Piece(NamedTuple):
    """A packet of the loop without its header, or (`body` empty) a sender report."""

    at: float
    leg: int
    type: int
    """With the marker."""
    ticks: int
    body: bytes


def pieces(made: Film) -> list[Piece]:
    """Of all people, in the order of sending; leg 2 · person is the sound, the next one the picture."""
    found = []
    for person in range(len(PEOPLE)):
        shift = 0.007 * person
        for index, sound in enumerate(made.sounds):
            found.append(Piece(index * SOUND_S + shift, 2 * person, OPUS, index * 960, sound))
        for index, picture in enumerate(made.pictures):
            cuts = [picture[at : at + CUT] for at in range(0, len(picture), CUT)]
            for number, cut in enumerate(cuts):
                marker = 0x80 if number == len(cuts) - 1 else 0
                head = b"\x10" if number == 0 else b"\x00"
                at = index / FPS + shift + number * 0.0005
                found.append(Piece(at, 2 * person + 1, VP8 | marker, index * 3000, head + cut))
        for second in range(0, int(len(made.pictures) / FPS), 5):
            for leg, rate in ((2 * person, 48_000), (2 * person + 1, 90_000)):
                found.append(Piece(second + 0.4 + shift, leg, 200, round((second + 0.4) * rate), b""))
    return sorted(found)


@dataclass
class Call:
    """Packets without end, in the order of time."""

    loop: list[Piece]
    length: float

    @classmethod
    def of(cls, made: Film) -> Call:
        return cls(pieces(made), len(made.pictures) / FPS)

    def packets(self, seconds: float) -> Iterator[tuple[float, int, bytes]]:
        """(at, leg, RTP or RTCP)"""
        numbers = [0] * (2 * len(PEOPLE))
        turn, pack = 0, _RTP.pack
        while True:
            base = turn * self.length
            for piece_at, leg, kind, ticks, body in self.loop:
                at = base + piece_at
                if at >= seconds:
                    return
                rate = 90_000 if leg & 1 else 48_000
                timestamp = round(base * rate) + ticks & 0xFFFFFFFF
                if kind == 200:
                    yield at, leg, _report(leg + 1, NTP + base + piece_at, timestamp)
                    continue
                number = numbers[leg]
                numbers[leg] = number + 1 & 0xFFFF
                yield at, leg, pack(0x80, kind, number, timestamp, leg + 1) + body
            turn += 1


def _report(ssrc: int, ntp: float, timestamp: int) -> bytes:
    seconds = int(ntp)
    return struct.pack("!BBHIIIIII", 0x80, 200, 6, ssrc, seconds, int((ntp - seconds) * 2**32), timestamp, 0, 0)


class FastJournal:
    """A journal written as fast as the machine can, a second of the call in a frame or more, as when it is live."""

    def __init__(self, folder: Path, keys: KeyRing) -> None:
        folder.mkdir(parents=True)
        self.path = folder / "journal"
        self._log = SealedLogWriter(self.path, keys, owner=folder.name)
        self._log.append(records.encode_meta(Meta(folder.name, "bench", STARTED)))
        for person, name in enumerate(PEOPLE):
            for leg, kind, codec, rate in (
                (2 * person, "audio", "opus", 48_000),
                (2 * person + 1, "video", "vp8", 90_000),
            ):
                track = TrackDeclared(f"{name}/{kind}", name, kind, codec, rate, leg, 0.0)  # type: ignore[arg-type]
                self._log.append(records.encode_track(track))
        self._log.flush()

    def write(self, packets: Iterator[tuple[float, int, bytes]]) -> None:
        pack, append, kind = records.HEAD.pack, self._log.append, records.PACKET
        parts: list[bytes] = []
        size, second = 0, -1
        for at, leg, packet in packets:
            if size > 60_000 or int(at * 2) != second:
                append(b"".join(parts))
                parts, size, second = [], 0, int(at * 2)
            parts.append(pack(kind, leg, int(at * 1e6), len(packet)) + packet)
            size += len(packet) + 13
        append(b"".join(parts))
        self._log.flush()

    def close(self, at: float) -> None:
        self._log.append(records.encode(records.END, 0, at, b""))
        self._log.close()


def write_mjr(folder: Path, call: Call, seconds: float) -> list[Path]:
    """The same call as Janus keeps it: a file for each track (`record.c`: a JSON header, then frames)."""
    legs = {leg: folder / f"{leg}.mjr" for leg in range(2 * len(PEOPLE))}
    files = {leg: path.open("wb") for leg, path in legs.items()}
    try:
        for leg, file in files.items():
            kind, codec = ("v", "vp8") if leg & 1 else ("a", "opus")
            head = json.dumps({"t": kind, "c": codec, "s": 1_700_000_000_000_000, "u": 1_700_000_000_000_000}).encode()
            file.write(b"MJR00002" + struct.pack("!H", len(head)) + head)
        for at, leg, packet in call.packets(seconds):
            if packet[1] != 200:
                files[leg].write(b"MEET" + struct.pack("!IH", int(at * 1000), len(packet)) + packet)
    finally:
        for file in files.values():
            file.close()
    return list(legs.values())
