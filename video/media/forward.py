"""One stream on its way down to one receiver: the identity it has there, and the joints between its sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

from video.media import rtcp, rtp
from video.media.downlink import Downlink
from video.media.source import OUTAGE_S, Source

AGAIN_PER_S = 300
"""Retransmissions to one receiver: a flood of requests must not become a flood of answers."""
ASKED_PER_S = 2000
"""Packets that a receiver may ask for, sent or not: looking for them costs too."""
FRAME_S = {"audio": 0.02, "video": 1 / 30}
SOUND_S = 0.15
"""Sound that is older when it could be sent (again) comes after its time: receivers wait some 0.1 s for what five lost
packets in a hundred would spare, and what comes later only unsettles their buffers."""
SAID = 64
"""Packets of sound kept as they were sent: more than a second."""
OUTAGE = 100
"""Packets missed in a row: whoever misses so many, or some of as much time as `OUTAGE_S`, was cut off. To send them all
again takes longer than a key frame, and their age would teach the receiver to wait for pictures."""
OUTAGE_LEAST = 8
SPAN = 0x4000
"""Numbers go round: how far back it is remembered where the stream began."""
LOOKED_AT = 0x1000
"""Of so many packets at least one is not just passed on, but looked at for this memory's sake."""


LATE_START = 0x10000 - 0x1000
"""SRTP counts how often the numbers went round, each end by itself. A receiver whose handshake isn't over yet misses
the first packets, and were they the last of a round, it could never open what follows: so no stream begins there."""


class Outlet(Protocol):
    """What a forward needs of the leg it leads to."""

    def send_rtp(self, packet: bytes, ssrc: int) -> None: ...

    def send_rtcp(self, packet: bytes) -> None: ...


class Forward:
    """The receiver sees one unbroken stream under `ssrc`, whatever happens to the publisher.

    A publisher who comes back has other SSRCs, numbers and clock. Numbers then go on from the last sent,
    stamps from the last plus the time passed. Until that first happens both offsets are zero and only the
    SSRC is replaced.
    """

    def __init__(self, outlet: Outlet, downlink: Downlink, kind: str, ssrc: int, rtx_ssrc: int) -> None:
        self.kind = kind
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.source: Source | None = None
        self.number_offset = self.stamp_offset = 0
        self.loss = 0.0
        self.asked = self.answered = 0
        self.paused = False
        """Nothing is sent: this picture makes way for what matters more on this downlink."""
        self._shut = False
        """Paused, or waiting for the key frame with which the picture comes back."""
        self._outlet = outlet
        self._downlink = downlink
        self._spliced_for = 0
        self._straight_for = -1
        """The source's stream, where nothing but its name must be changed."""
        self._last_number = -1
        self._last = b""
        """The newest packet as it was sent; its stamp is looked at only when the stream must be continued."""
        self._last_at = 0.0
        self._said: list[bytes] | None = [b""] * SAID if kind == "audio" else None
        self._first_number = 0
        self._rtx_number = 0
        self._again = self._looked = 0
        """Packets sent again, and packets asked for, since `_again_since`: a second at the most."""
        self._again_since = 0.0

    def attach(self, source: Source | None) -> None:
        if self.source is not None and self in self.source.forwards:
            self.source.forwards.remove(self)
        self.source = source
        self._spliced_for, self._straight_for = 0, -1
        if source is not None:
            source.forwards.append(self)
            source.keyframes.want()

    def media(self, packet: bytes, ssrc: int, number: int, now: float) -> None:
        """Sends one packet of the source `ssrc`; the hot path."""
        if ssrc == self._straight_for and number == self._last_number + 1 and number % LOOKED_AT:
            self._last_number, self._last, self._last_at = number, packet, now
        else:
            fitted = self._fitted(packet, ssrc, number, now)
            if fitted is None:
                return
            packet, number = fitted
        downlink = self._downlink
        if downlink.plain:
            downlink.last = packet
        else:
            packet = downlink.numbered(packet, now)
        if self._said is not None:
            self._said[number % SAID] = packet
        self._outlet.send_rtp(packet, self.ssrc)

    def _fitted(self, packet: bytes, ssrc: int, number: int, now: float) -> tuple[bytes, int] | None:
        """Joins the packet to what was sent before it, where that is more than following the last one."""
        if self._shut and not self._opens(packet, ssrc, number):
            return None
        if ssrc != self._spliced_for:
            self._splice(ssrc, number, packet, now)
        self._straight_for = ssrc
        if self.number_offset or self.stamp_offset:
            self._straight_for = -1
            number = (number + self.number_offset) & 0xFFFF
            packet = rtp.moved(packet, self.ssrc, number, rtp.timestamp(packet) + self.stamp_offset)
        if ((number - self._last_number) & 0xFFFF) < 0x8000:
            self._last_number, self._last, self._last_at = number, packet, now
            if ((number - self._first_number) & 0xFFFF) >= 2 * SPAN:
                self._first_number = (number - SPAN) & 0xFFFF
        elif ((number - self._first_number) & 0xFFFF) >= 0x8000 or (
            self._said is not None and self._is_too_late(packet)
        ):
            return None  # a number from before the joint was used for another packet
        return packet, number

    def pause(self, on: bool) -> None:
        """Stops the stream, or lets it go on with the next key frame, which it asks for."""
        if on == self.paused:
            return
        self.paused = self._shut = on
        self._straight_for = -1
        self.loss = 0.0
        if not on:
            self._shut = True
            if self.source is not None:
                self.source.keyframes.want()

    @property
    def waits(self) -> bool:
        """Whether nothing is sent only because no key frame has come."""
        return self._shut and not self.paused

    def _opens(self, packet: bytes, ssrc: int, number: int) -> bool:
        if self.paused or not rtp.is_vp8_keyframe(packet):
            return False
        self._shut = False
        if ssrc == self._spliced_for:  # the receiver must see no gap, or it would ask for what was left out
            self._first_number = (self._last_number + 1) & 0xFFFF
            self.number_offset = (self._first_number - number) & 0xFFFF
        return True

    def _splice(self, ssrc: int, number: int, packet: bytes, now: float) -> None:
        self._spliced_for = ssrc
        if self._last_number < 0:
            if number >= LATE_START:
                self.number_offset = 0x8000
            self._first_number = (number + self.number_offset) & 0xFFFF
            self._last_number = (self._first_number - 1) & 0xFFFF  # wherever it begins, nothing came before
            return
        rate = rtp.CLOCK_RATES[self.kind]
        passed = max(FRAME_S[self.kind], now - self._last_at)
        self._first_number = (self._last_number + 1) & 0xFFFF
        self.number_offset = (self._first_number - number) & 0xFFFF
        stamp = rtp.timestamp(self._last) + int(passed * rate)
        self.stamp_offset = (stamp - rtp.timestamp(packet)) & 0xFFFFFFFF

    def probe(self, packet: bytes, now: float) -> None:
        """Passes a retransmission on that repairs nothing here: probing, or padding, which must be accounted
        for.
        """
        if not self._spliced_for:
            return
        at = rtp.payload_at(packet)
        self._rtx_number = (self._rtx_number + 1) & 0xFFFF
        stamp = rtp.timestamp(packet) + self.stamp_offset
        head = rtp.moved(packet[:at], self.rtx_ssrc, self._rtx_number, stamp)
        body = packet[at:]
        if len(body) - rtp.padding_of(packet) >= 2:
            original = (int.from_bytes(body[:2], "big") + self.number_offset) & 0xFFFF
            body = original.to_bytes(2, "big") + body[2:]
        self._outlet.send_rtp(self._downlink.numbered(head + body, now), self.rtx_ssrc)

    def repair_all(self, numbers: Iterable[int], now: float) -> None:
        """As many of them as there is time for; a key frame in place of those that an outage swallowed."""
        if now - self._again_since >= 1:
            self._again = self._looked = 0
            self._again_since = now
        for run in _runs(islice(numbers, ASKED_PER_S)):
            if self._was_cut(run):
                self._looked += 1
                if self.source is not None:
                    self.source.keyframes.want()
                    self.source.ask_for_keyframe(now=now)
                continue
            for number in run:
                if self._looked >= ASKED_PER_S or self._again >= AGAIN_PER_S:
                    return
                self._looked += 1
                self.repair(number, now)

    def _was_cut(self, run: list[int]) -> bool:
        if self.kind != "video" or len(run) < OUTAGE_LEAST or self.source is None:
            return False
        ends = [self.source.kept((number - self.number_offset) & 0xFFFF) for number in (run[0], run[-1])]
        if len(run) > OUTAGE or ends[0] is None or ends[1] is None:
            return len(run) > OUTAGE
        passed = (rtp.timestamp(ends[1]) - rtp.timestamp(ends[0])) & 0xFFFFFFFF
        return OUTAGE_S * rtp.CLOCK_RATES["video"] < passed < 0x80000000

    def repair(self, number: int, now: float) -> bool:
        """Sends a kept packet again, by the receiver's number; False where there is none to send."""
        source = self.source
        self.asked += 1
        if source is None or not self._spliced_for or self._shut:
            return False
        if self._said is not None:
            return self._say_again(number, self._said[number % SAID])
        if ((number - self._first_number) & 0xFFFF) >= 0x8000:
            return False
        original = (number - self.number_offset) & 0xFFFF
        packet = source.kept(original)
        if packet is None:
            return original in source.missing
        if not self._downlink.spares(len(packet), now=now):
            return False
        self._again += 1
        self._rtx_number = (self._rtx_number + 1) & 0xFFFF
        plain = rtp.without_transport_sequence(packet)
        if self.stamp_offset:
            plain = rtp.moved(plain, self.ssrc, number, rtp.timestamp(plain) + self.stamp_offset)
        wrapped = rtp.wrap_rtx(plain, number, self._rtx_number, self.rtx_ssrc, rtp.VP8_RTX)
        if wrapped is not None:
            self.answered += 1
            self._outlet.send_rtp(wrapped, self.rtx_ssrc)
        return True

    def _say_again(self, number: int, packet: bytes) -> bool:
        """Sound has no stream for what is sent again: the very packet goes out once more.

        It must not differ by a bit from what was sent: two packets protected under one number would betray each other.
        """
        if not packet or rtp.sequence(packet) != number or self._is_too_late(packet):
            return False
        self._again += 1
        self.answered += 1
        self._outlet.send_rtp(packet, self.ssrc)
        return True

    def _is_too_late(self, packet: bytes) -> bool:
        """Whether sound is too old for the ear; the record has it all the same."""
        passed = (rtp.timestamp(self._last) - rtp.timestamp(packet)) & 0xFFFFFFFF
        return SOUND_S * rtp.CLOCK_RATES["audio"] < passed < 0x80000000

    def sender_report(self, packet: bytes) -> None:
        """Lets the receiver align sound and picture: the publisher's wall clock, this stream's stamps."""
        if self._spliced_for and self._spliced_for == rtcp.sender_of(packet):
            moved = rtcp.moved_sr(packet, self.ssrc, self.stamp_offset)
            if moved is not None:
                self._outlet.send_rtcp(moved)

    def report_for_source(self, block: rtcp.Block) -> rtcp.Block | None:
        """A receiver's report block as the publisher must read it."""
        if self.source is None or self._spliced_for != self.source.ssrc:
            return None
        highest = (block.highest & 0xFFFF0000) | ((block.highest - self.number_offset) & 0xFFFF)
        return block._replace(ssrc=self.source.ssrc, highest=highest)


def _runs(numbers: Iterable[int]) -> Iterator[list[int]]:
    """The numbers, those that follow each other together."""
    run: list[int] = []
    for number in numbers:
        if run and (number - run[-1]) & 0xFFFF != 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run
