"""Devices that join by WHIP to send and by WHEP to see: participants with legs and without a signalling link.

They are participants like any other: invited, admitted beforehand, one place for one person, recorded. One token opens
one sending and one receiving session at the most, and both are the same place; a device that comes with another token
takes the place over.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from video.media import connecting, foreign
from video.media.devices import DeviceLeg
from video.media.directory import Refused
from video.media.foreign import Kind, Offered
from video.media.messages import CloseReason, Closing

if TYPE_CHECKING:
    from video.media.member import Member
    from video.media.node import MediaNode
    from video.media.room import Room


@dataclass(frozen=True)
class Session:
    """One way of one device; `id` is a secret that its address carries."""

    id: str
    way: Kind
    room: Room
    member: Member
    leg: DeviceLeg
    token: bytes
    etag: str


@dataclass(frozen=True)
class Opened:
    session: Session
    answer: str
    ice_servers: list[dict[str, Any]]


def check(room: Room, member: Member) -> None:
    """Raises `Closing`, and `Refused` for someone who wasn't admitted: without a link there is no waiting."""
    if not room.is_admitted(member):
        raise Refused("in_lobby")
    if room.crowded(member):
        raise Closing(CloseReason.FULL)


def arrive(room: Room, member: Member, place: str) -> None:
    """A device sits down in this person's place; whoever sat there before, browser or device, goes.

    `place` says which token brought it: what comes with the same one is the same device.
    """
    if member.place != place:
        if member.link is not None:
            member.link.close(CloseReason.TAKEN_OVER)
        member.link, member.place = None, place
        member.new_resume()  # and nobody has it: the browser before can't come back by itself
        connecting.drop(room, member)
    member.admitted, member.offer_at, member.dropped = True, None, False
    room.came(member)
    room.seat_everybody()


def seat(room: Room, member: Member, offered: Offered) -> tuple[DeviceLeg, str]:
    """A leg for what the device offers, and the answer. Raises OSError where there is no socket to be had."""
    whip = offered.way == "whip"
    member.legs += 1
    leg = DeviceLeg(
        f"{member.id}/{member.legs}",
        offered,
        sockets=room.around.sockets,
        changed=lambda leg: (connecting.changed if whip else connecting.view_changed)(room, member, leg),
        monotonic=room.around.monotonic,
    )
    if whip:
        connecting.drop_sending(room, member)
        member.leg = leg
        member.audio, member.video = "audio" in offered.kinds, "video" in offered.kinds
    else:
        connecting.drop_view(room, member)
        member.view = leg
    try:
        text = leg.answer()
    except OSError:
        leg.fail()
        raise
    if leg not in (member.leg, member.view):  # taken over, removed or ended meanwhile
        raise Closing(CloseReason.TAKEN_OVER)
    room.notices.presence()
    return leg, text


def unseat(room: Room, member: Member, leg: DeviceLeg) -> None:
    """The device has ended one of its ways; with the last of them it leaves."""
    if leg is member.leg:
        connecting.drop_sending(room, member)
    elif leg is member.view:
        connecting.drop_view(room, member)
    else:
        return
    if member.leg is None and member.view is None and member.link is None:
        room.leave(member)
    room.notices.presence()


class Devices:
    """The sessions of one node. `Closing` and `Refused` say why something is not granted."""

    def __init__(self, node: MediaNode) -> None:
        self._node = node
        self._sessions: dict[str, Session] = {}
        self._ways: dict[str, set[Kind]] = {}

    async def open(self, way: Kind, meeting_id: str, token: str, offer: str) -> Opened:
        """Raises `foreign.BadOffer`, `Closing`, `Refused`, OSError."""
        claims = self._node.claims(token)
        if claims.meeting_id != meeting_id:
            raise Closing(CloseReason.NO_MEETING)
        offered = foreign.read_offer(offer, way)
        room, member = await self._node.place_of(claims)
        check(room, member)
        place = claims.nonce
        if not self._node.spend(claims) and (member.place != place or way in self._ways.get(place, {way})):
            raise Closing(CloseReason.USED_TOKEN)
        arrive(room, member, place)
        self._ways.setdefault(place, set()).add(way)
        leg, answer = seat(room, member, offered)
        session = Session(
            id=secrets.token_urlsafe(18),
            way=way,
            room=room,
            member=member,
            leg=leg,
            token=_digest(token),
            etag=f'"{secrets.token_hex(8)}"',
        )
        self._sessions[session.id] = session
        return Opened(session, answer, room.around.ice_servers(member.id))

    def find(self, way: Kind, session_id: str, token: str) -> Session | None:
        """The session, for whoever opened it; None where there is none (any more). Raises `Closing` for another."""
        session = self._sessions.get(session_id)
        if session is None or session.way != way or session.leg.state == "down":
            return None
        if not hmac.compare_digest(session.token, _digest(token)):
            raise Closing(CloseReason.BAD_TOKEN)
        return session

    def close(self, session: Session) -> None:
        self._sessions.pop(session.id, None)
        unseat(session.room, session.member, session.leg)

    def prune(self) -> None:
        """Forgets the sessions that have ended, and tokens whose place is somebody else's or nobody's."""
        for session in [one for one in self._sessions.values() if one.leg.state == "down"]:
            del self._sessions[session.id]
        places = {member.place for room in self._node.rooms.values() for member in room.members.values()}
        for place in [place for place in self._ways if place not in places]:
            del self._ways[place]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
