"""The past meeting: two drawn participants, encoded once, written into a sealed journal packet by packet.

From there on everything is the product's own: the journal is remuxed by the worker's job and played in the library.
"""

import math
import random
import struct
from array import array
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction

import av
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder
from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from core.settings import Settings
from recordings.journal import open_journal
from video.meetings import service as meetings
from video.meetings.rules import VISITOR
from web.recording import key_ring

LENGTH = 24.0  # seconds
RATE = 12  # pictures a second
SIZE = (640, 480)
FARED = {
    "over": True, "lost_in": 0, "asked_in": 0, "repaired_in": 0, "unfilled_in": 0, "asked_out": 0, "answered_out": 0,
    "worst_loss_out": 0.004, "silences": 0, "silent_s": 0.0, "stills": 0, "rtt_ms_least": 18.0, "rtt_ms_mean": 27.0,
    "rtt_ms_most": 61.0, "kbps_in_least": 410.0, "kbps_in_most": 980.0, "kbps_out_least": 400.0,
    "kbps_out_most": 970.0, "link_drops": 0,
}  # fmt: skip
HALL = {
    "lost_in": 31, "asked_in": 40, "repaired_in": 22, "stills": 1, "rtt_ms_mean": 118.0,
    "rtt_ms_most": 640.0, "kbps_in_least": 90.0,
}  # fmt: skip
WRITTEN = (
    ("visitor", 9.5, "السلام عليكم ورحمة الله، أشكركم على استقبالي."),
    ("visitor", 13.0, "الطلب عند لجنة الحقوق منذ ثلاثة أشهر."),
    ("official", 19.5, "يُنظر فيه هذا الأسبوع، ويُبلَّغ بالنتيجة."),
)
SIDES = (
    ("official", (15, 76, 58), (236, 228, 210), 196.0, (0.0, 8.0)),
    ("visitor", (96, 72, 40), (214, 178, 140), 247.0, (8.5, 16.0)),
    ("official", (15, 76, 58), (236, 228, 210), 196.0, (16.5, 24.0)),
)


def write_journal(
    settings: Settings, *, recording_id: str, meeting_id: str, participants: dict[str, str], started_at: datetime
) -> None:
    """A recording of `LENGTH` seconds with the picture and sound of each of `participants` (role → id)."""
    folder = settings.recordings_dir / recording_id
    folder.mkdir(parents=True)
    journal = open_journal(
        folder / "journal",
        key_ring(settings),
        recording_id=recording_id,
        meeting_id=meeting_id,
        started_at=started_at,
    )
    packets = []
    for number, (role, participant) in enumerate(participants.items()):
        speaks = [span for name, *_, span in SIDES if name == role]
        look = next(side for side in SIDES if side[0] == role)
        for kind, make in (("video", _video(look, speaks)), ("audio", _audio(look, speaks))):
            leg = f"{participant}/1/{kind}"
            codec, clock_rate = ("VP8", 90000) if kind == "video" else ("opus", 48000)
            journal.track(leg, participant, kind, codec, clock_rate, 0.0)
            packets += _rtp(leg, make, 96 if kind == "video" else 111, 7000 + number * 10 + (kind == "audio"))
    for at, leg, packet in sorted(packets, key=lambda p: p[0]):
        journal.write(leg, at, packet)
    for number, participant in enumerate(participants.values()):
        journal.mark(0.1 + number * 1.4, "connected", {"participant": participant, "leg": "1"})
    for number, (role, at, text) in enumerate(WRITTEN):
        if role in participants:
            journal.mark(at, "text", {"participant": participants[role], "line": number, "text": text})
    journal.close(LENGTH)


def keep_quality(session: Session, meeting_id: str, *, ended_at: datetime) -> None:
    """How the connections fared: the office's without a fault, the hall's broke off once."""
    began_at = ended_at - timedelta(seconds=LENGTH)
    for participant in meetings.get(session, meeting_id).participants:
        spans = ((0.0, 15.0), (15.6, LENGTH)) if participant.role == VISITOR else ((0.0, LENGTH),)
        for number, (start, end) in enumerate(spans, 1):
            packets = int(110 * (end - start))
            meetings.keep_quality(
                session,
                meeting_id,
                participant.id,
                began_at=began_at + timedelta(seconds=start),
                figures={
                    **FARED,
                    "leg": f"{participant.id}/{number}",
                    "seconds": end - start,
                    "packets_in": packets,
                    "packets_out": packets,
                    "bytes_in": 900 * packets,
                    "bytes_out": 900 * packets,
                    **(HALL if participant.role == VISITOR and number == 1 else {}),
                },
                now=ended_at,
            )


def _rtp(
    leg: str, frames: Iterator[tuple[float, int, list[bytes]]], payload_type: int, ssrc: int
) -> list[tuple[float, str, bytes]]:
    """RTP (RFC 3550 section 5.1), one marker bit at the end of each frame."""
    packets, sequence = [], random.Random(ssrc).randrange(1 << 15)  # noqa: S311
    for at, timestamp, payloads in frames:
        for n, payload in enumerate(payloads):
            last = n == len(payloads) - 1
            header = struct.pack(
                "!BBHII", 0x80, payload_type | (0x80 if last else 0), sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc
            )
            packets.append((at, leg, header + payload))
            sequence += 1
    return packets


def _video(look: tuple, speaks: list[tuple[float, float]]) -> Iterator[tuple[float, int, list[bytes]]]:  # type: ignore[type-arg]
    encoder = Vp8Encoder()
    for n in range(int(LENGTH * RATE)):
        at = n / RATE
        frame = av.VideoFrame.from_image(portrait(look, at, any(a <= at < b for a, b in speaks)))
        frame.pts, frame.time_base = n * 90000 // RATE, Fraction(1, 90000)
        payloads, timestamp = encoder.encode(frame, force_keyframe=n % (RATE * 4) == 0)
        yield at, timestamp, payloads


def _audio(look: tuple, speaks: list[tuple[float, float]]) -> Iterator[tuple[float, int, list[bytes]]]:  # type: ignore[type-arg]
    """A hum of four harmonics in syllables; one second of it repeats, since its tones are whole hertz."""
    encoder, silence = OpusEncoder(), bytes(960 * 2 * 2)
    hum = [
        sum(math.sin(2 * math.pi * look[3] * k * n / 48000) / k for k in (1, 2, 3, 5)) * 0.16 * 32767
        for n in range(48000)
    ]
    for n in range(int(LENGTH * 50)):
        at = n / 50
        loud = 0.0
        if any(a <= at < b for a, b in speaks):
            loud = min(max(math.sin(2 * math.pi * 3.1 * at) + 0.35 * math.sin(2 * math.pi * 0.7 * at), 0.0), 1.0)
        sound = silence
        if loud:
            mono = (int(value * loud) for value in hum[n % 50 * 960 : (n % 50 + 1) * 960])
            sound = array("h", [value for both in mono for value in (both, both)]).tobytes()
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(sound)
        frame.sample_rate, frame.pts, frame.time_base = 48000, n * 960, Fraction(1, 48000)
        payloads, timestamp = encoder.encode(frame)
        yield at, timestamp, payloads


def portrait(look: tuple, at: float, speaking: bool) -> Image.Image:  # type: ignore[type-arg]
    """A seated figure in the colours of the house; it nods, and its mouth moves while it speaks."""
    _role, cloth, skin, *_ = look
    width, height = SIZE
    image = Image.new("RGB", SIZE, (238, 233, 222))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height * 0.72, width, height), fill=(222, 213, 194))
    for x in range(40, width, 150):
        draw.rounded_rectangle((x, 40, x + 90, 210), 44, outline=(201, 168, 106), width=4)
    nod = 5 * math.sin(at * 1.7) + (4 * math.sin(at * 9) if speaking else 0)
    cx, cy = width / 2, height * 0.42 + nod
    draw.ellipse((cx - 190, cy + 95, cx + 190, cy + 520), fill=cloth)
    draw.ellipse((cx - 72, cy - 92, cx + 72, cy + 104), fill=skin)
    draw.chord((cx - 84, cy - 120, cx + 84, cy + 40), 180, 360, fill=(250, 248, 244))
    draw.rectangle((cx - 84, cy - 44, cx + 84, cy - 32), fill=(40, 36, 32))
    for side in (-1, 1):
        draw.ellipse((cx + side * 30 - 6, cy - 8, cx + side * 30 + 6, cy + 6), fill=(40, 36, 32))
    opening = 4 + (12 * abs(math.sin(at * 11)) if speaking else 0)
    draw.ellipse((cx - 20, cy + 52 - opening / 2, cx + 20, cy + 52 + opening / 2), fill=(120, 60, 54))
    return image
