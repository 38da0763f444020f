"""Who receives what in one meeting, and how feedback travels back. Holds no connection and no rule about
people.

Two modes, chosen by the number of people on line:

- **relay** (two): the receiver's transport-wide feedback and reception reports go to the publisher raw, only
their
  SSRCs replaced, so that the publisher's own congestion control sees the whole way;
- **local** (any other number, and before anything flows): the node answers each publisher itself, numbers
each downlink itself, and holds the
  publisher by REMB to what its weakest receiver can take, or that receiver is spared pictures (`shedding`).

Repair is the node's in both: what did not arrive is asked for until it comes, what a receiver missed comes
out of the cache. Nothing is forwarded or recorded unless `flowing`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Protocol

from video.media import rtcp, rtp, shedding, twcc
from video.media.downlink import Downlink
from video.media.forward import Forward, Outlet
from video.media.sdp import SlotStreams
from video.media.source import CACHE, Source

log = logging.getLogger(__name__)

PUBLISHER_MOST = 5_000_000.0
"""Bits per second beyond which 1080p gains nothing."""
UNHELD = 100_000_000.0
"""Lifts every earlier cap: a REMB is in force until another one comes."""
LIFTS = 4
"""How often it is said again, each second, that a cap is lifted: nothing else ends one, and the word may be lost."""
PLUNGE = 0.85
"""A cap that falls below so much of what was last decided by is obeyed at once."""
FEEDBACK_S = 0.1
REPORT_S = 1.0
MEASURE_S = 1.0


class Tape(Protocol):
    """Where a copy of everything forwarded goes."""

    def write(self, leg: str, participant_id: str, kind: str, packet: bytes, now: float) -> None: ...

    def report(self, leg: str, packet: bytes, *, now: float) -> None: ...

    def hand_over(self) -> None:
        """What was written since the last time may go to the disk now."""
        ...


class Slot:
    """A place for one other participant on a receiver's leg."""

    def __init__(self, outlet: Outlet, downlink: Downlink, streams: SlotStreams) -> None:
        self.participant_id: str | None = None
        self.audio = Forward(outlet, downlink, "audio", streams.audio, 0)
        self.video = Forward(outlet, downlink, "video", streams.video, streams.rtx)

    def attach(self, endpoint: Endpoint | None) -> None:
        self.audio.attach(endpoint.audio if endpoint else None)
        self.video.attach(endpoint.video if endpoint else None)


class Endpoint:
    """One connected leg in the router: what it sends (two sources) and what it is sent (its slots)."""

    def __init__(
        self, router: Router, name: str, participant_id: str, outlet: Outlet, slots: tuple[SlotStreams, ...]
    ) -> None:
        self.participant_id = participant_id
        self.outlet = outlet
        self.audio = Source("audio", name, participant_id, outlet.send_rtcp)
        self.video = Source("video", name, participant_id, outlet.send_rtcp)
        self._sources = {rtp.OPUS: self.audio, rtp.VP8: self.video}
        self.downlink = Downlink()
        self.slots = [Slot(outlet, self.downlink, streams) for streams in slots]
        self.arrivals: twcc.Arrivals | None = None
        self.uplink_loss = 0.0
        self.held_to = UNHELD
        self._lifts = 0
        self.shed = shedding.Shed()
        self.claims: dict[str, float] = {}
        """What each publisher that is seen here may send on this downlink's account."""
        self._decided_by = 0.0
        self.whole = True
        """Sends and receives; a leg that does but one can't relay feedback."""
        self._router = router
        self._by_ssrc = {forward.ssrc: forward for slot in self.slots for forward in (slot.audio, slot.video)}
        self._feedback_at = self._report_at = self._measured_at = 0.0

    # What arrives

    def on_rtp(self, packet: bytes, now: float) -> None:
        kind = packet[1] & 0x7F
        source = self._sources.get(kind)
        if source is not None:
            if self.arrivals is not None:
                self._account(packet, source, now)
            self._media(source, packet, now)
        elif kind == rtp.VP8_RTX:
            self._on_rtx(packet, now)

    def _media(self, source: Source, packet: bytes, now: float) -> None:
        """The hot path, in which a call costs as much as a line: only what a usual packet needs stands here."""
        number, ssrc = rtp.NUMBER_AND_SSRC(packet)
        if ssrc != source.ssrc:
            if not ssrc or not source.may_start(now=now):
                return
            source.started(ssrc, number)
        if number == source.highest + 1:
            source.highest = number
        elif not source.arrived(number, packet, now=now):
            return
        if now >= source.missing.due:
            source.ask_again(now=now)
        router = self._router
        if not router.flowing:
            return
        cache = source.cache
        if cache is not None:
            cache[number % CACHE] = packet
        router.tape.write(source.track, self.participant_id, source.kind, packet, now)
        for forward in source.forwards:
            forward.media(packet, ssrc, number, now)

    def _on_rtx(self, packet: bytes, now: float) -> None:
        """A retransmission that fills a gap becomes the packet it stands for; any other is a probe."""
        video = self.video
        if not video.ssrc or rtp.payload_at(packet) < 0:
            return
        if self.arrivals is not None:
            self._account(packet, None, now)
        original = rtp.unwrap_rtx(packet, video.ssrc, rtp.VP8)
        if original is not None and rtp.sequence(original) in video.missing:
            self._media(video, original, now)
            video.filled(rtp.sequence(original))
        elif self._router.flowing and self._router.relaying:
            for forward in video.forwards:
                forward.probe(packet, now)

    def _account(self, packet: bytes, source: Source | None, now: float) -> None:
        """Local mode: what the node itself must tell the publisher about this packet."""
        number = rtp.transport_sequence(packet)
        if number >= 0 and self.arrivals is not None:
            self.arrivals.note(number, int(now * 1e6))
        if source is not None:
            source.reception.packet(rtp.sequence(packet), rtp.timestamp(packet), now=now)

    def on_rtcp(self, compound: bytes, now: float) -> None:
        for kind, count, packet in rtcp.walk(compound):
            if kind == rtcp.SR:
                self._sender_report(packet, now)
            if kind in (rtcp.SR, rtcp.RR):
                self._reports(rtcp.blocks(kind, count, packet))
            elif kind == rtcp.RTPFB and count == rtcp.NACK:
                self._nacked(packet, now)
            elif kind == rtcp.RTPFB and count == rtcp.TWCC:
                self._transport_feedback(packet, now)
            elif kind == rtcp.PSFB and count in (rtcp.PLI, rtcp.FIR):
                self._wants_keyframe(count, packet, now)

    def _sender_report(self, packet: bytes, now: float) -> None:
        ssrc = rtcp.sender_of(packet) if len(packet) >= rtcp.SR_SIZE else 0
        for source in (self.audio, self.video):
            if ssrc and ssrc == source.ssrc:
                source.reception.sender_report(packet, now=now)
                if self._router.flowing:
                    self._router.tape.report(source.track, packet, now=now)
                    for forward in source.forwards:
                        forward.sender_report(packet)

    def _reports(self, blocks: Iterator[rtcp.Block]) -> None:
        relayed: dict[str, tuple[Endpoint, list[rtcp.Block]]] = {}
        for block in blocks:
            forward = self._by_ssrc.get(block.ssrc)
            if forward is None or forward.source is None:
                continue
            forward.loss = block.fraction
            publisher = self._router.endpoints.get(forward.source.participant_id)
            mapped = forward.report_for_source(block)
            if publisher is None or mapped is None or not self._router.relaying:
                continue
            relayed.setdefault(publisher.participant_id, (publisher, []))[1].append(mapped)
        for publisher, mapped_blocks in relayed.values():
            publisher.outlet.send_rtcp(rtcp.rr(mapped_blocks))

    def _nacked(self, packet: bytes, now: float) -> None:
        forward = self._by_ssrc.get(rtcp.media_of(packet))
        if forward is not None:
            forward.repair_all(rtcp.nacked(packet), now)

    def _transport_feedback(self, packet: bytes, now: float) -> None:
        self.downlink.heard(packet, now=now)
        capacity = self.downlink.capacity
        if capacity is not None and capacity.cap < PLUNGE * self._decided_by:
            self.spare(now=now)
            for person in self.claims.keys() & self._router.endpoints.keys():
                self._router.endpoints[person].hold_fairly()
        if self._router.relaying:
            peer = self._router.peer_of(self)
            if peer is not None and len(packet) >= 20:
                relayed = self.downlink.relayed(packet, peer.video.ssrc or peer.audio.ssrc)
                if relayed is not None:
                    peer.outlet.send_rtcp(relayed)

    def _wants_keyframe(self, kind: int, packet: bytes, now: float) -> None:
        if kind == rtcp.PLI:
            wanted = [rtcp.media_of(packet)]
        else:
            wanted = [int.from_bytes(packet[at : at + 4], "big") for at in range(12, len(packet) - 7, 8)]
        for ssrc in wanted:
            forward = self._by_ssrc.get(ssrc)
            if forward is not None and forward.kind == "video" and forward.source is not None:
                forward.source.keyframes.want()
                forward.source.ask_for_keyframe(now=now)

    # What time brings

    def tick(self, *, now: float) -> None:
        if self._router.flowing and any(forward.waits for forward in self.video.forwards):
            self.video.is_waited_for(now=now)
        self.audio.tick(now=now)
        self.video.tick(now=now)
        if self.arrivals is None:
            if self._lifts and now - self._report_at >= REPORT_S:
                self._report_at = now
                self._lifts -= 1
                self._cap(UNHELD)
            return
        if now - self._feedback_at >= FEEDBACK_S:
            self._feedback_at = now
            feedback = self.arrivals.feedback(self.video.ssrc or self.audio.ssrc)
            if feedback is not None:
                self.outlet.send_rtcp(feedback)
        if now - self._report_at >= REPORT_S:
            self._report_at = now
            self._report(now)

    def _report(self, now: float) -> None:
        sources = [source for source in (self.audio, self.video) if source.ssrc]
        blocks = [source.reception.block(source.ssrc, now=now) for source in sources]
        sound = [block for block in blocks if block is not None]
        if sound:
            self.outlet.send_rtcp(rtcp.rr(sound))
        self.hold_fairly()

    def measure(self, *, now: float) -> None:
        """Brings `uplink_loss` up to date, once a second at most."""
        if now - self._measured_at >= MEASURE_S:
            self._measured_at = now
            self.uplink_loss = max(self.audio.loss(), self.video.loss())

    def downlink_loss(self) -> float:
        """What this receiver misses beyond what had not reached the node."""
        worst = 0.0
        for slot in self.slots:
            source = slot.video.source
            publisher = self._router.endpoints.get(source.participant_id) if source is not None else None
            if publisher is not None:
                worst = max(worst, slot.video.loss - publisher.uplink_loss)
        return worst

    def spare(self, *, now: float) -> None:
        """Decides which pictures this downlink is sent at the moment, and what is left for each of them."""
        capacity = self.downlink.capacity
        if capacity is None:
            if not self._decided_by:
                return  # relaying, as ever since
            self.shed, self.claims, self._decided_by = shedding.Shed(), {}, 0.0
        else:
            wanted = self._wishes()
            self.shed = shedding.shed(capacity.cap, wanted, self.shed, now=now)
            self.claims = shedding.shares(capacity.cap, wanted, self.shed.out)
            self._decided_by = capacity.cap
        for slot in self.slots:
            slot.video.pause(slot.participant_id in self.shed.out)

    def _wishes(self) -> list[shedding.Picture]:
        sources = [slot.video.source for slot in self.slots if slot.video.source is not None]
        seen = {source.participant_id: source for source in sources if source.ssrc}
        roles = self._router.roles
        return shedding.wishes(
            roles.get(self.participant_id, ""),
            {person: roles.get(person, "") for person in seen},
            alone=frozenset(person for person, source in seen.items() if len(source.forwards) == 1),
        )

    def hold_fairly(self) -> None:
        """To what the weakest of those who see this publisher leaves for it."""
        claims = (other.claims.get(self.participant_id) for other in self._router.endpoints.values())
        self.hold(min([PUBLISHER_MOST, *(claim for claim in claims if claim is not None)]))

    def hold(self, bits_per_second: float) -> None:
        """Tells the publisher how much it may send."""
        if self.video.ssrc and min(bits_per_second, self.held_to) < UNHELD:
            self.held_to = bits_per_second
            self._lifts = LIFTS if bits_per_second >= UNHELD else 0
            self._cap(bits_per_second)

    def _cap(self, bits_per_second: float) -> None:
        self.outlet.send_rtcp(rtcp.remb(int(bits_per_second), [self.video.ssrc]))


class Router:
    """The connected legs of one meeting."""

    def __init__(self, tape: Tape, *, monotonic: Callable[[], float]) -> None:
        self.tape = tape
        self.endpoints: dict[str, Endpoint] = {}
        self.relaying = False
        self.roles: dict[str, str] = {}
        """Who is who, for what is spared first on a thin downlink."""
        self.flowing = False
        """Changed by `flow` alone."""
        self._monotonic = monotonic

    def flow(self, on: bool) -> None:
        """Opens or shuts everything at once. Opening asks every publisher for a key frame."""
        if on and not self.flowing:
            self.want_keyframes()
        self.flowing = on
        self._choose_mode()

    def want_keyframes(self) -> None:
        for endpoint in self.endpoints.values():
            endpoint.video.keyframes.want()

    def add(
        self,
        name: str,
        participant_id: str,
        outlet: Outlet,
        slots: tuple[SlotStreams, ...],
        seats: dict[int, str],
        *,
        whole: bool = True,
    ) -> Endpoint:
        """Brings a leg in; an earlier one of the same participant goes. `seats`: slot index → participant."""
        self.remove(participant_id)
        endpoint = Endpoint(self, name, participant_id, outlet, slots)
        endpoint.whole = whole
        self.endpoints[participant_id] = endpoint
        self.seat(endpoint, seats)
        for other in self.endpoints.values():
            for slot in other.slots:
                if slot.participant_id == participant_id:
                    slot.attach(endpoint)
        self._choose_mode()
        return endpoint

    def seat(self, endpoint: Endpoint, seats: dict[int, str]) -> None:
        """Says whom the leg is sent in which slot; a slot that keeps its participant is not touched."""
        for index, slot in enumerate(endpoint.slots):
            wanted = seats.get(index)
            if slot.participant_id != wanted:
                slot.participant_id = wanted
                slot.attach(self.endpoints.get(wanted) if wanted else None)

    def remove(self, participant_id: str) -> None:
        """Takes a leg out; the slots in which others saw it stay theirs, for it may come back."""
        gone = self.endpoints.pop(participant_id, None)
        if gone is None:
            return
        for slot in gone.slots:
            slot.attach(None)
        for source in (gone.audio, gone.video):
            for forward in list(source.forwards):
                forward.attach(None)
        self._choose_mode()

    def peer_of(self, endpoint: Endpoint) -> Endpoint | None:
        return next((other for other in self.endpoints.values() if other is not endpoint), None)

    def tick(self, *, now: float) -> None:
        self.tape.hand_over()
        for endpoint in self.endpoints.values():
            endpoint.spare(now=now)
        for endpoint in self.endpoints.values():
            try:
                endpoint.tick(now=now)
            except Exception:  # one leg's fault is no other's
                log.exception("the clock of %s failed", endpoint.participant_id)

    def _choose_mode(self) -> None:
        whole = [endpoint.whole for endpoint in self.endpoints.values()]
        self.relaying = self.flowing and whole == [True, True]
        now = self._monotonic()
        for endpoint in self.endpoints.values():
            local = not self.relaying
            if local == (endpoint.arrivals is not None):
                continue
            endpoint.arrivals = twcc.Arrivals() if local else None
            endpoint.downlink.measure(local, now=now)
            for source in (endpoint.audio, endpoint.video):
                source.reception = type(source.reception)(rtp.CLOCK_RATES[source.kind])
            if not local:
                endpoint.hold(UNHELD)
