"""What became of one leg, counted while it lives: kept per participant when the leg ends and each half minute.

The packets' own path counts nothing but packets and bytes; everything else is read twice a second from what router and
sources know anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from video.media import rtcp
from video.media.directory import LegSummary

if TYPE_CHECKING:
    from video.media.router import Endpoint

REPORT_S = 30.0
STILL_S = 1.0
"""A camera that is on and sends nothing for so long stands still on every screen."""
RATE_S = 2.0
"""Over which a bitrate is taken."""
REMEMBERED = 32
ABSURD_S = 10.0


class RoundTrip:
    """The time to a participant and back, from the echo of sender reports (RFC 3550 §6.4.1)."""

    def __init__(self) -> None:
        self.count = 0
        self.least = self.most = self._sum = 0.0
        self.lately: float | None = None
        """Smoothed over the last few, as TCP does (RFC 6298): what holds now, not on the average of the meeting."""
        self._sent: dict[int, float] = {}

    @property
    def mean(self) -> float:
        return self._sum / self.count if self.count else 0.0

    def sent(self, report: bytes, *, now: float) -> None:
        self._sent[rtcp.sr_middle(report)] = now
        if len(self._sent) > REMEMBERED:
            del self._sent[next(iter(self._sent))]

    def heard(self, compound: bytes, *, now: float) -> None:
        for kind, count, packet in rtcp.walk(compound):
            if kind not in (rtcp.SR, rtcp.RR):
                continue
            for block in rtcp.blocks(kind, count, packet):
                sent = self._sent.get(block.last_sr) if block.last_sr else None
                if sent is not None:
                    self._took(now - sent - block.delay / 65536)

    def _took(self, seconds: float) -> None:
        if not 0 <= seconds < ABSURD_S:
            return
        self.least = min(self.least, seconds) if self.count else seconds
        self.most = max(self.most, seconds)
        self._sum += seconds
        self.count += 1
        self.lately = seconds if self.lately is None else self.lately + (seconds - self.lately) / 8


class Counted(Protocol):
    """What a tally reads of a leg."""

    name: str
    packets_in: int
    bytes_in: int
    packets_out: int
    bytes_out: int
    trip: RoundTrip


class Rate:
    """Least and most of a bitrate, in kilobits per second."""

    def __init__(self, *, now: float) -> None:
        self.least: float | None = None
        self.most: float | None = None
        self._at, self._bytes = now, 0

    def read(self, total: int, *, now: float) -> None:
        elapsed = now - self._at
        if elapsed < RATE_S:
            return
        rate = 8 * (total - self._bytes) / elapsed / 1000
        self._at, self._bytes = now, total
        self.least = rate if self.least is None else min(self.least, rate)
        self.most = rate if self.most is None else max(self.most, rate)


class Tally:
    def __init__(self, leg: Counted, endpoint: Endpoint, *, began_at: float, drops: int, now: float) -> None:
        self._leg = leg
        self._endpoint = endpoint
        self._began_at = began_at
        self._drops = drops
        self._now = self._began = self._reported = now
        self._in, self._out = Rate(now=now), Rate(now=now)
        self._silences = self._stills = 0
        self._silent = False
        self._silent_s = 0.0
        self._picture = -1
        self._picture_at = now
        self._still = False
        self._worst = 0.0

    def look(self, *, silent: bool, camera: bool, now: float) -> bool:
        """Twice a second; True when it is time to report."""
        elapsed, self._now = now - self._now, now
        if silent:
            self._silent_s += elapsed
            self._silences += not self._silent
        self._silent = silent
        self._watch_picture(camera, now)
        self._in.read(self._leg.bytes_in, now=now)
        self._out.read(self._leg.bytes_out, now=now)
        seen = [forward.loss for slot in self._endpoint.slots for forward in (slot.audio, slot.video)]
        self._worst = max([self._worst, *seen])
        if now - self._reported < REPORT_S:
            return False
        self._reported = now
        return True

    def _watch_picture(self, camera: bool, now: float) -> None:
        video = self._endpoint.video
        if not camera or not video.ssrc or video.highest != self._picture:
            self._picture, self._picture_at, self._still = video.highest, now, False
        elif now - self._picture_at >= STILL_S and not self._still:
            self._still = True
            self._stills += 1

    def summary(self, *, drops: int, over: bool) -> LegSummary:
        leg, trip = self._leg, self._leg.trip
        sources = (self._endpoint.audio, self._endpoint.video)
        forwards = [forward for slot in self._endpoint.slots for forward in (slot.audio, slot.video)]
        return LegSummary(
            leg=leg.name,
            began_at=self._began_at,
            over=over,
            seconds=round(self._now - self._began, 1),
            packets_in=leg.packets_in,
            bytes_in=leg.bytes_in,
            packets_out=leg.packets_out,
            bytes_out=leg.bytes_out,
            lost_in=sum(source.lost for source in sources),
            asked_in=sum(source.asked for source in sources),
            repaired_in=sum(source.repaired for source in sources),
            unfilled_in=sum(source.unfilled for source in sources),
            asked_out=sum(forward.asked for forward in forwards),
            answered_out=sum(forward.answered for forward in forwards),
            worst_loss_out=round(self._worst, 3),
            silences=self._silences,
            silent_s=round(self._silent_s, 1),
            stills=self._stills,
            rtt_ms_least=_ms(trip.least) if trip.count else None,
            rtt_ms_mean=_ms(trip.mean) if trip.count else None,
            rtt_ms_most=_ms(trip.most) if trip.count else None,
            kbps_in_least=_rounded(self._in.least),
            kbps_in_most=_rounded(self._in.most),
            kbps_out_least=_rounded(self._out.least),
            kbps_out_most=_rounded(self._out.most),
            link_drops=drops - self._drops,
        )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 1)
