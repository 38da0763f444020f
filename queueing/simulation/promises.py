"""What a day's visitors would have been told when they came, and how often it held."""

from collections import deque
from datetime import datetime, timedelta

from queueing.simulation.outcome import Outcome
from queueing.simulation.run import Run
from queueing.tickets.estimates import Kept, kept
from queueing.tickets.forecast import AT_LEAST, COME_LATELY, Hall, Range, Seat, Service, Stream, forecast
from queueing.tickets.rules import Candidate

RECENT = timedelta(hours=3)  # services and arrivals that the forecast learns from, as in queueing.tickets.halls
SERVICES_KNOWN = 60
_MINUTE = timedelta(minutes=1)


class Promises:
    """Pass `watch` to `simulate`, then ask `kept`. Knows at each moment what a centre would know, and no more.

    `every`: only each so-many-th is told a range (a forecast costs a hundred times a call). `must_wait`: leave out whom
    a counter was free for; of them every range holds.
    """

    def __init__(self, *, every: int = 1) -> None:
        self.every = every
        self.told: dict[tuple[str, str], tuple[Range, datetime]] = {}
        self._came: deque[tuple[datetime, Candidate]] = deque()
        self._first: datetime | None = None
        self._seen = 0

    def watch(self, run: Run, candidate: Candidate, now: datetime) -> None:
        self._first = self._first or now
        self._seen += 1
        self._came.append((now, candidate))
        while self._came[0][0] <= now - COME_LATELY:
            self._came.popleft()
        if self._seen % self.every == 0:
            hall = self._hall(run, candidate, now)
            self.told[candidate.id, candidate.service_point_id] = forecast(hall, now=now)[candidate.id], now

    def kept(self, outcome: Outcome, *, must_wait: bool = False) -> Kept | None:
        rows = []
        for wait in outcome.waits:
            found = self.told.get((wait.visit, wait.point))
            if found and wait.called and not (must_wait and found[0].high <= 2):
                (low, high, _, _), at = found
                rows.append((low, high, (wait.called - at) / _MINUTE))
        return kept(rows)

    def _hall(self, run: Run, candidate: Candidate, now: datetime) -> Hall:
        assert self._first
        lately: dict[str, list[float]] = {}
        for wait in reversed(run.waits):
            if wait.called and wait.ended and now - RECENT < wait.ended <= now:
                some = lately.setdefault(wait.point, [])
                if len(some) < SERVICES_KNOWN:
                    some.append((wait.ended - wait.called) / _MINUTE)
            elif wait.called and wait.called < now - 2 * RECENT:
                break
        seats = tuple(
            Seat(at.desk, at.since if at.candidate else None, at.candidate.service_point_id if at.candidate else "")
            for at in run.open_desks()
        )
        span = max(AT_LEAST, min(COME_LATELY, now - self._first)) / _MINUTE
        kinds: dict[tuple[object, ...], list[Candidate]] = {}
        for _, one in self._came:
            kind = (one.visitor_class, one.also, one.urgent, one.service_point_id, one.section, one.language)
            kinds.setdefault((*kind, one.sign_language), []).append(one)
        return Hall(
            waiting=(*run.waiting(), candidate),
            seats=seats,
            services={point: Service.of(minutes) for point, minutes in lately.items()},
            streams=tuple(Stream(some[0], len(some) / span) for some in kinds.values()),
            discipline=run.day.discipline,
            turnover_minutes=run.day.turnover_minutes,
        )
