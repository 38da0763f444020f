"""What a muxer has to know of Opus (RFC 6716 section 3, RFC 7845): durations, silence, the stream header."""

from __future__ import annotations

import struct

RATE = 48_000
PRE_SKIP = 312  # samples of encoder look-ahead in libopus, which every browser uses
HEAD = struct.pack("<8sBBHIhB", b"OpusHead", 1, 2, PRE_SKIP, RATE, 0, 0)

UNIT = 120  # 2.5 ms, the shortest frame: all durations are multiples of it

_CELT = (120, 240, 480, 960)
_HYBRID = (480, 960)
_SILK = (480, 960, 1920, 2880)
_FRAME_SAMPLES = tuple(_SILK[c % 4] if c < 12 else _HYBRID[c % 2] if c < 16 else _CELT[c % 4] for c in range(32))
_SILENCE = {samples: bytes([(28 + i) << 3, 0xFF, 0xFE]) for i, samples in enumerate(_CELT)}


def duration(packet: bytes) -> int:
    """Samples at 48 kHz, 0 for what is no Opus packet (or one longer than the 120 ms allowed)."""
    if not packet:
        return 0
    toc = packet[0]
    code = toc & 3
    if code == 3:
        if len(packet) < 2:
            return 0
        frames = packet[1] & 0x3F
    else:
        frames = 1 if code == 0 else 2
    samples = frames * _FRAME_SAMPLES[toc >> 3]
    return samples if samples <= 5760 else 0


def frame_samples(packet: bytes) -> int:
    return _FRAME_SAMPLES[packet[0] >> 3]


def conceal(packet: bytes) -> bytes:
    """A packet of one empty frame in the manner of `packet`: the decoder continues what it heard, fading out."""
    return bytes([packet[0] & 0xFC])


def silence(samples: int) -> list[tuple[int, bytes]]:
    """Packets of digital silence, in all at most `samples` long and less than 2.5 ms short of it."""
    packets = []
    for length in reversed(_CELT):
        count, samples = divmod(samples, length)
        packets += [(length, _SILENCE[length])] * count
    return packets
