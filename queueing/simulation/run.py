"""Play a day: events in the order of time, every call decided by `rules.pick`.

Within a group of tickets that differ in arrival alone, whoever came first is next; so only the heads of the groups are
put before the rule. A test holds that this is what the rule would choose from the whole line.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from queueing.simulation.day import Arrival, Day, merged
from queueing.simulation.outcome import GAVE_UP, SERVED, UNSERVED, Outcome, Wait, Worked, summarise
from queueing.tickets import rules
from queueing.tickets.course import forwarded_from
from queueing.tickets.rules import APPOINTMENT, Candidate, Desk

# In this order at one instant: who is done makes room, who opens serves, who closes has still served.
_FINISH, _OPEN, _JOIN, _ELIGIBLE, _GIVE_UP, _CLOSE = range(6)
TOLD_EVERY = 500  # visits that joined, between two calls of `progress`

Watch = Callable[["Run", Candidate, datetime], None]


@dataclass(slots=True)
class AtDesk:
    """A counter in the run: `candidate` is there since `since`, or it has been idle since then."""

    desk: Desk
    open: bool = False
    candidate: Candidate | None = None
    since: datetime | None = None
    opened_at: datetime | None = None
    open_for: timedelta = timedelta()
    busy_for: timedelta = timedelta()
    served: int = 0


@dataclass(slots=True)
class _Visit:
    id: str
    arrival: Arrival
    stage: int = 0
    waited: timedelta = timedelta()
    joined: datetime | None = None
    done: bool = False  # called, or gone, at this stage


def simulate(
    day: Day, *, watch: Watch | None = None, progress: Callable[[int], None] | None = None, step_minutes: int = 5
) -> Outcome:
    """What the day comes to. `watch(run, candidate, now)` sees everybody who joins a line, before a counter takes them.

    `progress` is told how many have come, every so often. Ends when the last counter is done; who still waits then is
    `UNSERVED`. The same day gives the same outcome.
    """
    run = Run(day, watch=watch, progress=progress)
    run.play()
    worked = [
        Worked(key, at.open_for / timedelta(minutes=1), at.busy_for / timedelta(minutes=1), at.served)
        for key, at in run.desks.items()
    ]
    return summarise(run.waits, worked, target=day.discipline.target_minutes, step_minutes=step_minutes)


class Run:
    """A day under way."""

    def __init__(self, day: Day, *, watch: Watch | None = None, progress: Callable[[int], None] | None = None) -> None:
        self.day = day
        self.desks = {key: AtDesk(desk) for key, desk in day.desks().items()}
        self.waits: list[Wait] = []
        self._watch, self._progress = watch, progress
        self._open: list[Desk] = []
        self._idle: dict[str, AtDesk] = {}  # in the order in which they became so: the longest idle calls first
        self._groups: dict[tuple[str, str, str, bool, bool, float], list[tuple[datetime, str, Candidate]]] = {}
        self._upcoming: dict[str, Candidate] = {}
        self._turnover = timedelta(minutes=day.turnover_minutes)
        arrivals = sorted(day.arrivals, key=lambda arrival: arrival.at)
        self._visits = {f"{n:07}": _Visit(f"{n:07}", arrival) for n, arrival in enumerate(arrivals)}
        self._events: list[tuple[datetime, int, str, int]] = [
            (v.arrival.at, _JOIN, v.id, 0) for v in self._visits.values()
        ]
        for span in merged(day.spans):
            self._events += [(span.from_at, _OPEN, span.desk.id, 0), (span.to_at, _CLOSE, span.desk.id, 0)]
        heapify(self._events)

    def waiting(self) -> Iterator[Candidate]:
        """The line as it is, in no order; and the checked-in appointments whose time hasn't come."""
        for group in self._groups.values():
            yield from (row[2] for row in group if not self._visits[row[1]].done)
        yield from self._upcoming.values()

    def open_desks(self) -> list[AtDesk]:
        return [at for at in self.desks.values() if at.open]

    def play(self) -> None:
        events, joined = self._events, 0
        while events:
            now, kind, key, stage = heappop(events)
            if kind == _FINISH:
                self._finish(self.desks[key], now)
            elif kind == _JOIN:
                self._join(self._visits[key], now)
                joined += 1
                if self._progress and joined % TOLD_EVERY == 0:
                    self._progress(joined)
            elif kind == _ELIGIBLE:
                self._seat(self._upcoming.pop(key), now)
            elif kind == _OPEN:
                self._open_desk(self.desks[key], now)
            elif kind == _CLOSE:
                self._close_desk(self.desks[key], now)
            else:
                self._give_up(self._visits[key], stage, now)
        for candidate in list(self.waiting()):
            self._leave(self._visits[candidate.id], candidate, None, UNSERVED)

    def _join(self, visit: _Visit, now: datetime) -> None:
        candidate = self._candidate(visit, now)
        visit.joined, visit.done = candidate.eligible_at, False
        if self._watch:
            self._watch(self, candidate, now)
        if visit.arrival.gives_up_after is not None:
            leaves = candidate.eligible_at + timedelta(minutes=visit.arrival.gives_up_after)
            heappush(self._events, (leaves, _GIVE_UP, visit.id, visit.stage))
        if candidate.eligible_at > now:
            self._upcoming[visit.id] = candidate
            heappush(self._events, (candidate.eligible_at, _ELIGIBLE, visit.id, 0))
        else:
            self._seat(candidate, now)

    def _candidate(self, visit: _Visit, now: datetime) -> Candidate:
        came, rule, first = visit.arrival, self.day.discipline, visit.stage == 0
        promised = came.appointment_at
        punctual = rules.is_punctual(issued_at=came.at, appointment_at=promised, discipline=rule)
        if first:
            since = rules.ranked_from(issued_at=now, appointment_at=promised, discipline=rule)
            eligible = rules.eligible_at(issued_at=now, appointment_at=promised)
        else:
            since, eligible = forwarded_from(waited=visit.waited, now=now), now
        return Candidate(
            visit.id,
            came.label or visit.id,
            came.stages[visit.stage].point,
            came.section,
            came.language,
            came.sign_language,
            came.visitor_class,
            came.urgent,
            since,
            eligible,
            (*came.also, APPOINTMENT) if punctual else came.also,
        )

    def _seat(self, candidate: Candidate, now: datetime) -> None:
        """Into the line, or straight to a counter that is free for it."""
        for at in self._idle.values():
            if rules.why_not(candidate, at.desk, now=now, others=self._open) is None:
                del self._idle[at.desk.id]
                self._call(at, candidate, now)
                return
        heappush(self._groups.setdefault(self._group(candidate), []), (candidate.ranked_from, candidate.id, candidate))

    def _next_for(self, at: AtDesk, now: datetime) -> None:
        """Call whoever's turn it is, else be idle."""
        at.candidate, at.since = None, now
        chosen = rules.pick(
            [
                group[0][2]
                for (point, section, *_), group in self._groups.items()
                if point in at.desk.service_point_ids and section in at.desk.sections
            ],
            at.desk,
            now=now,
            others=self._open,
            discipline=self.day.discipline,
        )
        if chosen is None:
            self._idle[at.desk.id] = at
        else:
            self._remove(chosen)
            self._call(at, chosen, now)

    def _group(self, candidate: Candidate) -> tuple[str, str, str, bool, bool, float]:
        """All that the rule looks at, but for when one came."""
        rule = self.day.discipline
        return (
            candidate.service_point_id,
            candidate.section,
            candidate.language,
            candidate.sign_language,
            candidate.urgent,
            rule.rate(rules.counted_as(candidate, discipline=rule)),
        )

    def _remove(self, candidate: Candidate) -> None:
        """The head of a group leaves it; so do those behind it who went home long ago."""
        key = self._group(candidate)
        group = self._groups[key]
        heappop(group)
        while group and self._visits[group[0][1]].done:
            heappop(group)
        if not group:
            del self._groups[key]

    def _call(self, at: AtDesk, candidate: Candidate, now: datetime) -> None:
        visit = self._visits[candidate.id]
        stage = visit.arrival.stages[visit.stage]
        ends = now + timedelta(minutes=stage.minutes)
        assert visit.joined
        visit.waited += now - visit.joined
        visit.done = True
        at.candidate, at.since = candidate, now
        at.busy_for += ends - now
        at.served += 1
        self._record(visit, candidate, now, SERVED, at.desk.id, ends)
        heappush(self._events, (ends + self._turnover, _FINISH, at.desk.id, 0))
        if visit.stage + 1 < len(visit.arrival.stages):
            visit.stage += 1
            away = timedelta(minutes=visit.arrival.stages[visit.stage].away)
            heappush(self._events, (ends + away, _JOIN, visit.id, 0))

    def _finish(self, at: AtDesk, now: datetime) -> None:
        if at.open:
            self._next_for(at, now)
        else:
            at.candidate = None
            self._count_open(at, now)

    def _open_desk(self, at: AtDesk, now: datetime) -> None:
        at.opened_at = at.opened_at or now
        at.open = True
        self._open.append(at.desk)
        if at.candidate is None:
            self._idle[at.desk.id] = at
        self._ask_idle(now)

    def _close_desk(self, at: AtDesk, now: datetime) -> None:
        """Who is there is served to the end; then the counter is closed."""
        at.open = False
        self._open = [desk for desk in self._open if desk.id != at.desk.id]
        if self._idle.pop(at.desk.id, None):
            self._count_open(at, now)
        self._ask_idle(now)

    def _ask_idle(self, now: datetime) -> None:
        """Which languages are waived depends on the open counters: after a change the idle ones look again."""
        for at in list(self._idle.values()):
            del self._idle[at.desk.id]
            self._next_for(at, now)

    def _count_open(self, at: AtDesk, now: datetime) -> None:
        if at.opened_at:
            at.open_for += now - at.opened_at
        at.opened_at = None

    def _give_up(self, visit: _Visit, stage: int, now: datetime) -> None:
        if visit.stage != stage or visit.done:
            return
        candidate = self._candidate(visit, visit.arrival.at)
        group = self._groups[self._group(candidate)]
        candidate = next(row[2] for row in group if row[1] == visit.id)
        self._leave(visit, candidate, now, GAVE_UP)
        if group[0][1] == visit.id:
            self._remove(candidate)

    def _leave(self, visit: _Visit, candidate: Candidate, now: datetime | None, fate: str) -> None:
        visit.done = True
        self._record(visit, candidate, None, fate, "", now)

    def _record(
        self, visit: _Visit, candidate: Candidate, called: datetime | None, fate: str, desk: str, ended: datetime | None
    ) -> None:
        assert visit.joined
        self.waits.append(
            Wait(
                visit.id,
                visit.arrival.label,
                visit.stage,
                candidate.service_point_id,
                rules.counted_as(candidate, discipline=self.day.discipline),
                candidate.urgent,
                visit.joined,
                called,
                ended,
                desk,
                fate,
            )
        )
