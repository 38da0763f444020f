"""How a participant's line is: one word and its cause, for people. Calm on purpose: worse is said at once, better only
when it has lasted, so that no sign flickers. Pure; `care` feeds it twice a second.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Level = Literal["good", "weak", "silent"]
Why = Literal["uplink", "downlink", "delay"]

WEAK_LOSS = 0.08
"""Beyond it repair comes late and Opus' in-band FEC no longer hides what is missing; the congestion control of the
browsers gives way at 10 % (draft-ietf-rmcat-gcc-02, section 6)."""
SLOW_S = 0.5
"""A round trip on one leg. Two such legs and the players' buffers pass the 400 ms one way beyond which people talk into
each other (ITU-T G.114)."""
CALM_S = 4.0
"""So long it must have been better before it is said."""
REPORTED_S = 1.5
"""A receiver's loss reports run up to a second behind what the node measured of the sender: for so long they may be
about the sender's line, not the receiver's."""
RANK = {"good": 0, "weak": 1, "silent": 2}


class Verdict(NamedTuple):
    level: Level = "good"
    why: Why | None = None
    """For `weak`: what they send is lost, what they are sent is lost, or every answer takes long."""


GOOD = Verdict()


def judged(*, silent: bool, uplink_loss: float, downlink_loss: float, round_trip_s: float | None = None) -> Verdict:
    """As it is at this moment. Loss counts before delay: it is heard first."""
    if silent:
        return Verdict("silent")
    if max(uplink_loss, downlink_loss) > WEAK_LOSS:
        return Verdict("weak", "uplink" if uplink_loss >= downlink_loss else "downlink")
    if round_trip_s is not None and round_trip_s > SLOW_S:
        return Verdict("weak", "delay")
    return GOOD


class Line:
    """What is said of one participant's line, `shown`, over time."""

    def __init__(self) -> None:
        self.shown = GOOD
        self._coming = GOOD
        self._since = 0.0
        """`_coming` is what it has been since then, and would be said in its time."""
        self._missing_since: float | None = None

    def look(
        self,
        *,
        silent: bool,
        uplink_loss: float,
        downlink_loss: float,
        round_trip_s: float | None,
        others_weak: bool,
        now: float,
    ) -> Verdict:
        """`others_weak`: someone whom this participant sees sends badly, so what is missing is put down to them."""
        missing = self._missing(downlink_loss, others_weak=others_weak, now=now)
        verdict = judged(silent=silent, uplink_loss=uplink_loss, downlink_loss=missing, round_trip_s=round_trip_s)
        if verdict != self._coming:
            self._coming, self._since = verdict, now
        if RANK[verdict.level] > RANK[self.shown.level]:
            self.shown = verdict
        elif verdict != self.shown:
            if self.shown.level == "silent":  # heard again: that is a fact at once, that it holds is not
                self.shown = verdict if verdict.level == "weak" else Verdict("weak", "uplink")
            elif now - self._since >= CALM_S:
                self.shown = verdict
        return self.shown

    def _missing(self, loss: float, *, others_weak: bool, now: float) -> float:
        if loss <= WEAK_LOSS or others_weak:
            self._missing_since = None
            return 0.0
        if self._missing_since is None:
            self._missing_since = now
        return loss if now - self._missing_since >= REPORTED_S else 0.0
