"""A film of packets that nobody decodes: the shape of a call at 1.5 Mbps without ten seconds of encoding."""

from __future__ import annotations

from bench.media.film import (
    AUDIO_STEP,
    CUT,
    FPS,
    LEVEL_EXTENSION,
    OPUS,
    SECONDS,
    SOUND_S,
    STAMP,
    TWCC_EXTENSION,
    VIDEO_STEP,
    VP8,
    Piece,
    _header,
)

CUTS = 5


def sketch() -> list[Piece]:
    counted = bytes([TWCC_EXTENSION << 4 | 1, 0, 0, 0])
    level = bytes([LEVEL_EXTENSION << 4, 0x30, *counted[:3], 0, 0, 0])
    pieces = []
    for picture in range(SECONDS * FPS):
        for number in range(CUTS):
            last = number == CUTS - 1
            body = (b"\x10\x01" if number == 0 else b"\x00\x01") + bytes(CUT) + (bytes(STAMP) if last else b"")
            plain = _header(VP8, marker=last, elements=counted) + body
            at = picture / FPS + number * 0.004
            pieces.append(Piece(at, True, last, picture * VIDEO_STEP, 17, plain))
    for sound in range(round(SECONDS / SOUND_S)):
        plain = _header(OPUS, marker=False, elements=level) + bytes(120 + STAMP)
        pieces.append(Piece(sound * SOUND_S, False, True, sound * AUDIO_STEP, 19, plain))
    return sorted(pieces, key=lambda piece: piece.at)
