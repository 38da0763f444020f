"""A participant on a bad network: loses packets both ways, asks for what is missing, sends again what it is asked for.

It can go dark, and it may see several others, whose streams it tells apart by their SSRC.
"""

from __future__ import annotations

import random
import struct
import time
from typing import Any

from bench.media.film import MAGIC, STAMP, Piece
from bench.media.peer import Peer, ffi, lib
from video.media import rtcp, rtp

KEPT = 512
ASK_EVERY_S = 0.1
TRIES = 10
SILENT_S = 0.5
"""A stream of which nothing has come for so long has ended, or its way is dark: nobody can answer for it."""
TOO_MANY = 200
"""A wider gap is a pause or another stream, and is not asked for."""
_NUMBER = struct.Struct("!H")
_STAMPED = struct.Struct("!Q8s")


class Heard:
    """One stream of someone else, with what of it is missing."""

    def __init__(self) -> None:
        self.highest = -1
        self.came = self.gaps = self.repaired = self.given_up = self.cut_off = 0
        self.came_at = 0.0
        self.video = False
        self.missing: dict[int, tuple[float, int]] = {}
        """When it was last asked for, and how often."""

    def packet(self, number: int, *, now: float) -> list[int]:
        """The numbers to ask for now."""
        self.came += 1
        self.came_at = now
        if self.highest < 0:
            self.highest = number
            return []
        step = (number - self.highest) & 0xFFFF
        if step >= 0x8000 or step == 0:
            if self.missing.pop(number, None) is not None:
                self.repaired += 1
            return []
        gone = [(self.highest + offset) & 0xFFFF for offset in range(1, step)] if step <= TOO_MANY else []
        self.highest = number
        self.gaps += len(gone)
        for one in gone:
            self.missing[one] = (now, 1)
        return gone

    def again(self, *, now: float) -> list[int]:
        """What has waited for long enough to be asked for once more."""
        due = [(number, tries) for number, (asked, tries) in self.missing.items() if now - asked >= ASK_EVERY_S]
        for number, tries in due:
            if tries >= TRIES:
                del self.missing[number]
                if now - self.came_at > SILENT_S:
                    self.cut_off += 1
                else:
                    self.given_up += 1
            else:
                self.missing[number] = (now, tries + 1)
        return [number for number, _ in due if number in self.missing]


class LivelyPeer(Peer):
    loss = 0.0
    """Of every datagram, each way; the same for all peers of the process."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.dark_until = 0.0
        self.sends = True
        self.streams: dict[int, Heard] = {}
        self.repairs: dict[int, int] = {}
        """Which stream a retransmission belongs to: SSRC → SSRC. Empty where no RTX was agreed on."""
        self.counts = {"asked": 0, "answered": 0, "asked_of_us": 0, "pictures_wanted": 0}
        self._rtx_ssrc = random.getrandbits(31) | 1 << 16
        self._rtx_number = random.getrandbits(15)
        self._sent_lately: dict[str, list[tuple[int, int, Piece, bytes] | None]] = {
            "audio": [None] * KEPT,
            "video": [None] * KEPT,
        }

    def _lost(self) -> bool:
        return random.random() < self.loss or (self.dark_until > 0 and time.monotonic() < self.dark_until)

    # Out

    def _put(self, data: bytes | memoryview) -> bool:
        return self._lost() or super()._put(data)

    def send(self, piece: Piece, round_: int) -> None:
        super().send(piece, round_)
        kind = "video" if piece.video else "audio"
        number = self._sequence[kind]
        sent = b"" if self.repairs and piece.video else bytes(self._view[: self._length[0]])
        self._sent_lately[kind][number % KEPT] = (number, self._stamp_now[kind], piece, sent)

    def _send_again(self, kind: str, number: int) -> None:
        """RFC 4588; without RTX, as with sound, the same datagram once more."""
        kept = self._sent_lately[kind][number % KEPT]
        if kept is None or kept[0] != number:
            return
        _, stamp, piece, sent = kept
        if sent:
            self.counts["answered"] += 1
            self._put(sent)
            return
        plain = bytearray(piece.plain)
        plain[1] = (plain[1] & 0x80) | rtp.VP8
        struct.pack_into("!HII", plain, 2, number, stamp, self.ssrc["video"])
        self._counter = (self._counter + 1) & 0xFFFF
        _NUMBER.pack_into(plain, piece.counted_at, self._counter)
        if piece.stamped:
            _STAMPED.pack_into(plain, len(plain) - STAMP, time.time_ns(), MAGIC)
        self._rtx_number = (self._rtx_number + 1) & 0xFFFF
        packet = rtp.wrap_rtx(bytes(plain), number, self._rtx_number, self._rtx_ssrc, rtp.VP8_RTX)
        if packet is None:
            return
        self._buffer[0 : len(packet)] = packet
        self._length[0] = len(packet)
        if not lib.srtp_protect(self._tx, self._cdata, self._length):
            self.counts["answered"] += 1
            self._put(self._view[: self._length[0]])

    def tick(self, now: float) -> None:
        super().tick(now)
        if self.state == "up":
            for ssrc, stream in self.streams.items():
                self._ask(ssrc, stream.again(now=now))

    def _ask(self, ssrc: int, numbers: list[int]) -> None:
        if numbers:
            self.counts["asked"] += len(numbers)
            self._send_rtcp(rtcp.nack(ssrc, numbers))

    # In

    def _on_stun(self, data: bytes) -> None:
        if not self._lost():
            super()._on_stun(data)

    def _on_dtls(self, data: bytes) -> None:
        if not self._lost():
            super()._on_dtls(data)

    def _on_reports(self, size: int) -> None:
        if self._lost():
            return
        self._length[0] = size
        if lib.srtp_unprotect_rtcp(self._rx, self._cdata, self._length):
            self.tally.wrong += 1
            return
        wanted: list[tuple[str, int]] = []
        ours = {ssrc: kind for kind, ssrc in self.ssrc.items()}
        for kind, count, packet in rtcp.walk(bytes(ffi.buffer(self._cdata, self._length[0]))):
            if kind == rtcp.RTPFB and count == rtcp.NACK and rtcp.media_of(packet) in ours:
                wanted += [(ours[rtcp.media_of(packet)], number) for number in rtcp.nacked(packet)]
            elif kind == rtcp.PSFB and count in (rtcp.PLI, rtcp.FIR):
                self.counts["pictures_wanted"] += 1
        self.counts["asked_of_us"] += len(wanted)
        for one in wanted:
            self._send_again(*one)

    def _on_media(self, size: int, ancillary: list[tuple[int, int, bytes]]) -> None:
        if self._lost():
            return
        view = self._view
        kind, number = view[1] & 0x7F, view[2] << 8 | view[3]
        ssrc = int.from_bytes(view[8:12], "big")
        if kind == rtp.VP8_RTX:
            self._on_again(ssrc, size)
            return
        stream = self.streams.get(ssrc)
        if stream is None:
            stream = self.streams[ssrc] = Heard()
            stream.video = kind == rtp.VP8
        repairs = number in stream.missing
        if not repairs and stream.highest >= 0 and (number - stream.highest - 1) & 0xFFFF >= 0x8000:
            return  # sent again, and the first was only late
        measured = len(self.tally.latencies_us)
        super()._on_media(size, ancillary)
        if repairs:  # its age is that of the loss
            del self.tally.latencies_us[measured:]
        self._ask(ssrc, stream.packet(number, now=time.monotonic()))

    def _on_again(self, ssrc: int, size: int) -> None:
        stream = self.streams.get(self.repairs.get(ssrc, 0))
        self._length[0] = size
        if lib.srtp_unprotect(self._rx, self._cdata, self._length):
            self.tally.wrong += 1
            return
        packet = bytes(ffi.buffer(self._cdata, self._length[0]))
        at = rtp.payload_at(packet)
        if stream is None or at < 0 or len(packet) < at + 2:
            self.tally.wrong += 1
        elif stream.missing.pop(int.from_bytes(packet[at : at + 2], "big"), None) is not None:
            stream.repaired += 1
