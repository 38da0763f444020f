"""A recording of what somebody hostile sent: everything that authenticates is in the journal, and must be remuxed."""

from __future__ import annotations

import struct
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from recordings.journal import open_journal
from recordings.keys import FileKeyRing
from recordings.remux import remux
from tests.fuzz.dice import Dice, damaged
from tests.fuzz.seeds import rtp_packet, sender_report
from video.media import rtp

VIDEO, AUDIO = "sara/1/video", "sara/1/audio"
PICTURE, SOUND = 7, 8


def recording(data: bytes) -> None:
    """Pictures, sounds and sender reports, late, early, twice, damaged."""
    dice = Dice(data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys, path = FileKeyRing(folder / "key"), folder / "a.journal"
        journal = open_journal(path, keys, recording_id="r", meeting_id="m", started_at=datetime.now(UTC))
        journal.track(VIDEO, "sara", "video", "vp8", 90_000, 0.0)
        journal.track(AUDIO, "sara", "audio", "opus", 48_000, 0.0)
        at, number = 0.0, 0
        while not dice.used_up:
            at += dice.pick((0.001, 0.02, 0.5, 0.0, 3.0))
            number += dice.pick((1, 1, 1, 1, 0, 2, 40, -3))
            leg, packet = _packet(dice, number)
            packet = damaged(dice, packet, 2)
            if len(packet) >= rtp.HEADER_SIZE and (192 <= packet[1] <= 223 or rtp.looks_sound(packet)):
                journal.write(leg, at, packet)
        journal.close(at + 0.1)
        result = remux(path, keys, out_dir=folder)
        assert result.finished and all(one.path.stat().st_size for one in result.renditions)


def _packet(dice: Dice, number: int) -> tuple[str, bytes]:
    kind = dice.below(4)
    if kind == 0:
        return VIDEO, rtp_packet(dice, kind=rtp.VP8, ssrc=PICTURE, number=number)
    if kind == 1:
        return AUDIO, rtp_packet(dice, kind=rtp.OPUS, ssrc=SOUND, number=number)
    if kind == 2:
        report = sender_report(dice)
        return VIDEO, report[:4] + struct.pack("!I", PICTURE + dice.below(2)) + report[8:]
    size = struct.pack("<HH", dice.odd_16(), dice.odd_16())
    marker = 0x80 if dice.one_in(2) else 0
    head = struct.pack("!BBHII", 0x80, rtp.VP8 | marker, number & 0xFFFF, dice.odd_32(), PICTURE)
    return VIDEO, head + b"\x10\x10\x00\x00\x9d\x01\x2a" + size + dice.take(dice.below(20))
