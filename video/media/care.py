"""Twice a second, for each member: silence, quality, what is kept of the legs, people who don't come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from video.media import connecting, silence
from video.media import leg as legs
from video.media.judgement import GOOD, Line
from video.media.leg import Leg
from video.media.link import SILENT_S as LINK_SILENT_S
from video.media.member import GRACE_S, Member
from video.media.messages import CloseReason

if TYPE_CHECKING:
    from video.media.room import Room


def look_after(room: Room, member: Member, *, now: float) -> None:
    leg, view, link = member.leg, member.view, member.link
    if link is not None and now - link.heard_at > LINK_SILENT_S:
        link.close(CloseReason.SILENT)
    if leg is not None and (silence.is_lost(leg, now=now) or legs.is_unanswered(leg, now=now)):
        leg.fail()
    elif leg is not None and leg.state == "up":
        _judge(room, member, leg, now)
    if view is not None and silence.is_lost(view, now=now):
        view.fail()
    elif view is not None and view.tally is not None and view.tally.look(silent=False, camera=False, now=now):
        connecting.keep_tally(room, member, view, over=False)
    if not member.present and member.line.shown != GOOD:
        member.line = Line()  # whoever comes back begins with a line of which nothing is known
    connecting.offer_due(room, member, now)
    if member.gone_at is not None and now - member.gone_at > GRACE_S and member.link is None:
        room.leave(member)


def _judge(room: Room, member: Member, leg: Leg, now: float) -> None:
    endpoint = room.router.endpoints.get(member.id)
    if endpoint is None:
        return
    endpoint.measure(now=now)
    leg.known_by((endpoint.audio.ssrc, endpoint.video.ssrc))
    silent = legs.is_silent(leg, now=now)
    seen = (room.members[person].line.shown for person in member.seats.values() if person in room.members)
    member.line.look(
        silent=silent,
        uplink_loss=endpoint.uplink_loss,
        downlink_loss=endpoint.downlink_loss(),
        round_trip_s=leg.trip.lately,
        others_weak=any(line.level == "silent" or line.why == "uplink" for line in seen),
        now=now,
    )
    if leg.tally is not None and leg.tally.look(silent=silent, camera=member.video, now=now):
        connecting.keep_tally(room, member, leg, over=False)
