"""What the people of a room are told, and who is told what. Holds no rule but one: the lobby is shown to hosts only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from video.media import sdp
from video.media.judgement import Verdict
from video.media.member import Member


class Notices:
    """Tells the members of one room; remembers what each was shown, so that only changes are sent."""

    def __init__(self, members: Mapping[str, Member], spared: Callable[[str], frozenset[str]]) -> None:
        """`spared`: whose picture someone is not sent, so that their sound stays whole."""
        self._members = members
        self._spared = spared
        self._shown: dict[str, list[dict[str, object]]] = {}
        self._told: dict[str, dict[str, Verdict]] = {}

    def inside(self) -> list[Member]:
        return [member for member in self._members.values() if member.present and member.admitted]

    def others(self, member: Member) -> list[Member]:
        return [other for other in self.inside() if other is not member]

    def forget(self, member: Member) -> None:
        """This member's client is new and knows nothing."""
        self._shown.pop(member.id, None)
        self._told.pop(member.id, None)

    def presence(self) -> None:
        """The list of who is present, to everyone inside for whom it changed."""
        present = [member for member in self._members.values() if member.present]
        for member in self.inside():
            if member.link is None:
                self.forget(member)
                continue
            spared = self._spared(member.id)
            entries = [
                other.shown() | {"spared": other.id in spared} for other in present if other.admitted or member.host
            ]
            if self._shown.get(member.id) != entries:
                self._shown[member.id] = entries
                member.link.send("presence", participants=entries)
        self._lines()

    def slots(self, member: Member) -> None:
        if member.link is not None:
            places = [
                {
                    "slot": index + 1,
                    "participant": member.seats.get(index),
                    "mids": [str(2 * index + 2), str(2 * index + 3)],
                }
                for index in range(sdp.SLOTS)
            ]
            member.link.send("slots", slots=places)

    def recording(self, shown: dict[str, Any] | None, members: list[Member] | None = None) -> None:
        """The state of the recording, to these or to everyone inside; `None` where there is nothing to tell."""
        if shown is None:
            return
        for member in members if members is not None else self.inside():
            if member.link is not None:
                member.link.send("recording", **shown)

    def _lines(self) -> None:
        """How everybody's line is, to everyone inside for whom it changed. Who comes (back) is told of all, good ones
        too: their client may know what no longer holds."""
        inside = self.inside()
        for member in inside:
            if member.link is None:
                continue
            told = self._told.setdefault(member.id, {})
            for other in inside:
                verdict = other.line.shown
                if told.get(other.id) != verdict:
                    told[other.id] = verdict
                    member.link.send("quality", participant=other.id, level=verdict.level, why=verdict.why)
