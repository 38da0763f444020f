"""The legs of a room's members: offered, up, broken, replaced, taken away."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from video.media import devices
from video.media.leg import Leg
from video.media.link import Link
from video.media.member import Member
from video.media.messages import CloseReason
from video.media.router import Endpoint
from video.media.tally import Tally

if TYPE_CHECKING:
    from video.media.room import Room

log = logging.getLogger(__name__)

RENEW_S = 2.0
"""A client that asks for another leg gets it at once, but no more often than this."""
GIVE_UP = 8
"""Legs in a row that didn't come up, over some two minutes: no way leads to this client, and more offers open none."""


def offer_due(room: Room, member: Member, now: float) -> None:
    if member.offer_at is None or now < member.offer_at or member.link is None or not member.admitted:
        return
    member.offer_at, member.offered_at = None, now
    _offer(room, member, member.link)


def _offer(room: Room, member: Member, link: Link) -> None:
    drop(room, member)
    if member.wants_too_many_legs(now=room.around.monotonic()):
        link.close(CloseReason.TOO_MANY_LEGS)
        return
    member.legs += 1
    leg = Leg(
        f"{member.id}/{member.legs}",
        sockets=room.around.sockets,
        changed=lambda one: changed(room, member, one),
        monotonic=room.around.monotonic,
    )
    member.leg = leg
    try:
        text = leg.offer()
    except OSError:
        log.exception("no media socket for %s", leg.name)
        leg.fail()
        return
    link.send("offer", leg=leg.name, sdp=text)


def changed(room: Room, member: Member, leg: Leg) -> None:
    if member.leg is not leg:
        return
    if leg.state == "up":
        member.dropped = member.deaf = member.away = False
        member.failures, member.gone_at = 0, None
        endpoint = devices.plug(room.router, leg, member.id, member.seats)
        _count(room, member, leg, endpoint)
        room.note("connected", {"participant": member.id, "leg": leg.name})
        room.maybe_live()
    elif leg.state == "down":
        keep_tally(room, member, leg, over=True)
        room.router.remove(member.id)
        if not member.away:
            room.note("disconnected", {"participant": member.id, "leg": leg.name})
        member.leg = None
        member.dropped, member.deaf, member.away = True, False, False
        member.offer_at = room.around.monotonic() + min(8.0, 0.25 * 2**member.failures)
        member.failures += 1
        if member.failures >= GIVE_UP and member.link is not None:
            member.offer_at = None
            member.link.close(CloseReason.NO_MEDIA)
        if member.link is None and not member.connected:
            member.gone_at = room.around.monotonic()
    room.notices.presence()


def view_changed(room: Room, member: Member, view: Leg) -> None:
    if member.view is not view:
        return
    if view.state == "up":
        member.gone_at = None
        _count(room, member, view, devices.plug(room.router, view, member.id, member.seats))
    elif view.state == "down":
        drop_view(room, member)
        if member.link is None and not member.connected:
            member.gone_at = room.around.monotonic()
    room.notices.presence()


def drop_view(room: Room, member: Member) -> None:
    view, member.view = member.view, None
    if view is not None:
        keep_tally(room, member, view, over=True)
        room.router.remove(devices.viewer(member.id))
        view.cut()
        room.errands.run(view.close())


def drop(room: Room, member: Member) -> None:
    """Nothing passes to or from this person any more."""
    drop_view(room, member)
    drop_sending(room, member)


def drop_sending(room: Room, member: Member) -> None:
    leg, member.leg = member.leg, None
    if leg is not None:
        keep_tally(room, member, leg, over=True)
        room.router.remove(member.id)
        if leg.state == "up":
            member.dropped = True
        member.deaf = member.away = False
        leg.cut()
        room.errands.run(leg.close())


def _count(room: Room, member: Member, leg: Leg, endpoint: Endpoint) -> None:
    now = room.around.monotonic()
    leg.tally = Tally(leg, endpoint, began_at=room.around.wall(), drops=member.drops, now=now)


def keep_tally(room: Room, member: Member, leg: Leg, *, over: bool) -> None:
    if leg.tally is not None:
        summary = leg.tally.summary(drops=member.drops, over=over)
        room.errands.tell("quality", member.id, room.around.wall(), summary)
    if over:
        leg.tally = None


def renew(room: Room, member: Member, leg: str) -> None:
    """The client finds its leg broken before the node does."""
    if member.admitted and member.leg is not None and member.leg.name == leg and member.leg.state != "new":
        member.leg.fail()
        now = room.around.monotonic()
        if member.offer_at is not None and now - member.offered_at >= RENEW_S:
            member.offer_at = now
            offer_due(room, member, now)
