"""A router with four legs in memory: three people who behave, one who sends anything. The three must not notice."""

from __future__ import annotations

import time
from collections import defaultdict
from itertools import pairwise

from tests.fuzz.dice import Dice, damaged
from tests.fuzz.seeds import compound, feedback, rtp_packet
from video.media import rtcp, rtp
from video.media.datagrams import LARGEST
from video.media.router import Endpoint, Router
from video.media.sdp import SlotStreams
from video.media.source import STARTS

SLOTS = tuple(SlotStreams(audio=100 * n + 1, video=100 * n + 2, rtx=100 * n + 3) for n in (1, 2, 3))
GOOD = ("minister", "aide", "signer")
BAD = "sara"
HEADER = 12


class Outlet:
    """Refuses what a leg could not send; remembers the numbers of what it took."""

    def __init__(self) -> None:
        self.numbers: dict[int, list[int]] = defaultdict(list)
        self.reports = 0
        self.octets = 0

    def send_rtp(self, packet: bytes, ssrc: int) -> None:
        assert len(packet) >= HEADER and 0 <= ssrc < 1 << 32
        self.octets += len(packet)
        self.numbers[ssrc].append(packet[2] << 8 | packet[3])

    def send_rtcp(self, packet: bytes) -> None:
        assert rtcp.is_rtcp(packet) and len(packet) % 4 == 0
        self.octets += len(packet)
        self.reports += 1


class Tape:
    def __init__(self) -> None:
        self.tracks: set[str] = set()
        self.packets: dict[str, int] = defaultdict(int)

    def write(self, leg: str, participant_id: str, kind: str, packet: bytes, now: float) -> None:
        self.tracks.add(leg)
        self.packets[participant_id] += 1

    def report(self, leg: str, packet: bytes, *, now: float) -> None:
        assert len(packet) >= 28

    def hand_over(self) -> None:
        return None


class Hall:
    def __init__(self, good: tuple[str, ...] = GOOD) -> None:
        self.now = 100.0
        self.tape = Tape()
        self.router = Router(self.tape, monotonic=lambda: self.now)
        self.outlets = {who: Outlet() for who in (*good, BAD)}
        self.good = good
        people = [*good, BAD]
        for who in people:
            seats = dict(enumerate(one for one in people if one != who))
            self.router.add(f"{who}/1", who, self.outlets[who], SLOTS[: len(people) - 1], seats)
        self.router.flow(True)
        self._number = 0
        self._ticked = self.now
        self.spent = 0.0
        """Seconds of processor that the hostile packets, and the clock, cost."""
        self.usual = 0.0
        """Seconds of processor that everybody else's packets cost: what a hostile one's price is measured by."""
        self.hostile = self.octets = 0
        """Packets that were sent, and their size."""

    @property
    def number(self) -> int:
        """The newest sequence number of everybody else."""
        return self._number

    @property
    def bad(self) -> Endpoint:
        return self.router.endpoints[BAD]

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        if self.now - self._ticked >= 0.05:
            self._ticked = self.now
            began = time.thread_time()
            self.router.tick(now=self.now)
            self.spent += time.thread_time() - began

    def good_round(self) -> None:
        """Each of the others sends one packet of each kind, in order."""
        self._number = (self._number + 1) & 0xFFFF
        began = time.thread_time()
        for index, who in enumerate(self.good):
            for kind, base in ((rtp.VP8, 0x1000), (rtp.OPUS, 0x2000)):
                head = bytes((0x90, kind)) + self._number.to_bytes(2, "big") + (self._number * 960).to_bytes(4, "big")
                head += (base + index).to_bytes(4, "big") + b"\xbe\xde\x00\x01\x31"
                packet = head + self._number.to_bytes(2, "big") + b"\0" + b"\x10\x00sound"
                self.router.endpoints[who].on_rtp(packet, self.now)
        self.usual += time.thread_time() - began

    @property
    def price(self) -> float:
        """How many times as much as a usual packet a hostile one cost."""
        usual = self.usual / (2 * len(self.good) * self._number)
        return self.spent / max(1, self.hostile) / usual

    def media(self, packet: bytes) -> None:
        self.hostile += 1
        self.octets += len(packet)
        began = time.thread_time()
        if len(packet) >= HEADER and rtp.looks_sound(packet) and not rtcp.is_rtcp(packet):  # as libsrtp has it
            self.bad.on_rtp(packet[:LARGEST], self.now)
        self.spent += time.thread_time() - began

    def report(self, packet: bytes) -> None:
        self.hostile += 1
        self.octets += len(packet)
        began = time.thread_time()
        if len(packet) >= 8 and rtcp.is_rtcp(packet):
            self.bad.on_rtcp(packet[:LARGEST], self.now)
        self.spent += time.thread_time() - began

    def check(self) -> None:
        """What the three sent each other arrived, all of it, once, in order; and little was kept of the fourth."""
        people = [*self.good, BAD]
        for who in self.good:
            others = [one for one in people if one != who]
            for slot, other in zip(SLOTS, others, strict=False):
                for ssrc in (slot.audio, slot.video):
                    seen = self.outlets[who].numbers[ssrc]
                    steps = {(after - before) & 0xFFFF for before, after in pairwise(seen)}
                    if other != BAD:
                        assert steps <= {1}, (who, other, steps)
                        assert len(seen) == self._number, (who, other, len(seen), self._number)
            assert self.tape.packets[who] == 2 * self._number
        assert len(self.tape.tracks) <= 2 * len(people) + 2 * STARTS, len(self.tape.tracks)
        for source in (self.bad.audio, self.bad.video):
            assert len(source.missing) <= 512
        if self.bad.arrivals is not None:
            assert len(self.bad.arrivals._seen) <= 5000


def hall(data: bytes) -> None:
    """A few dozen hostile packets, and every kind of them."""
    dice = Dice(data)
    stage = Hall(GOOD if dice.one_in(2) else GOOD[:1])
    while not dice.used_up:
        stage.good_round()
        hostile(dice, stage)
        stage.pass_time(dice.pick((0.001, 0.02, 0.05, 0.4, 5.0)))
    stage.check()


def hostile(dice: Dice, stage: Hall) -> None:
    kind = dice.below(6)
    if kind < 2:
        stage.media(damaged(dice, rtp_packet(dice), most=3))
    elif kind == 2:
        stage.media(rtp_packet(dice, kind=dice.pick((rtp.VP8, rtp.OPUS, rtp.VP8_RTX)), ssrc=dice.pick((1, 2, 3))))
    elif kind == 3:
        stage.report(damaged(dice, compound(dice), most=3))
    elif kind == 4:
        stage.report(compound(dice))
    else:
        stage.report(feedback(dice))
