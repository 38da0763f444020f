"""The legs of devices that join by WHIP (RFC 9725) to send and by WHEP to see: in their own numbers, one way each."""

from __future__ import annotations

from typing import Any

from video.media import foreign, rtp
from video.media.foreign import Offered
from video.media.leg import Leg
from video.media.router import Endpoint, Router
from video.media.source import CACHE


class DeviceLeg(Leg):
    """A leg whose offer came from the other side; what it sends and is sent has the device's own numbers."""

    def __init__(self, name: str, offered: Offered, **given: Any) -> None:
        super().__init__(name, **given)
        self.offered = offered
        self.numbers = offered.numbers()
        self.slots = self.slots[: offered.slots] if offered.way == "whep" else ()
        again = rtp.VP8_RTX in self.numbers.formats
        self._pictures = {} if again else {slot.rtx: slot.video for slot in self.slots}
        self._sent = {ssrc: [b""] * CACHE for ssrc in self._pictures.values()}
        """Of a viewer that knows no RTX: its pictures' packets as they were sent."""

    def answer(self) -> str:
        """Answers, and waits for the device; raises OSError where there is no socket."""
        ours = self.open()
        text = foreign.answer(ours, self.offered)
        if self.state == "new":  # not cut meanwhile
            self.connect(self.offered.remote)
        return text

    def send_rtp(self, packet: bytes, ssrc: int) -> None:
        """In the device's numbers. Where it knows no RTX, the very packet goes out once more.

        It must not differ by a bit from what was sent: two packets protected under one number would betray each other.
        """
        if not self._pictures:
            theirs = self.numbers.outward(packet)
        elif packet[1] & 0x7F == rtp.VP8_RTX:
            ssrc, at = self._pictures.get(ssrc, 0), rtp.payload_at(packet)
            number = int.from_bytes(packet[at : at + 2], "big")
            theirs = self._sent[ssrc][number % CACHE] if ssrc and at > 0 else b""
            if not theirs or rtp.sequence(theirs) != number:
                return
        else:
            theirs = self.numbers.outward(packet)
            if theirs is not None and ssrc in self._sent:
                self._sent[ssrc][rtp.sequence(packet) % CACHE] = theirs
        if theirs is not None:
            super().send_rtp(theirs, ssrc)


def viewer(participant_id: str) -> str:
    """The name under which the router knows the receiving leg of a device that sends on another."""
    return participant_id + "#view"


def plug(router: Router, leg: Leg, participant_id: str, seats: dict[int, str]) -> Endpoint:
    """Brings a leg that is up into the router."""
    if not isinstance(leg, DeviceLeg):
        endpoint = router.add(leg.name, participant_id, leg, leg.slots, seats)
        leg.on_rtp = endpoint.on_rtp
    elif leg.offered.way == "whip":
        endpoint = router.add(leg.name, participant_id, leg, (), {}, whole=False)
        for source in (endpoint.audio, endpoint.video):
            source.repairs = leg.offered.repairs(source.kind)
        inward, taken = leg.numbers.inward, endpoint.on_rtp

        def renumbered(packet: bytes, now: float) -> None:
            ours = inward(packet)
            if ours is not None:
                taken(ours, now)

        leg.on_rtp = renumbered
    else:  # whatever a viewer sends is nobody's
        endpoint = router.add(leg.name, viewer(participant_id), leg, leg.slots, seats, whole=False)
    leg.on_rtcp = endpoint.on_rtcp
    return endpoint
