"""One participant's connection with the node: sockets, ICE, DTLS, SRTP. Plain packets out, plain packets in."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Literal

from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceParameters
from aiortc.rtcdtlstransport import RTCDtlsParameters

from video.media import hooks, rtcp, sdp
from video.media.datagrams import ROOM, Inbox
from video.media.limits import REPORT_WEIGHT, Allowance
from video.media.sockets import Sockets
from video.media.tally import RoundTrip, Tally

log = logging.getLogger(__name__)

State = Literal["new", "connecting", "up", "down"]

CONNECT_S = 15.0
ANSWER_S = 20.0
SILENT_S = 2.0
DOWN_S = 6.0
MOST_STREAMS = 64
"""SSRCs, more than the router follows with all that is sent again. For each that proved itself libsrtp keeps a stream
and looks through all of them at every packet: with thousands one participant would hold up every meeting here."""
REPORTS = frozenset({rtcp.SR, rtcp.RR})
Handler = Callable[[bytes, float], None]


def _nothing(packet: bytes, now: float) -> None:
    """Where packets go while nobody listens."""


class Leg:
    """States: new → connecting → up → down. A leg that is down never comes back: the participant gets a new
    one.

    ICE consent needs about 30 s to notice that a participant is gone; `silence` is measured from the last
    authenticated packet (or STUN from the known address) and its owner decides by `SILENT_S` and `DOWN_S`.
    """

    def __init__(
        self,
        name: str,
        *,
        sockets: Sockets,
        changed: Callable[[Leg], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.state: State = "new"
        self.slots = tuple(
            sdp.SlotStreams(*(secrets.randbits(31) | 1 << 16 for _ in range(3))) for _ in range(sdp.SLOTS)
        )
        self.on_rtp: Handler = _nothing
        self.on_rtcp: Handler = _nothing
        self.heard_at = monotonic()
        self.packets_in = self.packets_out = self.refused = 0
        self.bytes_in = self.bytes_out = 0
        self.reports_in = 0
        self.trip = RoundTrip()
        self.tally: Tally | None = None
        self._ssrcs: Sequence[int] = ()
        self._streams: set[bytes] = set()
        self._allowance = Allowance(now=self.heard_at)
        self._sockets = sockets
        self._changed = changed
        self._monotonic = monotonic
        self._ice = hooks.ice_transport()
        self._dtls = RTCDtlsTransport(self._ice, [RTCCertificate.generateCertificate()])
        self._keys: hooks.Keys | None = None
        self._way = hooks.Way(self._ice)
        self._connecting: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    def offer(self) -> str:
        """Says how to reach the leg; raises OSError where there is no socket."""
        return sdp.offer(self.open())

    def open(self) -> sdp.Ours:
        candidates = hooks.attach(self._ice, self._sockets.ports, self.media, self._alive)
        ice = self._ice.iceGatherer.getLocalParameters()
        prints = self._dtls.getLocalParameters().fingerprints
        return sdp.Ours(
            leg=self.name,
            ufrag=ice.usernameFragment or "",
            password=ice.password or "",
            fingerprint=next(entry.value for entry in prints if entry.algorithm == "sha-256"),
            candidates=tuple(candidate.to_sdp() for candidate in candidates),
            slots=self.slots,
        )

    def accept(self, text: str) -> sdp.Answer:
        """Starts connecting by the participant's answer; raises `sdp.BadAnswer`."""
        if self.state != "new":
            raise sdp.BadAnswer("answered already")
        answer = sdp.read_answer(text)
        self.connect(answer)
        return answer

    def connect(self, remote: sdp.Answer) -> None:
        """Waits for the participant's checks and handshake."""
        self._become("connecting")
        self._connecting = asyncio.ensure_future(self._connect(remote))

    async def _connect(self, answer: sdp.Answer) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._ice.start(RTCIceParameters(answer.ufrag, answer.password))
                if self._ice.state != "completed":
                    raise ConnectionError("ICE " + self._ice.state)
                hooks.go_on_checking(self._ice)
                hooks.as_server(self._dtls, answer.active)
                await self._dtls.start(RTCDtlsParameters(fingerprints=list(answer.fingerprints)))
                if self._dtls.state != "connected":
                    raise ConnectionError("DTLS " + self._dtls.state)
        except (ConnectionError, TimeoutError, OSError) as error:
            log.info("leg %s did not connect: %s", self.name, error or type(error).__name__)
            self.fail()
            return
        except Exception:
            log.exception("leg %s did not connect", self.name)
            self.fail()
            return
        if self.state != "connecting":
            return
        self._keys = hooks.Keys(self._dtls)
        self.heard_at = self._monotonic()
        self._dtls.add_listener("statechange", self._lower_changed)
        self._ice.add_listener("statechange", self._lower_changed)
        self._become("up")

    def _lower_changed(self) -> None:
        if self._dtls.state != "connected" or self._ice.state != "completed":
            self.fail()

    def media(self, inbox: Inbox, index: int, size: int, now: float) -> bool:
        """One protected datagram, opened where it lies; False where it is not this participant's."""
        keys = self._keys
        if keys is None or size < 8:
            return False
        at = index * ROOM
        reports = 192 <= inbox.firsts[at + 1] <= 223
        stream = inbox.octets[at + 4 : at + 8] if reports else inbox.octets[at + 8 : at + 12]
        known = stream in self._streams
        if not known and len(self._streams) >= MOST_STREAMS:
            self.refused += 1
            return False
        length = keys.open(inbox.pointers[index], size, reports)
        if length < 0:
            self.refused += 1
            return False
        if not known:
            self._streams.add(stream)
        plain = inbox.octets[at : at + length]
        self.heard_at = now
        self.packets_in += 1
        self.bytes_in += size
        if not reports:
            self.on_rtp(plain, now)
        else:
            self.reports_in += 1
            if plain[1] in REPORTS:
                self.trip.heard(plain, now=now)
            self.on_rtcp(plain, now)
        return True

    def _alive(self) -> None:
        self.heard_at = self._monotonic()

    def known_by(self, ssrcs: Sequence[int]) -> None:
        """By which of its streams the participant is known when packets come from a new address."""
        if ssrcs != self._ssrcs:
            self._ssrcs = ssrcs
            hooks.known_by(self._ice, ssrcs)

    def send_rtp(self, packet: bytes, ssrc: int) -> None:
        """Sends a plain packet under `ssrc`; one that cannot be sent is lost like any other."""
        keys = self._keys
        if keys is not None:
            size = self._way.rtp(packet, ssrc, keys.outward)
            if size:
                self.packets_out += 1
                self.bytes_out += size

    def send_rtcp(self, packet: bytes) -> None:
        keys = self._keys
        if keys is not None:
            if packet[1] == rtcp.SR:
                self.trip.sent(packet, now=self._monotonic())
            self._way.rtcp(packet, keys.outward)

    def is_flooding(self, *, now: float) -> bool:
        """Whether it sends more than any browser does; what didn't prove itself may be anybody's and isn't counted."""
        return self._allowance.is_spent(self.packets_in + (REPORT_WEIGHT - 1) * self.reports_in, now=now)

    def silence(self, *, now: float) -> float:
        return now - self.heard_at

    def fail(self) -> None:
        """The connection is of no more use: nothing passes from now on, the sockets close behind."""
        if self.state != "down":
            self._become("down")
            self._release()

    def cut(self) -> None:
        """From this moment nothing passes in either direction; the owner is not told."""
        self._changed = lambda leg: None
        self.state = "down"
        self._release()

    async def close(self) -> None:
        """Cuts the leg and waits a little for its farewell to leave."""
        self.cut()
        if self._closing is not None:
            await asyncio.wait([self._closing], timeout=2)

    def _release(self) -> None:
        self.on_rtp = self.on_rtcp = _nothing
        self._keys = None
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._stop())

    async def _stop(self) -> None:
        current, self._connecting = self._connecting, None
        if current is not None and not current.done() and current is not asyncio.current_task():
            current.cancel()
        self._dtls.remove_all_listeners()
        self._ice.remove_all_listeners()
        for step in (self._dtls.stop, self._ice.stop):
            try:
                await step()
            except Exception:
                log.debug("leg %s did not stop in order", self.name, exc_info=True)
        hooks.let_go(self._ice)

    def _become(self, state: State) -> None:
        self.state = state
        self._changed(self)


def is_silent(leg: Leg, *, now: float) -> bool:
    return leg.state == "up" and leg.silence(now=now) >= SILENT_S


def is_unanswered(leg: Leg, *, now: float) -> bool:
    """Whether an offer has waited too long for its answer."""
    return leg.state == "new" and leg.silence(now=now) >= ANSWER_S


def is_gone(leg: Leg, *, now: float) -> bool:
    return leg.state == "up" and leg.silence(now=now) >= DOWN_S
