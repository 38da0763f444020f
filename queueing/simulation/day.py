"""A day as data: who came and needed how long, which counters were open, by which rule. And small changes to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import Mistake
from queueing.tickets.discipline import DEFAULT, REGULAR, Discipline
from queueing.tickets.rules import MEN, Desk


@dataclass(frozen=True, slots=True)
class Stage:
    """One point of a visit: so many minutes at a counter, from the call to the end.

    `away` are minutes that the visitor is off before joining this line (fetching a paper).
    """

    point: str
    minutes: float
    away: float = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody with a ticket, and what the visit needs. How long they wait is for the run to find out.

    `also` are further classes as in `rules.Candidate`, without `appointment`: that follows from `appointment_at` and
    the discipline. Who isn't called within `gives_up_after` minutes leaves.
    """

    at: datetime
    stages: tuple[Stage, ...]
    visitor_class: str = REGULAR
    section: str = MEN
    language: str = "ar"
    sign_language: bool = False
    urgent: bool = False
    also: tuple[str, ...] = ()
    appointment_at: datetime | None = None
    gives_up_after: float | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A counter is open from `from_at` to `to_at`; whoever is there at the end is served to the end."""

    desk: Desk
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """`turnover_minutes` pass at a counter between one visitor's end and the next one's call."""

    arrivals: tuple[Arrival, ...]
    spans: tuple[Span, ...]
    discipline: Discipline = DEFAULT
    turnover_minutes: float = 0

    def desks(self) -> dict[str, Desk]:
        return {span.desk.id: span.desk for span in self.spans}


def with_counter(day: Day, like: str, *, from_at: datetime | None = None, to_at: datetime | None = None) -> Day:
    """One counter more that can do what `like` can; open as `like` is, or from one moment to another.

    Raises Mistake for a counter that isn't open on this day.
    """
    spans = _of(day, like)
    desk = replace(spans[0].desk, id=_new_id(day, like))
    if from_at is not None or to_at is not None:
        first, last = from_at or min(s.from_at for s in spans), to_at or max(s.to_at for s in spans)
        if first >= last:
            raise Mistake("The end must be later than the beginning.", field="to_at")
        more: tuple[Span, ...] = (Span(desk, first, last),)
    else:
        more = tuple(replace(span, desk=desk) for span in spans)
    return replace(day, spans=(*day.spans, *more))


def without_counter(day: Day, desk_id: str, *, from_at: datetime | None = None, to_at: datetime | None = None) -> Day:
    """One counter less, all day or from one moment to another."""
    _of(day, desk_id)
    left: list[Span] = []
    for span in day.spans:
        if span.desk.id != desk_id:
            left.append(span)
            continue
        if from_at is not None and span.from_at < from_at:
            left.append(replace(span, to_at=min(span.to_at, from_at)))
        if to_at is not None and span.to_at > to_at:
            left.append(replace(span, from_at=max(span.from_at, to_at)))
    if not left:
        raise Mistake("At least one counter must stay open.", field="without")
    return replace(day, spans=tuple(left))


def with_rates(day: Day, rates: Mapping[str, float]) -> Day:
    """Other rates for some classes; the rest of the rule stays."""
    return replace(day, discipline=replace(day.discipline, rates={**day.discipline.rates, **rates}))


def with_more_visitors(day: Day, factor: float) -> Day:
    """The same kind of day with `factor` times the visitors: the extra ones come between those who came.

    Evenly spread over the day: of three, every third one comes twice for a third more. Half a minute apart.
    """
    if not 0 < factor <= 5:
        raise Mistake("Please enter a number from {low} to {high}.", field="factor", low=0, high=5)
    arrivals: list[Arrival] = []
    owed = 0.0
    for arrival in sorted(day.arrivals, key=lambda a: a.at):
        owed += factor
        for copy in range(int(owed + 1e-9)):
            arrivals.append(replace(arrival, at=arrival.at + copy * timedelta(seconds=30)))
        owed -= int(owed + 1e-9)
    return replace(day, arrivals=tuple(arrivals))


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans of one counter that touch or overlap are one; empty ones are none."""
    whole: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.desk.id, s.from_at)):
        last = whole[-1] if whole else None
        if span.from_at >= span.to_at:
            continue
        if last and last.desk.id == span.desk.id and span.from_at <= last.to_at:
            whole[-1] = replace(last, to_at=max(last.to_at, span.to_at))
        else:
            whole.append(span)
    return whole


def all_day(desks: Sequence[Desk], from_at: datetime, to_at: datetime) -> tuple[Span, ...]:
    return tuple(Span(desk, from_at, to_at) for desk in desks)


def _of(day: Day, desk_id: str) -> list[Span]:
    spans = [span for span in day.spans if span.desk.id == desk_id]
    if not spans:
        raise Mistake("This counter is not open on this day.", field="counter")
    return spans


def _new_id(day: Day, like: str) -> str:
    taken = day.desks()
    return next(name for n in range(2, len(taken) + 3) if (name := f"{like}+{n}") not in taken)
