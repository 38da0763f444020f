"""The picture and the sound that every call sends: encoded once, cut into RTP, repeated without end.

Real VP8 and Opus, because one of the measured servers decodes. Some packets carry a stamp that doesn't disturb a
decoder: every sound (Opus padding, RFC 6716 §3.2.5) and the last packet of every picture (bytes after its last
partition, which VP8 never reads).
"""

from __future__ import annotations

import bisect
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import av
from av.audio.frame import AudioFrame
from av.filter import Graph
from av.video.frame import PictureType, VideoFrame

SECONDS = 2
FPS = 30
WIDTH, HEIGHT = 1280, 720
VIDEO_BPS = 1_440_000
"""Of the codec; with RTP around it the wire has 1.5 Mbps."""
AUDIO_BPS = 48_000
SOUND_S = 0.02
CUT = 1180
"""Bytes of a picture in one packet at the most; browsers cut it into equal parts."""
PACED_BPS = 2.5 * VIDEO_BPS
"""Browsers spread the packets of a picture at two and a half times its rate."""

STAMP = 16
"""Bytes at the end of a stamped packet: the sending time in ns (8) and `MAGIC`."""
MAGIC = b"\x00bench\x00\x01"
OPUS, VP8 = 111, 96
TWCC_EXTENSION, LEVEL_EXTENSION = 3, 1

VIDEO_STEP, AUDIO_STEP = 90_000 // FPS, 960


class Piece(NamedTuple):
    """One packet of the repeated film. `plain` is whole but for sequence, timestamp, SSRC, and the stamp."""

    at: float
    video: bool
    stamped: bool
    tick: int
    """Timestamp from the film's beginning, in the clock of its kind."""
    counted_at: int
    """Where the transport-wide number stands."""
    plain: bytes


def film() -> list[Piece]:
    """Everything that one participant sends in `SECONDS`, in the order of sending."""
    pieces = [*_pictures(), *_sounds()]
    return sorted(pieces, key=lambda piece: piece.at)


def _pictures() -> list[Piece]:
    pieces: list[Piece] = []
    free = 0.0
    for index, picture in enumerate(_encoded_pictures()):
        parts = -(-len(picture) // CUT)
        ends = [len(picture) * part // parts for part in range(parts + 1)]
        cuts = [picture[start:end] for start, end in pairwise(ends)]
        free = max(free, index / FPS)
        for number, cut in enumerate(cuts):
            last = number == len(cuts) - 1
            header = _header(VP8, marker=last, elements=bytes([TWCC_EXTENSION << 4 | 1, 0, 0, 0]))
            payload = bytes([0x10 if number == 0 else 0x00]) + cut + (bytes(STAMP) if last else b"")
            pieces.append(Piece(free, True, last, index * VIDEO_STEP, 17, header + payload))
            free += len(cut) * 8 / PACED_BPS
    return pieces


def _sounds() -> list[Piece]:
    elements = bytes([LEVEL_EXTENSION << 4, 0x30, TWCC_EXTENSION << 4 | 1, 0, 0, 0, 0, 0])
    return [
        Piece(
            index * SOUND_S, False, True, index * AUDIO_STEP, 19, _header(OPUS, marker=False, elements=elements) + sound
        )
        for index, sound in enumerate(_encoded_sounds())
    ]


def _header(kind: int, *, marker: bool, elements: bytes) -> bytes:
    words = (len(elements) // 4).to_bytes(2, "big")
    return bytes([0x90, kind | (0x80 if marker else 0)]) + bytes(10) + b"\xbe\xde" + words + elements


def _encoded_pictures() -> list[bytes]:
    """A key frame and what has changed since, as in a call that nobody joins: the films' pictures differ in size."""
    graph = Graph()
    source = graph.add("testsrc2", f"size={WIDTH}x{HEIGHT}:rate={FPS}:duration={SECONDS}")
    noise = graph.add("noise", "alls=3:allf=t")
    shape = graph.add("format", "yuv420p")
    sink = graph.add("buffersink")
    source.link_to(noise)
    noise.link_to(shape)
    shape.link_to(sink)
    graph.configure()
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate = VIDEO_BPS
    rate = str(VIDEO_BPS)
    encoder.options = {
        "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1", "static-thresh": "0",
        "minrate": rate, "maxrate": rate, "bufsize": str(VIDEO_BPS), "g": "100000", "max-intra-rate": "900",
        "qmin": "2", "qmax": "50",
    }  # fmt: skip
    pictures = []
    for index in range(SECONDS * FPS):
        frame = graph.pull()
        assert isinstance(frame, VideoFrame)
        frame.pts, frame.time_base = index, Fraction(1, FPS)
        frame.pict_type = PictureType.NONE  # the filter says I of each, and the encoder would take it at its word
        pictures += [bytes(packet) for packet in encoder.encode(frame)]
    return pictures + [bytes(packet) for packet in encoder.encode(None)]


def _encoded_sounds() -> list[bytes]:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    encoder.bit_rate = AUDIO_BPS
    encoder.options = {"vbr": "off", "frame_duration": "20", "application": "voip"}
    wanted = round(SECONDS / SOUND_S)
    sounds: list[bytes] = []
    wave = _sawtooth()
    index = 0
    while len(sounds) < wanted:
        frame = AudioFrame(format="s16", layout="stereo", samples=AUDIO_STEP)
        frame.planes[0].update(wave)
        frame.sample_rate, frame.pts, frame.time_base = 48_000, index * AUDIO_STEP, Fraction(1, 48_000)
        sounds += [_padded(bytes(packet)) for packet in encoder.encode(frame)]
        index += 1
    return sounds[:wanted]


def _sawtooth() -> bytes:
    """20 ms of a tone of 250 Hz in stereo."""
    samples = [((index % 192) - 96) * 80 for index in range(AUDIO_STEP)]
    return b"".join(sample.to_bytes(2, "little", signed=True) * 2 for sample in samples)


def _padded(sound: bytes) -> bytes:
    """One Opus frame as a packet of code 3 with room for the stamp in its padding."""
    if sound[0] & 3:
        raise ValueError("expected packets of one frame")
    return bytes([sound[0] | 3, 0x41, STAMP]) + sound[1:] + bytes(STAMP)


class Reel:
    """The films of many senders as one endless timetable, each sender a little later than the one before."""

    def __init__(self, pieces: list[Piece], senders: int) -> None:
        events = []
        for sender in range(senders):
            shift = (sender * 0.618034 * SECONDS) % SECONDS
            for number, piece in enumerate(pieces):
                whole, at = divmod(piece.at + shift, SECONDS)
                events.append((at, sender, number, int(whole)))
        events.sort()
        self.times = [event[0] for event in events]
        self.events = [event[1:] for event in events]
        """(sender, number of the piece, 1 where it belongs to the round before)"""

    def place(self, at: float) -> int:
        return bisect.bisect_left(self.times, at)
