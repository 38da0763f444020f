"""Live journals without a media plane: written a second at a time, looked at in between."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import av

from recordings import journal_records as records
from recordings.journal_records import Mark, Meta, TrackDeclared
from recordings.keys import FileKeyRing
from recordings.sealed import SealedReader
from recordings.sealed_log import SealedLogWriter
from tests.recordings.calls import Sender, Sent, misbehave

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CODEC = {"audio": ("opus", 48_000, 111), "video": ("vp8", 90_000, 96)}
RECORDING = "rec-7"


class Live:
    """`write` hands over what was sent before a moment, as the media plane would have by then."""

    def __init__(self, folder: Path, ring: FileKeyRing, sent: list[Sent], *, recording: str = RECORDING) -> None:
        self.folder = folder / recording
        self.folder.mkdir(exist_ok=True)
        self.path = self.folder / "journal"
        self._log = SealedLogWriter(self.path, ring, owner=recording)
        self._log.append(records.encode_meta(Meta(recording, "m-7", NOON.isoformat())))
        self._log.flush()
        self._sent = sorted(sent, key=lambda entry: entry[0])
        self._legs: dict[str, int] = {}
        self.end = self._sent[-1][0] + 0.5

    def write(self, until: float) -> None:
        """A leg is named `participant/connection/kind`, and declared as late as may be."""
        while self._sent and self._sent[0][0] <= until:
            at, leg, packet = self._sent.pop(0)
            if leg not in self._legs:
                self._declare(leg, at)
            self._log.append(records.encode(records.PACKET, self._legs[leg], at, packet))
        self._log.flush()

    def close(self) -> None:
        self.write(self.end)
        self._log.append(records.encode_mark(Mark(self.end, "directive", {"text": "يُحال"})))
        self._log.append(records.encode(records.END, 0, self.end, b""))
        self._log.close()

    def abandon(self) -> None:
        self._log.abandon()

    def seconds(self) -> Iterator[float]:
        t = 1.0
        while t < self.end:
            self.write(t)
            yield t
            t += 1.0

    def _declare(self, leg: str, at: float) -> None:
        participant, _, kinds = leg.split("/")
        number = self._legs[leg] = len(self._legs)
        for kind in kinds.split("+"):
            codec, rate, _ = CODEC[kind]
            track = TrackDeclared(leg, participant, kind, codec, rate, number, at)  # type: ignore[arg-type]
            self._log.append(records.encode_track(track))


def voice(
    sender: Sender, leg: str, start: float, end: float, *, delay: float = 0.03, reports: bool = True, ntp: float = 0.0
) -> list[Sent]:
    """Packets that carry the time at which they were spoken; `ntp`: how far off the sender's wall clock is."""
    out: list[Sent] = []
    for n in range(round((end - start) * 50)):
        t = start + n * 0.02
        out.append((t + delay, leg, sender.packet(t, b"\x78" + b"%s %010.2f" % (leg.encode(), t) + bytes(40))))
        if reports and n % 250 == 20:
            out.append((t + delay, leg, report(sender, t, ntp)))
    return out


def face(
    sender: Sender,
    leg: str,
    start: float,
    end: float,
    *,
    delay: float = 0.12,
    fps: int = 10,
    key_every: float = 10.0,
    reports: bool = True,
    ntp: float = 0.0,
    size: tuple[int, int] = (320, 180),
) -> list[Sent]:
    out: list[Sent] = []
    for n in range(round((end - start) * fps)):
        t = start + n / fps
        key = n % round(key_every * fps) == 0
        width, height = size
        head = b"\x10\0\0\x9d\x01\x2a" + width.to_bytes(2, "little") + height.to_bytes(2, "little")
        data = (head if key else b"\x11") + b"%s %010.2f" % (leg.encode(), t) + bytes(1300)
        out += [(t + delay + i * 0.001, leg, packet) for i, packet in enumerate(sender.frame(t, data))]
        if reports and n % (5 * fps) == 3:
            out.append((t + delay, leg, report(sender, t, ntp)))
    return out


def report(sender: Sender, t: float, ntp: float) -> bytes:
    """The sender's media clock may run off while its wall clock doesn't."""
    packet = bytearray(sender.report(t + ntp))
    packet[16:20] = sender.clock(t).to_bytes(4, "big")
    return bytes(packet)


def person(name: str, start: float, end: float, *, connection: int = 1, ssrc: int = 1, **more) -> list[Sent]:
    offset = 1_000_000 * ssrc
    ear = Sender(ssrc, 111, 48_000, timestamp=offset, sequence=100 * ssrc, skew=more.pop("skew", 0.0))
    eye = Sender(ssrc + 100, 96, 90_000, timestamp=offset * 3, sequence=65_000, skew=ear.skew)
    sent = voice(ear, f"{name}/{connection}/audio", start, end, **more)
    return sent + face(eye, f"{name}/{connection}/video", start, end, **more)


def rough(sent: list[Sent], seed: int, **how: float) -> list[Sent]:
    return misbehave(sent, random.Random(seed), **({"jitter": 0.03, "late": 0.03, "twice": 0.02} | how))


@dataclass
class Film:
    """What a rendition has: (milliseconds, content) of its frames, and of the sounds that were spoken."""

    pictures: list[tuple[int, bytes]]
    sounds: dict[bytes, int]
    fills: Counter[bytes]
    duration: float

    @classmethod
    def of(cls, path: Path, ring: FileKeyRing) -> Film:
        with SealedReader(path, ring) as file, av.open(file) as container:
            pictures, sounds, fills = [], {}, Counter[bytes]()
            for packet in container.demux():
                data, ms = bytes(packet), round(float((packet.pts or 0) * packet.time_base) * 1000)
                if not data:
                    continue
                if packet.stream.type == "video":
                    pictures.append((ms, data))
                elif len(data) > 20:
                    sounds[data] = ms
                else:
                    fills[data] += 1
            return cls(pictures, sounds, fills, (container.duration or 0) / 1e6)
