"""The transport-wide numbering of what one receiver is sent.

A receiver takes the numbers for one unbroken count, whoever sent the packets: a jump back, and it reports nothing
until the count has caught up. So whenever the source of the numbers changes (a publisher comes back, a call of two
becomes three), they go on from the last one sent.
"""

from __future__ import annotations

from video.media import rtcp, rtp, twcc
from video.media.estimate import Capacity

READ_PER_S = 20_000
"""Packets that a receiver may tell of: ten times what anybody is sent."""


class Downlink:
    """Relaying: the publisher's numbers plus an offset, zero in a call without incidents. Otherwise: our own."""

    def __init__(self) -> None:
        self.capacity: Capacity | None = None
        self.heard_at: float | None = None
        """When the receiver last told of packets that reached it. It says nothing while none does."""
        self._publisher = ""
        self._offset = 0
        self.last: bytes | None = None
        """The newest packet relayed, as it came; its number is looked at only when the count must be continued."""
        self.plain = True
        """Packets go on as they came; `numbered` would only have set `last`."""
        self._number = -1
        self._read = 0
        self._read_since = 0.0

    def measure(self, on: bool, *, now: float) -> None:
        """Numbers by itself and measures from now on, or relays from now on."""
        if on == (self.capacity is not None):
            return
        self._settle()
        self._publisher = ""
        self.capacity = Capacity(now=now) if on else None
        self.plain = not on

    def follow(self, publisher: str, packet: bytes) -> None:
        """The numbers of another publisher begin with this packet."""
        if self.capacity is not None or publisher == self._publisher:
            return
        number = rtp.transport_sequence(packet)
        if number < 0:
            return
        self._settle()
        self._publisher = publisher
        self._offset = (self._number + 1 - number) & 0xFFFF if self._number >= 0 else 0
        self.plain = not self._offset

    def numbered(self, packet: bytes, now: float) -> bytes:
        """The packet with the number it has on this downlink."""
        if self.capacity is None:
            self.last = packet
            if not self._offset:
                return packet
            number = rtp.transport_sequence(packet)
            if number < 0:
                return packet
            return rtp.with_transport_sequence(packet, (number + self._offset) & 0xFFFF)
        if rtp.transport_sequence(packet) < 0:
            return packet
        self._number = (self._number + 1) & 0xFFFF
        self.capacity.sent(self._number, len(packet), now=now)
        return rtp.with_transport_sequence(packet, self._number)

    def heard(self, packet: bytes, *, now: float) -> None:
        self.heard_at = now
        if self.capacity is None:
            return
        if now - self._read_since >= 1:
            self._read, self._read_since = 0, now
        reports = twcc.read(packet) if self._read < READ_PER_S else []
        self._read += len(reports)
        self.capacity.heard(reports, now=now)

    def spares(self, size: int, *, now: float) -> bool:
        """Whether there is room to send a packet again. Relaying, the publisher's estimator makes the room."""
        return self.capacity is None or self.capacity.spares(size, now=now)

    def relayed(self, packet: bytes, media: int) -> bytes:
        """The receiver's feedback as the publisher must read it."""
        moved = rtcp.readdressed(packet, media)
        if self._offset:
            base = (int.from_bytes(moved[12:14], "big") - self._offset) & 0xFFFF
            moved = moved[:12] + base.to_bytes(2, "big") + moved[14:]
        return moved

    def _settle(self) -> None:
        if self.last is not None:
            number = rtp.transport_sequence(self.last)
            if number >= 0:
                self._number = (number + self._offset) & 0xFFFF
            self.last = None
        self._offset = 0
