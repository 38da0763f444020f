"""What is done while nothing is heard of a leg, and when it is heard again; looked at with every fast tick.

A leg that is silent is kept for some time: the browser's ICE goes on knocking, and when the network is back it goes on
within tenths of a second, where a new leg needs signalling first. Meanwhile nobody may wait for its feedback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from video.media.leg import Leg, is_gone
from video.media.member import Member

if TYPE_CHECKING:
    from video.media.room import Room

DEAF_S = 0.8
"""Receivers report ten times a second. One that has been silent for so long acknowledges nothing, and whoever sends
to it would hold pictures back, in the recording too: the node answers in its place."""
BLIND = 40
"""Packets sent to a receiver that tells of none, for as long as `DEAF_S`: the line to it is cut, whatever still comes
from it. A browser tells ten times a second."""
LINGER_S = 1.0
"""So long after the first packet the node goes on answering: the receivers' reports of that second say that everything
sent into the dark was lost, and a sender that reads it falls to a fiftieth of what the line carries."""
KEPT_S = 20.0
"""Browsers built on libwebrtc give a way up after 15 s without an answer (CONNECTION_WRITE_TIMEOUT) and want a new leg
then; nothing that is silent for longer comes back by itself."""


def watch(room: Room, *, now: float) -> None:
    for member in room.members.values():
        leg = member.leg
        if leg is not None and leg.state == "up":
            deaf = leg.silence(now=now) >= DEAF_S or _is_blind(room, member, leg, now)
            away = is_gone(leg, now=now)
            if deaf:
                member.deaf_at = now
            elif member.deaf:
                room.router.want_keyframes()
            member.deaf = deaf
            _answers(room, member, itself=now - member.deaf_at >= LINGER_S)
            if away != member.away:
                _is_away(room, member, leg, away=away)


def _is_blind(room: Room, member: Member, leg: Leg, now: float) -> bool:
    """Whether nothing that is sent there arrives."""
    endpoint = room.router.endpoints.get(member.id)
    told = endpoint.downlink.heard_at if endpoint is not None else None
    if told is None:
        return False  # it has never told of anything: it may not know how
    if told != member.told_at:
        member.told_at, member.sent_then = told, leg.packets_out
    return now - told >= DEAF_S and leg.packets_out - member.sent_then >= BLIND


def is_lost(leg: Leg, *, now: float) -> bool:
    """Whether it must be given up."""
    return leg.state == "up" and leg.silence(now=now) >= KEPT_S


def _answers(room: Room, member: Member, *, itself: bool) -> None:
    """Whether this receiver's own feedback reaches the senders. A device's never does."""
    endpoint = room.router.endpoints.get(member.id)
    if endpoint is not None and not member.place and endpoint.whole != itself:
        endpoint.whole = itself
        room.router.flow(room.router.flowing)


def _is_away(room: Room, member: Member, leg: Leg, *, away: bool) -> None:
    member.away = away
    room.note("disconnected" if away else "connected", {"participant": member.id, "leg": leg.name})
    room.notices.presence()
