"""From a day as it was to one that can be played: `queueing.simulation.Day` out of `recorded.visits`.

What nobody knows is put in plainly: who left unserved would have needed what others needed at that point, and left
after so long a wait whatever was changed; a counter that let somebody wait for ten minutes between two visitors was
not manned meanwhile. How well the play meets the day is for `faithful` to say, and is shown beside every result.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import fmean, median

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.calendar import day_bounds, local_day
from core.errors import Refused
from core.events import OutboxEvent, name_of
from queueing.simulation.day import Arrival, Day, Span, Stage, merged
from queueing.simulation.outcome import Outcome, Worked, summarise
from queueing.tickets import recorded, rules, standing
from queueing.tickets.discipline import APPOINTMENT, Discipline
from queueing.tickets.estimates import DEFAULT_SERVICE_MINUTES
from queueing.tickets.events import CounterClosed, CounterOpened
from queueing.tickets.models import Counter
from queueing.tickets.recorded import Stay, Visit
from queueing.tickets.rules import Desk

LEAST_CALLED = 10  # below, medians and ninetieths are hazard
BREAK = timedelta(minutes=10)
NEAR = 5.0  # minutes between a real wait and a played one that nobody would call a difference
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A day with what it really came to. `until` is the moment up to which it is known; it is today if `unfinished`."""

    date: date
    day: Day
    outcome: Outcome
    visits: tuple[Visit, ...]
    until: datetime
    unfinished: bool


@dataclass(frozen=True, slots=True)
class Faithful:
    """How a play without any change meets the day: `near` is the share of waits met within five minutes."""

    real: float
    played: float
    near: float
    compared: int

    @property
    def good(self) -> bool:
        return self.near >= 0.7

    @property
    def fair(self) -> bool:
        return self.near >= 0.5


def recorded_day(
    session: Session, centre_id: str, day: date, *, zone: str, now: datetime, target: float | None = None
) -> Recorded:
    """Raises Refused, saying why, for a day to come, one without tickets, and one with too few."""
    today = local_day(now, zone)
    if day > today:
        raise Refused("This day has not come yet. Choose today or an earlier day.")
    found = recorded.visits(session, centre_id, day, now=now)
    if not found:
        raise Refused("No ticket was taken on this day.")
    called = sum(stay.called is not None for visit in found for stay in visit.stays)
    if called < LEAST_CALLED:
        raise Refused(
            "Only {called} visitors were called on this day: too few to tell anything from. It takes at least {least}.",
            called=called,
            least=LEAST_CALLED,
        )
    begin, end = day_bounds(day, zone)
    until = min(now, end)
    rule = standing.discipline_at(session, centre_id, now=until - timedelta(microseconds=1))
    if target is not None:
        rule = Discipline.from_json(rule.as_json() | {"target_minutes": target})
    spans = _spans(session, centre_id, found, begin=begin, until=until)
    usual = _usual_minutes(found)
    rebuilt = Day(
        tuple(arrival(visit, usual, discipline=rule, until=until) for visit in found), spans, rule, _turnover(found)
    )
    waits = recorded.waits(found, discipline=rule)
    outcome = summarise(waits, _worked(found, spans), target=rule.target_minutes)
    return Recorded(day, rebuilt, outcome, tuple(found), until, day == today)


def faithful(was: Recorded, played: Outcome) -> Faithful:
    """Wait by wait, of those called in both."""
    real = {(wait.label, wait.stage): wait.minutes for wait in was.outcome.waits if wait.minutes is not None}
    pairs = [
        (real[wait.label, wait.stage], wait.minutes)
        for wait in played.waits
        if wait.minutes is not None and (wait.label, wait.stage) in real
    ]
    near = sum(abs(one - other) <= NEAR for one, other in pairs) / len(real) if real else 0.0
    return Faithful(was.outcome.all.median, played.all.median, near, len(real))


def arrival(visit: Visit, usual: dict[str, float], *, discipline: Discipline, until: datetime) -> Arrival:
    """A visit as the play wants it: what it needed, not how long it waited."""
    c = visit.candidate
    stages = tuple(
        Stage(stay.point, _minutes(stay, usual, until=until), stay.away if number else 0.0)
        for number, stay in enumerate(visit.stays)
    )
    last = visit.stays[-1]
    gone = last.called is None and last.ended is not None
    longest = max(((stay.called or stay.ended or until) - stay.joined) / _MINUTE for stay in visit.stays)
    return Arrival(
        at=visit.issued_at,
        stages=stages,
        visitor_class=c.visitor_class,
        section=c.section,
        language=c.language,
        sign_language=c.sign_language,
        urgent=c.urgent,
        also=tuple(one for one in c.also if one != APPOINTMENT),
        appointment_at=_appointed(visit, discipline),
        gives_up_after=max(longest, 0.0) if gone else None,
        label=c.label,
    )


def _appointed(visit: Visit, discipline: Discipline) -> datetime | None:
    if not visit.appointment and APPOINTMENT not in visit.candidate.also:
        return None
    if visit.candidate.eligible_at > visit.issued_at:
        return visit.candidate.eligible_at
    if APPOINTMENT in visit.candidate.also:  # in time within the grace: the head start tells from when
        return visit.candidate.ranked_from + timedelta(minutes=discipline.head_start_minutes)
    return None


def _minutes(stay: Stay, usual: dict[str, float], *, until: datetime) -> float:
    guess = usual.get(stay.point, DEFAULT_SERVICE_MINUTES)
    if stay.called is None:
        return guess
    if stay.ended is None:
        return max(guess, (until - stay.called) / _MINUTE)
    return stay.minutes


def _usual_minutes(found: Sequence[Visit]) -> dict[str, float]:
    """The median by point of those who were served to the end."""
    served: dict[str, list[float]] = defaultdict(list)
    for stay in _held(found):
        if stay.ended:
            served[stay.point].append(stay.minutes)
    return {point: median(minutes) for point, minutes in served.items()}


def _held(found: Sequence[Visit]) -> list[Stay]:
    return [stay for visit in found for stay in visit.stays if stay.called is not None]


def _by_counter(found: Sequence[Visit]) -> dict[str, list[Stay]]:
    stays: dict[str, list[Stay]] = defaultdict(list)
    for stay in sorted(_held(found), key=lambda one: one.called or one.joined):
        stays[stay.counter].append(stay)
    return stays


def _gaps(stays: Sequence[Stay]) -> list[tuple[datetime, datetime]]:
    """When the counter had nobody although its next visitor waited already."""
    found = []
    for one, following in pairwise(stays):
        if one.ended and following.called and (begun := max(one.ended, following.joined)) < following.called:
            found.append((begun, following.called))
    return found


def _turnover(found: Sequence[Visit]) -> float:
    """Minutes that usually pass between one visitor's end and the next one's call while somebody waits."""
    short = [
        (following.called - one.ended) / _MINUTE
        for stays in _by_counter(found).values()
        for one, following in pairwise(stays)
        if one.ended and following.called and following.joined <= one.ended <= following.called
        if following.called - one.ended < BREAK
    ]
    return round(fmean(short), 2) if short else 0.0


def _spans(
    session: Session, centre_id: str, found: Sequence[Visit], *, begin: datetime, until: datetime
) -> tuple[Span, ...]:
    """When each counter was manned: as it was opened and closed, never less than it served, without long breaks."""
    rows = {row.id: row for row in session.scalars(select(Counter).where(Counter.centre_id == centre_id))}
    pressed = _pressed(session, centre_id, begin=begin, until=until)
    where = {(stay.counter, visit.candidate.section, stay.point) for visit in found for stay in visit.stays}
    spans: list[Span] = []
    for counter, stays in _by_counter(found).items():
        if counter in rows:
            desk = rows[counter].desk()
            served = [(section, point) for key, section, point in where if key == counter]
            desk = Desk(
                desk.id,
                desk.service_point_ids | {point for _, point in served},
                desk.sections | {section for section, _ in served},
                desk.languages,
                desk.sign_language,
            )
            first = stays[0].called or begin
            last = max(stay.ended or until for stay in stays)
            manned = _manned(pressed.get(counter, []), first=first, last=last, until=until, open_now=rows[counter].open)
            for off, back in _gaps(stays):
                if back - off >= BREAK:
                    manned = [piece for span in manned for piece in _cut(span, off, back)]
            spans += [Span(desk, start, end) for start, end in manned]
    return tuple(merged(spans))


def _manned(
    pressed: Sequence[tuple[datetime, bool]], *, first: datetime, last: datetime, until: datetime, open_now: bool
) -> list[tuple[datetime, datetime]]:
    """Openings and closings as pressed; what lies between the first call and the last end where none are known."""
    found, since = [], None
    for at, opened in pressed:
        if opened:
            since = since or at
        else:
            found.append((min(since or first, at), at))
            since = None
    if since is not None:
        found.append((since, until if open_now else max(since, last)))
    if not found:
        return [(first, last)]
    if first < found[0][0]:
        found[0] = (first, found[0][1])
    if last > found[-1][1]:
        found[-1] = (found[-1][0], last)
    return found


def _cut(span: tuple[datetime, datetime], off: datetime, back: datetime) -> list[tuple[datetime, datetime]]:
    pieces = [(span[0], min(span[1], off)), (max(span[0], back), span[1])]
    return [(start, end) for start, end in pieces if start < end]


def _pressed(
    session: Session, centre_id: str, *, begin: datetime, until: datetime
) -> dict[str, list[tuple[datetime, bool]]]:
    """Each counter's openings (True) and closings of the day; nothing once the events' term has passed."""
    opened, closed = name_of(CounterOpened), name_of(CounterClosed)
    rows = session.execute(
        select(OutboxEvent.name, OutboxEvent.payload, OutboxEvent.occurred_at)
        .where(
            OutboxEvent.occurred_at >= begin,
            OutboxEvent.occurred_at < until,
            OutboxEvent.name.in_((opened, closed)),
        )
        .order_by(OutboxEvent.occurred_at, OutboxEvent.id)
    )
    found: dict[str, list[tuple[datetime, bool]]] = defaultdict(list)
    for name, payload, at in rows:
        if payload["centre_id"] == centre_id:
            found[payload["counter_id"]].append((at, name == opened))
    return found


def _worked(found: Sequence[Visit], spans: Sequence[Span]) -> list[Worked]:
    manned: dict[str, float] = defaultdict(float)
    for span in spans:
        manned[span.desk.id] += (span.to_at - span.from_at) / _MINUTE
    return [
        Worked(counter, manned[counter], min(sum(stay.minutes for stay in stays), manned[counter]), len(stays))
        for counter, stays in _by_counter(found).items()
        if counter in manned
    ]


def kinds(was: Recorded) -> tuple[list[str], list[str]]:
    """The points and the sections that were asked for on the day."""
    points = dict.fromkeys(stay.point for visit in was.visits for stay in visit.stays)
    sections = [one for one in rules.SECTIONS if any(visit.candidate.section == one for visit in was.visits)]
    return list(points), sections
