"""When something is due, and why: days or hours of work counted in a calendar, with pauses given back. Pure.

Policy: a suspension gives its working time back; a transfer starts the receiver's clock and leaves the total; a merged
or settled case stops; what was late before it was suspended stays late.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.calendar import local_day
from core.language import N_
from core.workdays.rules import WorkCalendar

ANSWER, CUSTODY, WORK, OPINION, CHECK = "answer", "custody", "work", "opinion", "verification"
STEPS = {
    ANSWER: N_("Answer to the visitor"),
    CUSTODY: N_("Confirming a hand-over"),
    WORK: N_("Taking it up"),
    OPINION: N_("Opinion of a department"),
    CHECK: N_("Verification"),
}
DAYS = {CUSTODY: 1, WORK: 2, OPINION: 3, CHECK: 1}  # working days, where a type says nothing else; ANSWER has its own

OFFICER, HEAD, MANAGER, OFFICE = "officer", "head", "manager", "office"
LADDER = {
    OFFICER: N_("The officer"),
    HEAD: N_("The head of the department"),
    MANAGER: N_("The centre's manager"),
    OFFICE: N_("The minister's office"),
}
# step: (working hours after the deadline, negative: before it; who is told)
RUNGS: Mapping[str, tuple[tuple[int, str], ...]] = {
    CUSTODY: ((0, OFFICER), (3, HEAD), (7, MANAGER), (14, OFFICE)),
    WORK: ((0, OFFICER), (7, HEAD)),
    OPINION: ((-7, OFFICER), (0, HEAD), (14, OFFICE)),
    CHECK: ((0, MANAGER), (14, OFFICE)),
    ANSWER: ((-14, OFFICER), (0, HEAD), (7, MANAGER), (21, OFFICE)),
}

Pauses = Sequence[tuple[datetime, datetime | None]]


@dataclass(frozen=True, slots=True)
class Allowance:
    """`days` of work, ending with the last one's closing; or with none, `minutes` of work or `by_the_clock`."""

    days: int = 0
    minutes: int = 0
    by_the_clock: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A part of an explanation: days counted (`n` is the last one's number), days left out and why, or a pause."""

    kind: str
    first: date
    last: date
    n: int = 0
    why: str = ""


def allowed(step: str, *, days: int, steps: Mapping[str, object]) -> int:
    """Working days for a step, as its type says or as is usual."""
    if step == ANSWER:
        return days
    own = steps.get(step)
    return own if isinstance(own, int) and own > 0 else DAYS[step]


def due(start: datetime, allowance: Allowance, pauses: Pauses, calendar: WorkCalendar) -> datetime:
    """The deadline. A pause still open changes nothing yet: it is given back when it ends."""
    if allowance.by_the_clock:
        at = start + timedelta(minutes=allowance.minutes)
    elif allowance.days:
        day = calendar.nth_day(local_day(start, calendar.zone), allowance.days)
        at = calendar.hours(day)[-1][1]
    else:
        at = calendar.add(start, timedelta(minutes=allowance.minutes))
    for begun, ended in pauses:
        if ended is None or begun >= at:
            continue
        if allowance.by_the_clock:
            at += ended - begun
        else:
            at = calendar.add(ended, calendar.between(max(begun, start), at))
    return at


def explain(
    start: datetime, allowance: Allowance, pauses: Pauses, calendar: WorkCalendar, lang: str
) -> tuple[list[Line], datetime]:
    """How the deadline came about, day by day, and the deadline itself."""
    at = due(start, allowance, (), calendar)
    zone = calendar.zone
    lines = _days(local_day(start, zone), local_day(at, zone), calendar, lang, from_next=bool(allowance.days))
    for n, (begun, ended) in enumerate(pauses, start=1):
        if begun >= at:
            continue
        lines = [line for line in lines if line.first <= local_day(begun, zone) or line.kind == "pause"]
        lines = [_cut(line, local_day(begun, zone)) if line.kind != "pause" else line for line in lines]
        lines.append(Line("pause", local_day(begun, zone), local_day(ended or begun, zone), why="" if ended else "now"))
        if ended is None:
            break
        at = due(start, allowance, pauses[:n], calendar)
        lines += _days(local_day(ended, zone), local_day(at, zone), calendar, lang, from_next=False)
    return lines, at


def before(moment: datetime, working: timedelta, calendar: WorkCalendar) -> datetime:
    """The last instant from which so much working time is left until `moment`."""
    left, day = working, local_day(moment, calendar.zone)
    for _ in range(366):
        for begins, ends in reversed(calendar.hours(day)):
            until = min(ends, moment)
            if until <= begins:
                continue
            if until - begins >= left:
                return until - left
            left -= until - begins
        day -= timedelta(days=1)
    return moment - working


def rung_at(due_at: datetime, hours: int, calendar: WorkCalendar, *, by_the_clock: bool = False) -> datetime:
    """When somebody is told. Only ever within working time, save for the urgent lane, which has no night."""
    if by_the_clock:
        return due_at + timedelta(hours=hours)
    if hours < 0:
        return before(due_at, timedelta(hours=-hours), calendar)
    return calendar.next_working(calendar.add(due_at, timedelta(hours=hours)))


def may_tell(calendar: WorkCalendar, *, by_the_clock: bool, now: datetime) -> bool:
    return by_the_clock or calendar.next_working(now) == now


def _cut(line: Line, day: date) -> Line:
    """As much of a line as lies up to `day`; the count stays that of its days."""
    if line.last <= day:
        return line
    return Line(line.kind, line.first, day, max(line.n - (line.last - day).days, 1) if line.n else 0, line.why)


def _days(first: date, last: date, calendar: WorkCalendar, lang: str, *, from_next: bool) -> list[Line]:
    """Every day until the deadline's: counted, or left out and why; neighbours of one kind in one line."""
    lines: list[Line] = []
    n, day = 0, first + timedelta(days=1) if from_next else first
    while day <= last:
        why = calendar.why_closed(day, lang)
        n += not why
        kind = "skip" if why else "count"
        before_ = lines[-1] if lines else None
        if before_ and before_.kind == kind and before_.why == why and day - before_.last == timedelta(days=1):
            lines[-1] = Line(kind, before_.first, day, n if kind == "count" else 0, why)
        else:
            lines.append(Line(kind, day, day, n if kind == "count" else 0, why))
        day += timedelta(days=1)
    return lines
