"""How long each one in the hall will wait: a range that eight of ten waits end in, and how it is found.

The rest of the day is played ahead 39 times by the centre's own rule. Each time the service times are drawn anew, for
who is at a counter given how long they have been there; faster classes behind overtake as they will, appointments fall
due, and visitors who haven't come yet but will be called sooner come as often as lately. The tenth and the ninetieth
percentile of the waits found are the range.

Service times are drawn from lately finished visits as they were, mixed with a lognormal one (Brown et al. 2005,
"Statistical analysis of a telephone call center") that counts as much as five visits: short and long errands at one
point stay two kinds. That the mean is known only as visits tell it is part of the range. The draws come from a fixed
table in which the n-th service of all futures together is spread evenly over its distribution (a Latin hypercube): few
futures say much, and the same hall is always told the same.
"""

import random
from bisect import bisect, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from heapq import heapify, heappop, heappush
from itertools import accumulate
from math import exp, inf, log, sqrt
from statistics import NormalDist
from typing import NamedTuple

from queueing.tickets import rules
from queueing.tickets.discipline import DEFAULT, Discipline
from queueing.tickets.estimates import (
    DEFAULT_SERVICE_MINUTES,
    DEFAULT_VARIATION,
    PRIOR_WEIGHT,
    plausible,
    service_time,
    shown,
)
from queueing.tickets.estimates import LONGEST as LONGEST_SERVICE
from queueing.tickets.rules import Candidate, Desk

COVERAGE = 0.8  # stated to the visitor: "eight of ten"
FUTURES = 39
AHEAD = 480.0  # minutes; nothing is foreseen beyond
COME_LATELY = timedelta(hours=1)  # who came since then tells how often others will come
AT_LEAST = timedelta(minutes=45)  # so long they count for at least: many stand before the door when it opens

_MINUTE = timedelta(minutes=1)
_NOBODY = (inf, inf, -1)  # at the front of a line that has ended
_ON_TOP = 1e7  # minutes of rank that no wait reaches
_DRAWS = 509  # services of one future before the table begins again
_SHARES = 256
_BELL = NormalDist()
_BELLS = [_BELL.inv_cdf((share + 0.5) / _SHARES) for share in range(_SHARES)]


@dataclass(frozen=True, slots=True, order=True)
class Service:
    """Minutes that a visit holds a counter: mean, standard deviation / mean, how many visits say so, and which."""

    mean: float = DEFAULT_SERVICE_MINUTES
    variation: float = DEFAULT_VARIATION
    visits: int = 0
    seen: tuple[float, ...] = ()  # minutes, shortest first

    @classmethod
    def of(cls, recent: Sequence[float]) -> "Service":
        """From minutes of lately finished visits, tempered by the published default."""
        mean, variance = service_time(recent)
        return cls(mean, sqrt(variance) / mean, len(recent), tuple(sorted(map(plausible, recent))))


@dataclass(frozen=True, slots=True)
class Seat:
    """An open counter; with `since`, the visitor there was called then, for `point`. `until`: it will close then.

    `back`: its clerk is away until then. Who has not come back in time is counted on from now.
    """

    desk: Desk
    since: datetime | None = None
    point: str = ""
    until: datetime | None = None
    back: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """Visitors like `like` come at this rate (by chance, each for themselves): what lately came, or is booked."""

    like: Candidate
    per_minute: float


@dataclass(frozen=True, slots=True)
class Hall:
    """All that the forecast knows. `services` by point; a point without is served as the default says."""

    waiting: tuple[Candidate, ...]
    seats: tuple[Seat, ...]
    services: Mapping[str, Service]
    streams: tuple[Stream, ...] = ()
    discipline: Discipline = DEFAULT
    turnover_minutes: float = 0.0

    def __hash__(self) -> int:
        services = tuple(sorted(self.services.items()))
        return hash((self.waiting, self.seats, services, self.streams, self.discipline, self.turnover_minutes))


class Range(NamedTuple):
    """Minutes until the call, counted from now: one in ten is called sooner than `low`, one in ten later than `high`.

    `position` counts those ahead who would be called first if the counters they share came free now, and oneself.
    """

    low: int
    high: int
    position: int
    served: bool  # False: no open counter takes this visitor; the range is as if one opened now


def forecast(hall: Hall, *, now: datetime, newcomers: Iterable[Candidate] = ()) -> dict[str, Range]:
    """The range of everybody who waits, by id, appointments that aren't due yet included.

    `newcomers` don't have a ticket yet (the kiosk tells the wait before one chooses): each is foreseen as if only that
    one came, so none stands in the way of another.
    """
    ghosts = list(newcomers)
    game = _Game(hall, ghosts, now)
    waits: list[list[float]] = [[] for _ in game.people]
    for future in range(FUTURES):
        game.play(future, waits)
    positions = game.positions()
    ranges: dict[str, Range] = {}
    for index, person in enumerate(game.people):
        line = sorted(waits[index])
        low, high = shown(_percentile(line, (1 - COVERAGE) / 2), _percentile(line, (1 + COVERAGE) / 2))
        ranges[person.id] = Range(low, high, positions[index], game.served[index])
    return ranges


class _Sort(NamedTuple):
    """All that the game asks of a visitor but since when: who are alike in it differ in arrival alone."""

    urgent: bool
    rate: float
    point: str
    takers: int  # a bit for each counter


class _Game:
    """The hall in numbers: minutes from now, groups of those whom only arrival tells apart, counters as bit masks."""

    def __init__(self, hall: Hall, ghosts: list[Candidate], now: datetime) -> None:
        self.hall, self.now = hall, now
        self.people = [*hall.waiting, *ghosts]
        self.first_ghost = len(hall.waiting)
        seats = list(hall.seats)
        desks = [seat.desk for seat in seats if seat.back is None]
        self.served = self._able([seat.desk for seat in seats], desks)
        alone = {(p.service_point_id, p.section) for p, ok in zip(self.people, self.served, strict=True) if not ok}
        for point, section in sorted(alone):
            everybody = frozenset(p.language for p in self.people)
            seats.append(Seat(Desk(f"~{point}{section}", frozenset({point}), frozenset({section}), everybody, True)))
        self.seats = seats
        self.desks = desks or [seat.desk for seat in seats if seat.back is None]
        self.groups: list[list[tuple[float, float, int]]] = []  # (since, from when, who), in the order of turn
        self.about: list[_Sort] = []
        self.able: list[list[int]] = [[] for _ in seats]  # the groups that each counter takes
        self._sorts: dict[tuple[object, ...], _Sort] = {}
        self._gather()
        points = sorted({one.point for one in self.about} | {seat.point for seat in seats if seat.since})
        self.services = {point: hall.services.get(point, Service()) for point in points}

    def _able(self, desks: list[Desk], others: list[Desk]) -> list[bool]:
        """Of everybody, whether a counter that is open, or will be back, takes them once they are due."""
        known: dict[tuple[object, ...], bool] = {}
        for person in self.people:
            if (kind := _kind(person)) not in known:
                at = max(self.now, person.eligible_at)
                known[kind] = any(rules.why_not(person, desk, now=at, others=others) is None for desk in desks)
        return [known[_kind(person)] for person in self.people]

    def _minutes(self, at: datetime) -> float:
        return (at - self.now) / _MINUTE

    def _gather(self) -> None:
        found: dict[tuple[object, ...], int] = {}
        for index, person in enumerate(self.people):
            sort = self._sort(person)
            alone = index >= self.first_ghost or person.eligible_at > self.now
            key = (sort, person.id if alone else "")
            if key not in found:
                found[key] = self._group(sort)
            free_from = max(0.0, self._minutes(person.eligible_at))
            insort(self.groups[found[key]], (self._minutes(person.ranked_from), free_from, index))
        # Only the urgent, a faster class, or a head start can come from outside and be called before who waits.
        slowest = min((one.rate for one in self.about), default=inf)
        often: dict[tuple[_Sort, float], float] = {}  # (who, with what head start), how many a minute
        for stream in self.hall.streams:
            sort = self._sort(stream.like)
            ahead = self.hall.discipline.head_start_minutes if rules.APPOINTMENT in stream.like.also else 0.0
            if stream.per_minute > 0 and sort.takers and (sort.urgent or sort.rate > slowest or ahead > 0):
                often[sort, ahead] = often.get((sort, ahead), 0.0) + stream.per_minute
        self.streams = [(self._group(sort), per_minute, ahead) for (sort, ahead), per_minute in often.items()]

    def _sort(self, person: Candidate) -> _Sort:
        kind = _kind(person)
        if (known := self._sorts.get(kind)) is None:
            discipline = self.hall.discipline
            rate = discipline.rate(rules.counted_as(person, discipline=discipline))
            at = max(self.now, person.eligible_at)
            takers = 0
            for number, seat in enumerate(self.seats):
                if rules.why_not(person, seat.desk, now=at, others=self.desks) is None:
                    takers |= 1 << number
            known = self._sorts[kind] = _Sort(person.urgent, rate, person.service_point_id, takers)
        return known

    def _group(self, sort: _Sort) -> int:
        group = len(self.groups)
        self.groups.append([])
        self.about.append(sort)
        for number, takes in enumerate(self.able):
            if sort.takers >> number & 1:
                takes.append(group)
        return group

    def positions(self) -> list[int]:
        """The place of each among those whom some counter of theirs would call before them, judged at this moment."""
        row: list[tuple[tuple[bool, float, float, int], int]] = []
        for about, members in zip(self.about, self.groups, strict=True):
            row += [
                ((not about.urgent, min(0.0, since) * about.rate, since, who), about.takers)
                for since, _, who in members
            ]
        row.sort()
        ahead: dict[int, int] = {}
        places = [1] * len(self.people)
        for (_, _, _, who), mask in row:
            places[who] = 1 + sum(n for other, n in ahead.items() if other & mask)
            if who < self.first_ghost and self.people[who].eligible_at <= self.now:
                ahead[mask] = ahead.get(mask, 0) + 1
        return places

    def play(self, future: int, waits: list[list[float]]) -> None:
        """One way the rest of the day may go; appends everybody's minutes until the call."""
        evens, sums = _tables()[0][future], _tables()[1][future]
        drawn = len(self.seats)
        services = self._services(evens)
        pause = self.hall.turnover_minutes
        free: list[tuple[float, int]] = []
        for number, seat in enumerate(self.seats):
            left = 0.0
            if seat.since is not None:
                shares, sway = services[seat.point]
                left = _remaining(shares, sway, -self._minutes(seat.since), evens[number % _DRAWS]) + pause
            elif seat.back is not None:
                left = max(0.0, self._minutes(seat.back))
            free.append((left, number))
        heapify(free)
        heads = [0] * len(self.groups)
        first = [line[0] if line else _NOBODY for line in self.groups]  # the front of every line
        coming = {group: (per_minute, ahead) for group, per_minute, ahead in self.streams}
        for group, (per_minute, ahead) in coming.items():
            first[group] = _coming(per_minute, ahead, sums, group, 1)
        closes = [self._minutes(seat.until) if seat.until else inf for seat in self.seats]
        owed = len(self.people)
        groups, able, first_ghost, people = self.groups, self.able, self.first_ghost, len(self.people)
        ranks = [(_ON_TOP if one.urgent else 0.0, one.rate) for one in self.about]
        while owed and free:
            at, number = heappop(free)
            if at > AHEAD or at >= closes[number]:
                continue
            best, best_score, best_since, soonest = -1, -1.0, 0.0, inf
            for group in able[number]:
                since, free_from, _ = first[group]
                if free_from > at:
                    if free_from < soonest:
                        soonest = free_from
                    continue
                top, rate = ranks[group]
                score = top + (at - since) * rate if at > since else top
                if score > best_score or (score == best_score and since < best_since):
                    best, best_score, best_since = group, score, since
            if best < 0:
                if soonest < inf:
                    heappush(free, (soonest, number))
                continue
            who = first[best][2]
            heads[best] = head = heads[best] + 1
            if best in coming:
                first[best] = _coming(*coming[best], sums, best, head + 1)
            else:
                line = groups[best]
                first[best] = line[head] if head < len(line) else _NOBODY
            if who >= 0:
                waits[who].append(at)
                owed -= 1
            if first_ghost <= who < people:
                heappush(free, (at, number))
                continue
            shares, sway = services[self.about[best].point]
            drawn += 1
            heappush(free, (at + shares[int(evens[drawn % _DRAWS] * _SHARES)] * sway + pause, number))
        if owed:
            for found in waits:
                if len(found) <= future:
                    found.append(AHEAD)

    def _services(self, evens: Sequence[float]) -> dict[str, tuple[tuple[float, ...], float]]:
        """(equally likely minutes, a factor) by point in this future: the mean too is known only as visits tell it."""
        found = {}
        for number, (point, service) in enumerate(self.services.items()):
            doubt = service.variation / sqrt(PRIOR_WEIGHT + service.visits)
            sway = _BELL.inv_cdf(evens[-1 - number % _DRAWS])
            found[point] = _shares(service), exp(doubt * sway - doubt * doubt / 2)
        return found


@lru_cache(256)
def _shares(service: Service) -> tuple[float, ...]:
    """Minutes of a visit, shortest first, each standing for an equal share of visits."""
    sigma = sqrt(log(1 + service.variation**2))
    assumed = [service.mean * exp(sigma * bell - sigma * sigma / 2) for bell in _BELLS]
    weighed = [(minutes, PRIOR_WEIGHT / _SHARES) for minutes in assumed] + [(minutes, 1.0) for minutes in service.seen]
    weighed.sort()
    whole = PRIOR_WEIGHT + len(service.seen)
    found: list[float] = []
    reached = 0.0
    for minutes, weight in weighed:
        reached += weight
        while len(found) < _SHARES and (len(found) + 0.5) / _SHARES * whole <= reached:
            found.append(minutes)
    return (*found, *[weighed[-1][0]] * (_SHARES - len(found)))


@cache
def _tables() -> tuple[list[list[float]], list[list[float]]]:
    """Even draws between 0 and 1 (a Latin hypercube); and the sums of exponential ones, which are a stream of arrivals
    at one a minute. A row for each future."""
    chance = random.Random(1964)  # noqa: S311 - nothing secret is drawn
    columns = []
    for _ in range(_DRAWS):
        strata = list(range(FUTURES))
        chance.shuffle(strata)
        columns.append([(stratum + chance.random()) / FUTURES for stratum in strata])
    evens = [list(row) for row in zip(*columns, strict=True)]
    arrivals = [[chance.expovariate(1) for _ in range(_DRAWS)] for _ in range(FUTURES)]
    return evens, [list(accumulate(row + row, initial=0.0)) for row in arrivals]


def _percentile(line: Sequence[float], share: float) -> float:
    """Of waits that stand for even shares of the whole, between two of them in proportion."""
    place = min(max(share * len(line) - 0.5, 0.0), len(line) - 1.0)
    under = int(place)
    over = min(under + 1, len(line) - 1)
    return line[under] + (place - under) * (line[over] - line[under])


def _coming(
    per_minute: float, head_start: float, sums: Sequence[float], group: int, number: int
) -> tuple[float, float, int]:
    """Who comes as the `number`-th of a stream, as (since, from when, nobody known)."""
    if number > _DRAWS:
        return _NOBODY
    start = group * 61 % _DRAWS
    at = (sums[start + number] - sums[start]) / per_minute
    return (at - head_start, at, -1) if at <= AHEAD else _NOBODY


def _remaining(shares: Sequence[float], sway: float, lasted: float, even: float) -> float:
    """Minutes that are left of a service that has lasted so long: drawn from the services that are longer than that."""
    lasted = min(max(lasted, 0.0), LONGEST_SERVICE)
    past = bisect(shares, lasted / sway)
    if past == _SHARES:  # longer than any known: half as much again at the most, as far as anybody can tell
        return lasted * even / 2
    return shares[past + int((_SHARES - past) * even)] * sway - lasted


def _kind(person: Candidate) -> tuple[object, ...]:
    return (
        person.urgent,
        person.visitor_class,
        person.also,
        person.service_point_id,
        person.section,
        person.language,
        person.sign_language,
    )
