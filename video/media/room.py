"""One running meeting: who is in it, who sees whom, when it goes live, when it ends.

The rules of privacy live here and are few. Nobody has a leg before admission. Nothing flows before the
recording runs. Whoever is removed, and everybody at the end, is cut off before anything else happens.
"""

from __future__ import annotations

import logging
from typing import Any

from video.media import care, connecting, devices, limits, sdp, silence
from video.media.conversation import Conversation
from video.media.directory import MeetingInfo, Refused
from video.media.errands import Errands
from video.media.link import Link
from video.media.member import Member, seating
from video.media.messages import CloseReason, Closing
from video.media.notices import Notices
from video.media.proceedings import Proceedings
from video.media.router import Router
from video.media.surroundings import Surroundings
from video.media.tokens import HOSTS

log = logging.getLogger(__name__)

MOST = sdp.SLOTS + 1
IDLE_S = 60.0
"""Nobody connected for so long: the recording is closed; whoever comes back starts another."""
FORGET_S = 900.0


class Room:
    def __init__(self, info: MeetingInfo, around: Surroundings) -> None:
        self.info = info
        self.members: dict[str, Member] = {}
        self.notices = Notices(self.members, self._spared)
        self.closed = self._moved = False
        self.around = around
        self.errands = Errands(info.id, around.directory)
        self._proceedings = Proceedings(
            info.id,
            around.open_sink,
            spawn=self.errands.run,
            began=self._recording_began,
            lost=self._recording_lost,
            changed=self._tell_recording,
            wall=around.wall,
            monotonic=around.monotonic,
        )
        self.router = Router(self._proceedings.recorder, monotonic=around.monotonic)
        self.conversation = Conversation(first=int(around.wall() * 1000))
        self._busy = around.monotonic()

    @property
    def live(self) -> bool:
        return self._proceedings.live

    @property
    def legs(self) -> int:
        return sum(1 for member in self.members.values() if member.leg is not None)

    @property
    def occupied(self) -> bool:
        """Someone is in it, in the lobby, or on their way back."""
        return not self.closed and any(member.present for member in self.members.values())

    @property
    def forgettable(self) -> bool:
        return self.closed or self.around.monotonic() - self._busy > FORGET_S

    # Coming and going

    def enter(self, participant_id: str) -> Member:
        """The member of this id; raises `Closing` where the meeting does not want them (any more)."""
        info = self.info.participants.get(participant_id)
        if self._moved:
            raise Closing(CloseReason.MOVED)
        if self.closed or self.info.state == "ended":
            raise Closing(CloseReason.ENDED)
        if participant_id in self.info.removed:
            raise Closing(CloseReason.REMOVED)
        if info is None:
            raise Closing(CloseReason.NOT_INVITED)
        member = self.members.get(participant_id)
        if member is None:
            member = self.members[participant_id] = Member(participant_id, info)
        return member

    def connect(self, member: Member, link: Link, resume: str | None, leg: str | None) -> None:
        """Puts a joined link in place: the one before is taken over; a leg that still works may be kept."""
        admitted = self.is_admitted(member)
        if admitted and self.crowded(member):
            raise Closing(CloseReason.FULL)
        if member.link is not None:
            member.link.close(CloseReason.TAKEN_OVER)
        member.link, member.gone_at, member.failures = link, None, 0
        self.came(member)
        member.admitted = admitted
        keep = leg is not None and member.leg is not None and member.sending and member.leg.name == leg
        keep, member.place = keep and not member.place, ""
        if not keep:
            self.drop_leg(member)
        link.send(
            "welcome",
            protocol=1,
            meeting=self.info.id,
            participant=member.id,
            role=member.info.role,
            state="lobby" if not member.admitted else "here",
            resume=resume,
            leg=leg if keep else None,
            heard=self.conversation.number,
            ice_servers=self.around.ice_servers(member.id),
            now=self.around.wall(),
        )
        if member.admitted:
            self._let_in(member, fresh=not keep)
        else:
            link.send("lobby")
        self.notices.forget(member)
        self.notices.presence()

    def came(self, member: Member) -> None:
        self._busy = self.around.monotonic()
        if not member.present:
            member.present = True
            self.errands.tell("joined", member.id, self.around.wall())

    def disconnected(self, member: Member, link: Link) -> None:
        """The link has ended by itself or was closed; the leg may well go on."""
        if member.link is link:
            member.link = None
            member.drops += link.closed is None
            if link.closed == CloseReason.LEFT:
                self.leave(member)
            elif not member.connected:
                member.gone_at = self.around.monotonic()
            self.notices.presence()

    def leave(self, member: Member) -> None:
        self.drop_leg(member)
        member.dropped = False
        member.gone_at = None
        member.seats = {}
        if member.present:
            member.present = False
            self.note("left", {"participant": member.id})
            self.errands.tell("left", member.id, self.around.wall())
        self.seat_everybody()

    def is_admitted(self, member: Member) -> bool:
        return member.info.role in HOSTS or member.id in self.info.admitted

    def crowded(self, member: Member) -> bool:
        return len(self.notices.others(member)) >= MOST

    def _let_in(self, member: Member, *, fresh: bool) -> None:
        if member.link is not None:
            member.link.send("admitted")
            self.notices.recording(self._proceedings.shown(), [member])
        self.seat_everybody()
        self.notices.slots(member)
        if fresh:
            member.offer_at = self.around.monotonic()
            connecting.offer_due(self, member, self.around.monotonic())

    def drop_leg(self, member: Member) -> None:
        """Nothing passes to or from this person any more."""
        connecting.drop(self, member)

    def seat_everybody(self) -> None:
        order = {"official": 0, "visitor": 1, "interpreter": 2, "aide": 3}
        inside = sorted(self.notices.inside(), key=lambda member: order[member.info.role])
        self.router.roles = {
            name: member.info.role for member in inside for name in (member.id, devices.viewer(member.id))
        }
        for member in inside:
            others = [other.id for other in inside if other is not member]
            seats = seating(member.seats, others, sdp.SLOTS)
            if seats != member.seats:
                member.seats = seats
                for name in (member.id, devices.viewer(member.id)):
                    endpoint = self.router.endpoints.get(name)
                    if endpoint is not None:
                        self.router.seat(endpoint, seats)
                self.notices.slots(member)

    # What clients say (see `wishes`)

    def answer(self, member: Member, leg: str, text: str) -> None:
        if member.leg is None or member.leg.name != leg or member.leg.state != "new":
            return  # an answer to an offer that has been replaced
        try:
            member.leg.accept(text)
        except sdp.BadAnswer as error:
            log.warning("leg %s: %s", leg, error)
            raise Closing(CloseReason.BAD_MESSAGE) from error

    async def admit(self, by: Member, participant_id: str) -> None:
        if not by.host:
            raise Refused("not_allowed")
        await self.around.directory.admit(self.info.id, by.id, participant_id, self.around.wall())

    async def end(self, by: Member) -> None:
        if not by.host:
            raise Refused("not_allowed")
        await self.errands.told()  # that it went live, above all: what was never live ends as not held
        await self.around.directory.end(self.info.id, by.id, self.around.wall())

    def mark(self, by: Member, kind: str, data: dict[str, Any]) -> float:
        if not by.host:
            raise Refused("not_allowed")
        at = self._proceedings.recorder.mark(kind, {**data, "by": by.id})
        if at is None:
            raise Refused("not_recording")
        return at

    def note(self, kind: str, data: dict[str, Any]) -> None:
        """A mark made by the room itself; nothing happens where no recording runs."""
        self._proceedings.recorder.mark(kind, data)

    # What the directory says

    def apply(self, info: MeetingInfo | None) -> None:
        """Makes the room what the directory says it is; whoever lost the right to be here goes first."""
        self.errands.again()
        if info is None or info.state == "ended":
            self.close(CloseReason.ENDED)
            return
        self.info = info
        for member in list(self.members.values()):
            if member.id in info.removed or member.id not in info.participants:
                self._expel(member)
                continue
            member.info = info.participants[member.id]
            admitted = self.is_admitted(member)
            if admitted and not member.admitted and not self.crowded(member):
                member.admitted = True
                self._let_in(member, fresh=True)
            elif not admitted and member.admitted:
                member.admitted = False
                self.drop_leg(member)
                member.dropped, member.seats, member.offer_at = False, {}, None
                if member.link is not None:
                    member.link.send("lobby")
                self.seat_everybody()
        self.maybe_live()
        self.notices.presence()

    def _expel(self, member: Member) -> None:
        self.leave(member)
        del self.members[member.id]
        if member.link is not None:
            member.link.close(CloseReason.REMOVED)

    # Recording and going live

    def maybe_live(self) -> None:
        """The official is here and so is an admitted visitor: start the recording, then let media flow."""
        roles = {member.info.role for member in self.members.values() if member.sending}
        if not self.closed and {"official", "visitor"} <= roles:
            self._proceedings.want()

    def _recording_began(self, first: bool) -> None:
        for member in self.members.values():
            if member.sending and member.leg is not None:
                self.note("connected", {"participant": member.id, "leg": member.leg.name})
        self.router.tape = self._proceedings.recorder  # another one when a meeting is left and found again
        self.router.want_keyframes()
        self.router.flow(True)
        if first:
            self.errands.tell("went_live", self.around.wall())

    def _spared(self, participant_id: str) -> frozenset[str]:
        endpoint = self.router.endpoints.get(participant_id)
        return endpoint.shed.out if endpoint is not None else frozenset()

    def _recording_lost(self, why: str) -> None:
        self.errands.tell("recording_lost", self.around.wall(), why)

    def forgive(self, late: float) -> None:
        self._proceedings.recorder.forgive(late)

    def _tell_recording(self) -> None:
        self.notices.recording(self._proceedings.shown())

    # What time brings

    def tick_fast(self, *, now: float) -> None:
        silence.watch(self, now=now)
        self.router.tick(now=now)
        limits.watch(self, now=now)

    def tick(self, *, now: float) -> None:
        """Every half second: silence, quality, the watch over the recording, people who don't come back."""
        self._proceedings.tick(now=now)
        for member in list(self.members.values()):
            care.look_after(self, member, now=now)
        self.maybe_live()
        if any(member.link is not None or member.connected for member in self.members.values()):
            self._busy = now
        elif now - self._busy > IDLE_S:
            self.router.flow(False)
            self._proceedings.rest()
        self.notices.presence()

    # The end

    def close(self, reason: CloseReason) -> None:
        """Cuts everybody off at once; the recording is closed behind."""
        if self.closed:
            return
        self.closed, self._moved = True, reason == CloseReason.MOVED
        self.router.flow(False)
        for member in self.members.values():
            self.drop_leg(member)
            if member.link is not None:
                member.link.close(reason)
            if member.present:
                member.present = False
                self.errands.tell("left", member.id, self.around.wall())
        self._proceedings.close(reason.value)

    async def drained(self) -> None:
        """Waits until what the room had started is done."""
        await self.errands.done()
