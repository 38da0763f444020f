"""What one participant sends, one kind of it: loss, repair, key frames, reception reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from video.media import rtcp, rtp
from video.media.rtcp import Block

if TYPE_CHECKING:
    from video.media.forward import Forward

ENOUGH = 25
"""Packets below which a loss is no rate."""
CACHE = 512
"""Video packets kept for retransmission: about two seconds of 720p."""
KEYFRAME_EVERY_S = 0.3
SEEK_S, SLOW_SEEK_S = 10.0, 60.0
"""A recording can be entered at key frames alone, and a browser makes none by itself. On a thin line one takes the
place of many pictures, so there it is asked for seldom."""
BRISK = 60
"""Packets a second, about 500 kbit/s, from which a key frame goes by unnoticed."""
LATE_S = 1.0
"""After which a picture that still lacks something is worth a key frame; what lacks is asked for on, for the record."""
GIVE_UP_S = 3.0
"""A publisher doesn't keep what it sent much longer."""
TOO_MANY = 200
"""A gap this wide, or as many packets missing at one time, are not worth asking for: a key frame is cheaper."""
OUTAGE_S = 0.4
"""A gap this long by its stamps was no loss but a line that was cut, and the publisher's estimate of it is low now: old
pictures would take the place of live ones for seconds. A key frame, then. Sound is small enough to be asked for."""
FILLED = 2048
"""Numbers that were filled by a retransmission, kept in mind: SRTP opens nothing that is 1024 or more behind."""
WAITED_S = 0.5
"""A receiver that is sent nothing until a key frame comes can't ask for one, and the node's request may be lost."""
STARTS_EVERY_S = 0.1
STARTS = 20
"""A sender may be swapped, each time as another track of the recording; one that changes its SSRC with every packet is
not followed."""


class Keyframes:
    """Asks for a key frame at most once per 300 ms; a wish in between is kept and granted when its time
    comes.
    """

    def __init__(self) -> None:
        self._wanted = False
        self._last = float("-inf")

    def want(self) -> None:
        self._wanted = True

    def want_every(self, seconds: float, *, now: float) -> None:
        if now - self._last >= seconds:
            self._wanted = True

    def due(self, *, now: float) -> bool:
        if not self._wanted or now - self._last < KEYFRAME_EVERY_S:
            return False
        self._wanted = False
        self._last = now
        return True


class Patience:
    """How long an answer to a request takes here, and so how long to wait before asking again.

    RFC 6298 with the time from a request to the packet that it brought, but less patient: a request that wasn't needed
    costs a few bytes, for publishers don't answer twice within a round trip. What was asked for more than once says
    nothing (Karn: which request was it?), unless that goes on: then the line has become slower than we are patient.
    """

    FIRST_S = 0.1
    LEAST_S = 0.02
    MOST_S = 1.0
    UNSURE = 8

    def __init__(self) -> None:
        self.wait_s = self.FIRST_S
        self._mean: float | None = None
        self._spread = 0.0
        self._unsure = 0

    def answered(self, seconds: float, *, tries: int) -> None:
        """A packet came so long after it was first asked for."""
        if tries > 1:
            self._unsure += 1
            if self._mean is not None and self._unsure < self.UNSURE:
                return
        self._unsure = 0
        if self._mean is None:
            self._mean, self._spread = seconds, seconds / 2
        else:
            self._spread += (abs(seconds - self._mean) - self._spread) / 4
            self._mean += (seconds - self._mean) / 8
        self.wait_s = min(self.MOST_S, max(self.LEAST_S, self._mean + max(0.005, 2 * self._spread)))


class Wanted:
    """One packet that did not come."""

    __slots__ = ("again_at", "late", "since", "tries", "wait_s")

    def __init__(self, now: float, wait_s: float) -> None:
        self.since = now
        self.wait_s = wait_s
        self.again_at = now + wait_s
        self.tries = 1
        self.late = False


class Missing:
    """Sequence numbers that did not come, and when to ask for them again.

    A single request is not enough: it or the answer may get lost too, and then picture and record stand
    still. On a short line the second request can come before anybody sees that the first was lost.
    """

    BACKOFF = 1.5
    AT_FULL_PACE = 5
    """Requests that leave without ever longer waits between them: on a bad line each has a good chance to be lost."""

    def __init__(self) -> None:
        self.due = float("inf")
        """When `again` has something to do: looked at for every packet."""
        self.patience = Patience()
        self._wanted: dict[int, Wanted] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._wanted

    def __len__(self) -> int:
        return len(self._wanted)

    def gap(self, numbers: list[int], *, now: float) -> None:
        wait = self.patience.wait_s
        for number in numbers:
            self._wanted[number] = Wanted(now, wait)
        self.due = min(self.due, now + wait)

    def came(self, number: int, *, now: float) -> bool:
        wanted = self._wanted.pop(number, None)
        if wanted is None:
            return False
        self.patience.answered(now - wanted.since, tries=wanted.tries)
        if not self._wanted:
            self.due = float("inf")
        return True

    def again(self, *, now: float) -> tuple[list[int], bool]:
        """The numbers to ask for once more, and whether some have just become late."""
        ask: list[int] = []
        late = False
        self.due = float("inf")
        for number, wanted in list(self._wanted.items()):
            if now >= wanted.again_at:
                age = now - wanted.since
                if age >= GIVE_UP_S:
                    del self._wanted[number]
                    continue
                if age >= LATE_S and not wanted.late:
                    wanted.late = late = True
                ask.append(number)
                wanted.tries += 1
                if wanted.tries >= self.AT_FULL_PACE:
                    wanted.wait_s = min(self.patience.MOST_S, wanted.wait_s * self.BACKOFF)
                wanted.again_at = now + wanted.wait_s
            self.due = min(self.due, wanted.again_at)
        return ask, late

    def clear(self) -> None:
        """What was waited for is of no more use; how long answers take is still true."""
        self._wanted.clear()
        self.due = float("inf")


class Reception:
    """Statistics for a reception report (RFC 3550 §6.4.1, appendix A.3 and A.8)."""

    def __init__(self, clock_rate: int) -> None:
        self._rate = clock_rate
        self._base = -1
        self._highest = 0
        self._received = 0
        self._expected_before = self._received_before = 0
        self._transit: float | None = None
        self._jitter = 0.0
        self._last_sr = 0
        self._sr_at = 0.0

    def packet(self, number: int, stamp: int, *, now: float) -> None:
        if self._base < 0:
            self._base = self._highest = number
        step = (number - self._highest) & 0xFFFF
        if 0 < step < 0x8000:
            self._highest += step
        self._received += 1
        transit = now * self._rate - stamp
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < self._rate * 10:
                self._jitter += (change - self._jitter) / 16
        self._transit = transit

    def sender_report(self, packet: bytes, *, now: float) -> None:
        self._last_sr = rtcp.sr_middle(packet)
        self._sr_at = now

    def block(self, ssrc: int, *, now: float) -> Block | None:
        if self._base < 0:
            return None
        expected = self._highest - self._base + 1
        lost = max(0, min(0x7FFFFF, expected - self._received))
        interval = expected - self._expected_before
        lost_now = interval - (self._received - self._received_before)
        fraction = 0 if interval <= 0 or lost_now <= 0 else min(255, (lost_now << 8) // interval)
        self._expected_before, self._received_before = expected, self._received
        delay = int((now - self._sr_at) * 65536) & 0xFFFFFFFF if self._last_sr else 0
        return Block(ssrc, fraction << 24 | lost, self._highest & 0xFFFFFFFF, int(self._jitter), self._last_sr, delay)


class Source:
    """One stream of a publisher as it arrives, whoever receives it.

    `ssrc` is learned from the first packet of the payload type: the offer allows one audio and one video
    stream a leg, so the type says it all, and a participant who swaps the sender is followed.
    """

    def __init__(self, kind: str, connection: str, participant_id: str, send_rtcp: Callable[[bytes], None]) -> None:
        self.kind = kind
        self.connection = connection
        self.participant_id = participant_id
        self.forwards: list[Forward] = []
        self.ssrc = 0
        """0 until something came, and the name of no stream."""
        self.highest = -2
        """Nothing follows this: the first packet is looked at."""
        self.track = ""
        self.keyframes = Keyframes()
        self.missing = Missing()
        self.reception = Reception(rtp.CLOCK_RATES[kind])
        self.lost = self.asked = self.repaired = self.unfilled = 0
        """Counted over the whole leg, for the tally."""
        self.repairs = True
        """Whether the publisher sends again what it is asked for; not every device does."""
        self.pace = 0
        """Packets between the last two looks at the loss, a second apart."""
        self._generation = 0
        self._started_at = float("-inf")
        self._send_rtcp = send_rtcp
        self.cache: list[bytes | None] | None = [None] * CACHE if kind == "video" else None
        """Packet n at n % CACHE, to be sent again; None for sound, of which each receiver's own packets are kept."""
        self._filled: dict[int, None] = {}
        self._gaps = 0
        self._measured_from = self.highest

    def may_start(self, *, now: float) -> bool:
        """Whether another stream is followed at this moment; asked once for each, before `started`."""
        if now - self._started_at < STARTS_EVERY_S or self._generation >= STARTS:
            return False
        self._started_at = now
        return True

    def started(self, ssrc: int, number: int) -> None:
        """Another stream begins: numbering, clock and journal track are new."""
        self.ssrc = ssrc
        self.highest = self._measured_from = (number - 1) & 0xFFFF
        self._gaps = 0
        self._generation += 1
        self.track = f"{self.connection}/{self.kind}"
        if self._generation > 1:
            self.track += f".{self._generation}"
        self.missing.clear()
        self._filled.clear()
        self.reception = Reception(rtp.CLOCK_RATES[self.kind])
        if self.cache is not None:
            self.cache = [None] * CACHE
            self.keyframes.want()

    def arrived(self, number: int, packet: bytes, *, now: float) -> bool:
        """Follows the numbering; asks at once for what a gap leaves out. False where the packet must go no further.

        Sound too: what comes late for the ear still completes the record.
        """
        if not self.ssrc:
            return False
        step = (number - self.highest) & 0xFFFF
        if step == 1:
            self.highest = number
        elif step >= 0x8000:
            came = self.missing.came(number, now=now)
            self.repaired += came
            return came or number not in self._filled
        elif step:
            self._gaps += step - 1
            self.lost += step - 1
            if not self.repairs or max(step, len(self.missing)) > TOO_MANY or self._was_cut(packet):
                self.missing.clear()
                self._give_up()
            else:
                gone = [(self.highest + offset) & 0xFFFF for offset in range(1, step)]
                self.missing.gap(gone, now=now)
                self.asked += len(gone)
                self._send_rtcp(rtcp.nack(self.ssrc, gone))
            self.highest = number
        return True

    def filled(self, number: int) -> None:
        """A retransmission stands here now. Should the packet itself come after it, its header is another one, and the
        two, protected under one number, would betray each other.
        """
        self._filled[number] = None
        if len(self._filled) > FILLED:
            del self._filled[next(iter(self._filled))]

    def _was_cut(self, packet: bytes) -> bool:
        before = self.kept(self.highest)
        if before is None:
            return False
        passed = (rtp.timestamp(packet) - rtp.timestamp(before)) & 0xFFFFFFFF
        return OUTAGE_S * rtp.CLOCK_RATES["video"] < passed < 0x80000000

    def loss(self) -> float:
        """The part that did not come by itself since the last call, whether or not it was repaired."""
        self.pace = expected = (self.highest - self._measured_from) & 0xFFFF
        gaps, self._gaps, self._measured_from = self._gaps, 0, self.highest
        return gaps / expected if expected >= ENOUGH else 0.0

    def kept(self, number: int) -> bytes | None:
        packet = self.cache[number % CACHE] if self.cache is not None else None
        return packet if packet is not None and rtp.sequence(packet) == number else None

    def tick(self, *, now: float) -> None:
        """Called every 50 ms: repeats requests that had no answer."""
        if not self.ssrc:
            return
        if now >= self.missing.due:
            self.ask_again(now=now)
        if self.kind == "video":
            self.keyframes.want_every(SEEK_S if self.pace >= BRISK else SLOW_SEEK_S, now=now)
            self.ask_for_keyframe(now=now)

    def is_waited_for(self, *, now: float) -> None:
        """Somebody sees nothing until a key frame comes: the wish is repeated when an answer is overdue."""
        self.keyframes.want_every(max(WAITED_S, 2 * self.missing.patience.wait_s), now=now)

    def ask_again(self, *, now: float) -> None:
        """To be called whenever `missing.due` has come: on a short line that is before the next tick."""
        ask, late = self.missing.again(now=now)
        if ask:
            self.asked += len(ask)
            self._send_rtcp(rtcp.nack(self.ssrc, ask))
        if late:
            self._give_up()

    def _give_up(self) -> None:
        """A gap will be seen; one that is only heard is over already."""
        if self.kind == "video":
            self.unfilled += 1
            self.keyframes.want()

    def ask_for_keyframe(self, *, now: float) -> None:
        if self.kind == "video" and self.ssrc and self.keyframes.due(now=now):
            self._send_rtcp(rtcp.pli(self.ssrc))
