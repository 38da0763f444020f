"""What a participant may send, far above what any browser does, and how patient the node is with its own clock.

The limits of single kinds (requests for packets, reports, sub-packets, new streams) stand where they are handled; these
are for the whole: a leg that sends more than it could have any use for is taken out before others feel it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from video.media.messages import CloseReason

if TYPE_CHECKING:
    from video.media.leg import Leg
    from video.media.member import Member
    from video.media.room import Room

log = logging.getLogger(__name__)

PACKETS_PER_S = 2000
"""Five times what a browser sends at 2.5 Mbps; a device with 1080p sends some 900."""
AT_ONCE = 6000
"""What a network may hold back for some seconds and then deliver."""
REPORT_WEIGHT = 4
"""A report costs more than a packet: each may be read, answered and passed on. A browser sends some fifty a second."""
LATE_S = 1.0


class Allowance:
    """How many packets a leg may still send; looked at 20 times a second."""

    def __init__(self, *, now: float) -> None:
        self._left = float(AT_ONCE)
        self._counted = 0
        self._at = now

    def is_spent(self, sent: int, *, now: float) -> bool:
        """`sent`: what came over the whole leg, reports with their weight."""
        self._left = min(AT_ONCE, self._left + (now - self._at) * PACKETS_PER_S) - (sent - self._counted)
        self._counted, self._at = sent, now
        return self._left < 0


def watch(room: Room, *, now: float) -> None:
    for member in list(room.members.values()):
        for leg in (member.leg, member.view):
            if leg is not None and leg.is_flooding(now=now):
                _end(room, member, leg)
                break


def _end(room: Room, member: Member, leg: Leg) -> None:
    """For good: coming back takes a new token."""
    log.warning("leg %s floods, it is cut off", leg.name)
    room.note("disconnected", {"participant": member.id, "leg": leg.name})
    room.drop_leg(member)
    member.new_resume()  # and nobody has it
    if member.link is not None:
        member.link.close(CloseReason.FLOODING)
    room.leave(member)
    room.notices.presence()


def forgive(room: Room, late: float, *, now: float) -> None:
    """While the process stood still nobody was heard and nothing became durable; that was not their silence."""
    if late < LATE_S:
        return
    for member in room.members.values():
        for leg in (member.leg, member.view):
            if leg is not None:
                leg.heard_at = min(now, leg.heard_at + late)
        if member.link is not None:
            member.link.heard_at = min(now, member.link.heard_at + late)
    room.forgive(late)
