"""The transport-wide numbering of what one receiver is sent.

A receiver takes the numbers for one unbroken count, whoever sent the packets: a jump back, and it reports nothing
until the count has caught up; a jump forward, and it reports what was never sent as lost. So whenever the source of the
numbers changes (a publisher comes back or was silent, a call of two becomes three or three become two), they go on from
the last one sent. A publisher's numbers are passed on only while two are on line, so each time that begins they are one
publisher's.
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
        self._offset: int | None = 0
        """None: the next packet's number becomes the one after the last."""
        self._began: int | None = None
        """Where the present offset began, until the receiver tells of what was sent since."""
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
        self.capacity = Capacity(now=now) if on else None
        self._offset = 0 if on or self._number < 0 else None
        self.plain = not on and self._offset == 0

    def numbered(self, packet: bytes, now: float) -> bytes:
        """The packet with the number it has on this downlink."""
        if self.plain:
            self.last = packet
            return packet
        if self.capacity is None:
            number = rtp.transport_sequence(packet)
            if number < 0:
                return packet
            if self._offset is None:
                self._began = (self._number + 1) & 0xFFFF
                self._offset = (self._began - number) & 0xFFFF
                self.plain = not self._offset
            self.last = packet
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

    def relayed(self, packet: bytes, media: int) -> bytes | None:
        """The receiver's feedback as the publisher must read it; None where it tells of what had other numbers."""
        if self._offset is None:
            return None
        base = int.from_bytes(packet[12:14], "big")
        if self._began is not None:
            if 0 < (self._began - base) & 0xFFFF <= twcc.MOST_READ:
                return None
            self._began = None
        moved = rtcp.readdressed(packet, media)
        return moved[:12] + ((base - self._offset) & 0xFFFF).to_bytes(2, "big") + moved[14:]

    def _settle(self) -> None:
        if self.last is not None:
            number = rtp.transport_sequence(self.last)
            if number >= 0 and self._offset is not None:
                self._number = (number + self._offset) & 0xFFFF
            self.last = None
