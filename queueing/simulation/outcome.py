"""What a day came to: every wait, and the numbers that a manager decides by. Minutes throughout."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import ceil
from statistics import fmean
from typing import Any, NamedTuple

SERVED, GAVE_UP, UNSERVED = "served", "gave_up", "unserved"
URGENT = "urgent"  # counted as a class of its own
_MINUTE = timedelta(minutes=1)


class Wait(NamedTuple):
    """One stage of one visit. The wait runs from `joined` (issued, or the appointed time) to `called`.

    `ended` is the end of the service, or when somebody gave up.
    """

    visit: str
    label: str
    stage: int
    point: str
    visitor_class: str
    urgent: bool
    joined: datetime
    called: datetime | None
    ended: datetime | None
    desk: str
    fate: str

    @property
    def minutes(self) -> float | None:
        return (self.called - self.joined) / _MINUTE if self.called else None


class Worked(NamedTuple):
    """A counter's day; `open` contains what was worked after closing time."""

    desk: str
    open: float
    busy: float
    served: int

    @property
    def utilisation(self) -> float:
        return self.busy / self.open if self.open else 0.0


@dataclass(frozen=True, slots=True)
class Spread:
    """The waits of those who were called; `within` is the share that stayed under the centre's target."""

    called: int
    mean: float
    median: float
    p90: float
    longest: float
    within: float


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime
    waiting: int
    at_counters: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """`all`, `by_class` and `by_point` tell of waits at every stage; `urgent` is a class of its own."""

    waits: tuple[Wait, ...]
    all: Spread
    by_class: dict[str, Spread]
    by_point: dict[str, Spread]
    counters: tuple[Worked, ...]
    curve: tuple[Moment, ...]
    served: int
    gave_up: int
    unserved: int
    target_minutes: float

    def as_json(self) -> dict[str, Any]:
        """The summary without the single waits; minutes to a hundredth, instants in ISO 8601."""
        return {
            "served": self.served,
            "gave_up": self.gave_up,
            "unserved": self.unserved,
            "target_minutes": self.target_minutes,
            "all": _rounded(self.all),
            "by_class": {name: _rounded(spread) for name, spread in self.by_class.items()},
            "by_point": {name: _rounded(spread) for name, spread in self.by_point.items()},
            "counters": [
                {
                    "counter": worked.desk,
                    "open": round(worked.open, 2),
                    "busy": round(worked.busy, 2),
                    "served": worked.served,
                    "utilisation": round(worked.utilisation, 4),
                }
                for worked in self.counters
            ],
            "curve": [[moment.at.isoformat(), moment.waiting, moment.at_counters] for moment in self.curve],
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """One class before and after a change; None where nobody of it was called."""

    visitor_class: str
    before: Spread | None
    after: Spread | None


def compare(before: Outcome, after: Outcome) -> list[Difference]:
    """By class, those with the most visitors first."""
    names = {**before.by_class, **after.by_class}
    order = sorted(names, key=lambda name: (-names[name].called, name))
    return [Difference(name, before.by_class.get(name), after.by_class.get(name)) for name in order]


def summarise(waits: Sequence[Wait], worked: Iterable[Worked], *, target: float, step_minutes: int = 5) -> Outcome:
    classes: dict[str, list[float]] = {}
    points: dict[str, list[float]] = {}
    for wait in waits:
        if (minutes := wait.minutes) is not None:
            classes.setdefault(URGENT if wait.urgent else wait.visitor_class, []).append(minutes)
            points.setdefault(wait.point, []).append(minutes)
    return Outcome(
        waits=tuple(waits),
        all=spread([minutes for some in classes.values() for minutes in some], target=target),
        by_class={name: spread(classes[name], target=target) for name in sorted(classes)},
        by_point={name: spread(points[name], target=target) for name in sorted(points)},
        counters=tuple(sorted(worked)),
        curve=curve(waits, step_minutes=step_minutes),
        served=sum(wait.fate == SERVED for wait in waits),
        gave_up=sum(wait.fate == GAVE_UP for wait in waits),
        unserved=sum(wait.fate == UNSERVED for wait in waits),
        target_minutes=target,
    )


def spread(minutes: Iterable[float], *, target: float) -> Spread:
    """Median and ninetieth are waits that somebody had: the least that so many didn't exceed."""
    line = sorted(minutes)
    if not line:
        return Spread(0, 0.0, 0.0, 0.0, 0.0, 1.0)
    kept = sum(wait <= target for wait in line) / len(line)
    return Spread(len(line), fmean(line), _quantile(line, 0.5), _quantile(line, 0.9), line[-1], kept)


def curve(waits: Sequence[Wait], *, step_minutes: int = 5) -> tuple[Moment, ...]:
    """How many waited and how many were at counters, every so many minutes from the first ticket to the last end."""
    if not waits:
        return ()
    step = timedelta(minutes=step_minutes)
    changes: list[tuple[datetime, int, int]] = []
    for wait in waits:
        changes.append((wait.joined, 1, 0))
        if wait.called and wait.ended:
            changes += [(wait.called, -1, 1), (wait.ended, 0, -1)]
        elif wait.ended:
            changes.append((wait.ended, -1, 0))
    changes.sort()
    at, moments, waiting, serving = changes[0][0], [], 0, 0
    for instant, more, at_desk in changes:
        while at < instant:
            moments.append(Moment(at, waiting, serving))
            at += step
        waiting, serving = waiting + more, serving + at_desk
    return (*moments, Moment(at, waiting, serving))


def _quantile(line: Sequence[float], share: float) -> float:
    return line[max(0, ceil(share * len(line)) - 1)]


def _rounded(spread: Spread) -> dict[str, float]:
    return {name: round(value, 4 if name == "within" else 2) for name, value in asdict(spread).items()}
