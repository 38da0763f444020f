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

    seconds: float
    packets_in: int
    bytes_in: int
    packets_out: int
    bytes_out: int
    lost_in: int
    repaired_in: int
    unfilled_in: int
    worst_loss_out: float
    silences: int
    stills: int
    rtt_ms_mean: float | None
    kbps_in_least: float | None
    kbps_in_most: float | None
    link_drops: int


@dataclass(frozen=True)
class Quality:
    """How a participant fared over a whole meeting."""

    seconds: float
    packets: int
    bytes: int
    loss: float
    """Share of what they sent that did not come by itself."""
    repaired: float
    """Share of that which came after all."""
    worst_loss: float
    freezes: int
    """Gaps that were given up, silences, and pictures that stood still."""
    rtt_ms: float | None
    kbps: tuple[float, float] | None
    """Least and most that they sent."""
    reconnections: int


def total(legs: Sequence[Fared]) -> Quality:
    """All connections of one participant in one meeting, summed up."""
    sent, lost = sum(leg.packets_in for leg in legs), sum(leg.lost_in for leg in legs)
    trips = [(leg.rtt_ms_mean, leg.seconds) for leg in legs if leg.rtt_ms_mean is not None]
    weight = sum(seconds for _, seconds in trips)
    least = [leg.kbps_in_least for leg in legs if leg.kbps_in_least is not None]
    most = [leg.kbps_in_most for leg in legs if leg.kbps_in_most is not None]
    return Quality(
        seconds=sum(leg.seconds for leg in legs),
        packets=sent + sum(leg.packets_out for leg in legs),
        bytes=sum(leg.bytes_in + leg.bytes_out for leg in legs),
        loss=lost / (sent + lost) if sent + lost else 0.0,
        repaired=sum(leg.repaired_in for leg in legs) / lost if lost else 1.0,
        worst_loss=max((leg.worst_loss_out for leg in legs), default=0.0),
        freezes=sum(leg.unfilled_in + leg.silences + leg.stills for leg in legs),
        rtt_ms=sum(mean * seconds for mean, seconds in trips) / weight if weight else None,
        kbps=(min(least), max(most)) if least and most else None,
        reconnections=max(0, len(legs) - 1) + sum(leg.link_drops for leg in legs),
    )
