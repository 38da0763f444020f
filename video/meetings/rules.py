"""Pure decisions about meetings: who hosts, who may enter when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.errors import Refused
from video.meetings.states import JOINABLE

VISITOR, OFFICIAL, AIDE, INTERPRETER = "visitor", "official", "aide", "interpreter"
ROLES = (VISITOR, OFFICIAL, AIDE, INTERPRETER)
HOSTS = frozenset({OFFICIAL, AIDE})
"""They need no admission, see the lobby, admit others and end the meeting."""

MOST = 4
NOBODY_THERE = timedelta(minutes=15)
LONGEST_OVERRUN = timedelta(hours=6)
EARLY = timedelta(minutes=60)


def check_joinable(state: str, starts_at: datetime, *, now: datetime) -> None:
    """Raises Refused for a meeting that is over or still more than an hour away."""
    if state not in JOINABLE:
        raise Refused("This meeting is over.")
    if now < starts_at - EARLY:
        raise Refused("The room opens an hour before the meeting.")


def is_abandoned(ends_at: datetime, left: Iterable[datetime | None], *, now: datetime) -> bool:
    """A running meeting that nobody will end: everybody left a good while ago, or it is hours past its time.

    `left` holds when each of those who ever came was last there; None for one who seems to be there still.
    """
    times = list(left)
    if now > ends_at + LONGEST_OVERRUN:
        return True
    return bool(times) and all(at is not None and now > at + NOBODY_THERE for at in times) and now > ends_at


def needs_admission(role: str) -> bool:
    return role not in HOSTS


def may_host(role: str) -> bool:
    return role in HOSTS


class Fared(Protocol):
    """One connection of a participant, as it was kept."""

    began_at: datetime
    seconds: float
    packets_in: int
    bytes_in: int
    packets_out: int
    bytes_out: int
    lost_in: int
    repaired_in: int
    unfilled_in: int
    asked_out: int
    worst_loss_out: float
    silences: int
    silent_s: float
    stills: int
    rtt_ms_mean: float | None
    rtt_ms_most: float | None
    kbps_in_least: float | None
    kbps_in_most: float | None
    link_drops: int


LEFT_AFTER = timedelta(minutes=2)
"""Whoever is away for longer than this between two connections had left, and was not thrown out by the line."""


@dataclass(frozen=True)
class Quality:
    """How a participant fared over a whole meeting."""

    seconds: float
    """Connected; those of a device that sends and receives apart count once."""
    packets: int
    bytes: int
    loss: float
    """Share of what they sent that did not come by itself."""
    repaired: float
    """Share of that which came after all."""
    missed: float
    """Share of what they were sent that they asked for again: of the picture, for sound is not asked for."""
    worst_loss: float
    silences: int
    lost_s: float
    """Without any line: silent, or between two connections."""
    stills: int
    """Pictures that stood still, and gaps in the picture that were given up."""
    broken: int
    """Connections that had to be replaced."""
    link_drops: int
    """Broken signalling, which disturbs neither picture nor sound."""
    rtt_ms: float | None
    rtt_ms_most: float | None
    kbps: tuple[float, float] | None
    """Least and most that they sent."""

    @property
    def freezes(self) -> int:
        return self.stills + self.silences

    @property
    def reconnections(self) -> int:
        return self.broken + self.link_drops


def total(legs: Sequence[Fared]) -> Quality:
    """All connections of one participant in one meeting, summed up."""
    sent, lost = sum(leg.packets_in for leg in legs), sum(leg.lost_in for leg in legs)
    received = sum(leg.packets_out for leg in legs)
    trips = [(leg.rtt_ms_mean, leg.seconds) for leg in legs if leg.rtt_ms_mean is not None]
    weight = sum(seconds for _, seconds in trips)
    least = [leg.kbps_in_least for leg in legs if leg.kbps_in_least is not None]
    most = [leg.kbps_in_most for leg in legs if leg.kbps_in_most is not None]
    connected, breaks = _course(legs)
    return Quality(
        seconds=connected,
        packets=sent + received,
        bytes=sum(leg.bytes_in + leg.bytes_out for leg in legs),
        loss=lost / (sent + lost) if sent + lost else 0.0,
        repaired=sum(leg.repaired_in for leg in legs) / lost if lost else 1.0,
        missed=min(1.0, sum(leg.asked_out for leg in legs) / received) if received else 0.0,
        worst_loss=max((leg.worst_loss_out for leg in legs), default=0.0),
        silences=sum(leg.silences for leg in legs),
        lost_s=sum(leg.silent_s for leg in legs) + sum(breaks),
        stills=sum(leg.unfilled_in + leg.stills for leg in legs),
        broken=len(breaks),
        link_drops=sum(leg.link_drops for leg in legs),
        rtt_ms=sum(mean * seconds for mean, seconds in trips) / weight if weight else None,
        rtt_ms_most=max((leg.rtt_ms_most for leg in legs if leg.rtt_ms_most is not None), default=None),
        kbps=(min(least), max(most)) if least and most else None,
    )


def _course(legs: Sequence[Fared]) -> tuple[float, list[float]]:
    """Seconds connected, and how long each break between two connections was."""
    connected, breaks = 0.0, []
    until: datetime | None = None
    for leg in sorted(legs, key=lambda leg: leg.began_at):
        end = leg.began_at + timedelta(seconds=leg.seconds)
        if until is not None and leg.began_at >= until and leg.began_at - until <= LEFT_AFTER:
            breaks.append((leg.began_at - until).total_seconds())
        start = leg.began_at if until is None else max(leg.began_at, until)
        connected += max(0.0, (end - start).total_seconds())
        until = end if until is None else max(until, end)
    return connected, breaks


# What a meeting was like, in a word. Sources: ITU-T G.1010, table I.1 (conversational voice: less than 3 % of the
# packets lost; one way less than 150 ms wished, 400 ms the limit, as in G.114); draft-ietf-rmcat-gcc-02, section 6 (a
# sender gives way at 10 % loss). How often a picture may stop has no standard that fits a private talk: those limits
# are our own, to be looked at again with real meetings.

FINE, INTERRUPTED, BAD = "good", "interrupted", "bad"
LEVELS = (FINE, INTERRUPTED, BAD)

SHORTEST_S = 20.0
"""What was over sooner says nothing."""
LOSS_HEARD, LOSS_BAD = 0.03, 0.10
TRIP_FELT_MS, TRIP_BAD_MS = 400.0, 800.0
"""There and back on one side: half of it is that side's part of the way, and the other side has one too. So the first
leaves half of G.1010's limit to the other, the second reaches the limit alone."""
LOST_BAD = 0.05
"""A twentieth of the time without a line."""
BREAKS_BAD_PER_MINUTE, STILLS_FELT_PER_MINUTE, STILLS_BAD_PER_MINUTE = 0.2, 0.2, 1.0
FEW = 2
"""So many breaks, or pictures that stood still, are never called bad, and one still not even an interruption."""

LOSS, DELAY, BREAKS, STILLS = "loss", "delay", "breaks", "stills"


@dataclass(frozen=True)
class Verdict:
    level: str
    reasons: tuple[str, ...] = ()
    """Worst first where levels differ; empty where all was well."""


def verdict(quality: Quality) -> Verdict | None:
    """How one participant's connection was over a meeting; None where it was too short to say."""
    if quality.seconds < SHORTEST_S:
        return None
    minutes = max(1.0, quality.seconds / 60)
    loss = max(quality.loss, quality.missed)
    trip = quality.rtt_ms or 0.0
    breaks = max(quality.silences, quality.broken)
    lost = quality.lost_s / (quality.seconds + quality.lost_s)
    found = {
        BREAKS: _level(
            breaks > 0 or quality.lost_s > 0,
            lost > LOST_BAD or (breaks > FEW and breaks / minutes > BREAKS_BAD_PER_MINUTE),
        ),
        LOSS: _level(loss > LOSS_HEARD, loss > LOSS_BAD),
        STILLS: _level(
            quality.stills >= FEW and quality.stills / minutes > STILLS_FELT_PER_MINUTE,
            quality.stills > FEW and quality.stills / minutes > STILLS_BAD_PER_MINUTE,
        ),
        DELAY: _level(trip > TRIP_FELT_MS, trip > TRIP_BAD_MS),
    }
    reasons = sorted((cause for cause in found if found[cause]), key=lambda cause: -found[cause])
    return Verdict(LEVELS[max(found.values())], tuple(reasons))


def _level(felt: bool, bad: bool) -> int:
    return 2 if bad else int(felt)


def worst(verdicts: Iterable[Verdict | None]) -> str | None:
    """The level of a meeting: that of whoever fared worst; None where nothing was measured."""
    levels = [LEVELS.index(one.level) for one in verdicts if one is not None]
    return LEVELS[max(levels)] if levels else None
