"""Who comes next, and why: accumulating priority (Kleinrock 1964; Stanford, Taylor and Ziedins 2014).

A waiting visitor gains priority at the rate of the class, so need counts and yet nobody is overtaken for ever. *Urgent*
is strictly on top, since accumulation alone fails the urgent when the hall is overfull. Nothing here is secret: the
centre's `Discipline` hangs in the hall (docs/queue.md), and every call keeps the numbers that it was decided by
(`Reasons`), enough to `replay` it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from queueing.tickets.discipline import (
    APPOINTMENT,
    CLASSES,
    DEAF,
    DEFAULT,
    DISABLED,
    ELDERLY,
    INFANT,
    PREGNANT,
    RATES,
    REGULAR,
    RETURNING,
    Discipline,
)
from queueing.tickets.reasons import (
    APPOINTED,
    FASTER_RATE,
    LONGEST,
    ONLY,
    URGENT,
    Because,
    PassedOver,
    Reasons,
    Weighed,
    explain,
    replay,
)

__all__ = [
    "APPOINTED",
    "APPOINTMENT",
    "CLASSES",
    "DEAF",
    "DEFAULT",
    "DISABLED",
    "ELDERLY",
    "FAMILY",
    "FASTER_RATE",
    "INFANT",
    "LONGEST",
    "MEN",
    "NEEDS_SIGN",
    "NOT_YET",
    "ONLY",
    "OTHER_LANGUAGE",
    "OTHER_SECTION",
    "OTHER_SERVICE",
    "PREGNANT",
    "RATES",
    "RECALL_SPACING",
    "REGULAR",
    "REOPEN_WITHIN",
    "RETURNING",
    "SECTIONS",
    "URGENT",
    "WOMEN",
    "Because",
    "Candidate",
    "Desk",
    "Discipline",
    "PassedOver",
    "Reasons",
    "Weighed",
    "choose",
    "counted_as",
    "eligible_at",
    "explain",
    "is_punctual",
    "may_reopen",
    "needs_patience",
    "no_show_from",
    "pick",
    "rank",
    "ranked_from",
    "rate",
    "replay",
    "score",
    "unserved",
    "waited",
    "why_not",
]

MEN, WOMEN, FAMILY = "men", "women", "family"
SECTIONS = (MEN, WOMEN, FAMILY)

RECALL_SPACING = timedelta(seconds=10)
REOPEN_WITHIN = timedelta(minutes=10)
_MINUTE = timedelta(minutes=1)

# Why a counter can't take a ticket.
NOT_YET, OTHER_SECTION, OTHER_SERVICE, OTHER_LANGUAGE, NEEDS_SIGN = (
    "not_yet",
    "other_section",
    "other_service",
    "other_language",
    "needs_sign",
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the choice may know of a waiting ticket, and nothing more: no name, no nationality, no case.

    `also` are further classes that hold for this visitor (`returning`; `appointment` when `is_punctual`); who asks for
    sign language counts as deaf by that alone. Of all of them the one with the highest rate counts (`counted_as`).
    """

    id: str
    label: str
    service_point_id: str
    section: str
    language: str
    sign_language: bool
    visitor_class: str
    urgent: bool
    ranked_from: datetime
    eligible_at: datetime
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """What a counter can serve."""

    id: str
    service_point_ids: frozenset[str]
    sections: frozenset[str]
    languages: frozenset[str]
    sign_language: bool = False


def is_punctual(*, issued_at: datetime, appointment_at: datetime | None, discipline: Discipline = DEFAULT) -> bool:
    """Whether an appointment came in time; who has none, or came too late, queues as a walk-in."""
    return appointment_at is not None and issued_at <= appointment_at + timedelta(minutes=discipline.grace_minutes)


def ranked_from(*, issued_at: datetime, appointment_at: datetime | None, discipline: Discipline = DEFAULT) -> datetime:
    """Since when a ticket's priority accumulates.

    Walk-ins: since they came. Appointments: from the appointed time with a head start if punctual (waiting early earns
    nothing); who comes later than the grace ranks as a walk-in of that minute.
    """
    if appointment_at is None or not is_punctual(
        issued_at=issued_at, appointment_at=appointment_at, discipline=discipline
    ):
        return issued_at
    return appointment_at - timedelta(minutes=discipline.head_start_minutes)


def eligible_at(*, issued_at: datetime, appointment_at: datetime | None) -> datetime:
    """From when a ticket may be called: a checked-in appointment at its time, not before."""
    return max(issued_at, appointment_at) if appointment_at else issued_at


def rate(visitor_class: str, *, discipline: Discipline = DEFAULT) -> float:
    return discipline.rate(visitor_class)


def counted_as(candidate: Candidate, *, discipline: Discipline = DEFAULT) -> str:
    """The class whose rate counts: the fastest of those that hold for this visitor."""
    if not candidate.also and not candidate.sign_language:
        return candidate.visitor_class
    classes: tuple[str, ...] = (candidate.visitor_class, *((DEAF,) if candidate.sign_language else ()), *candidate.also)
    return max(classes, key=discipline.rate)


def waited(candidate: Candidate, *, now: datetime) -> float:
    """Minutes that count for the turn, never negative."""
    minutes = (now - candidate.ranked_from) / _MINUTE
    return minutes if minutes > 0 else 0.0


def score(candidate: Candidate, *, now: datetime, discipline: Discipline = DEFAULT) -> float:
    return waited(candidate, now=now) * discipline.rate(counted_as(candidate, discipline=discipline))


def rank(candidate: Candidate, *, now: datetime, discipline: Discipline = DEFAULT) -> tuple[bool, float, datetime, str]:
    """The sort key of the line: smallest first. Ties go to who came first, then to the earlier identifier."""
    return (
        not candidate.urgent,
        -score(candidate, now=now, discipline=discipline),
        candidate.ranked_from,
        candidate.id,
    )


def why_not(candidate: Candidate, desk: Desk, *, now: datetime, others: Iterable[Desk] = ()) -> str | None:
    """What keeps `desk` from taking this ticket, or None.

    Section and service are firm. A language or sign language that no open counter has is waived, so that nobody waits
    for a counter that isn't there; the clerk sees the need and calls an interpreter. Where one counter signs and
    another speaks the language, signing decides: else neither would take a deaf foreigner.
    """
    if candidate.eligible_at > now:
        return NOT_YET
    if candidate.section not in desk.sections:
        return OTHER_SECTION
    if candidate.service_point_id not in desk.service_point_ids:
        return OTHER_SERVICE
    signs = candidate.sign_language and _any_able(candidate, others, sign=True)
    if signs and not desk.sign_language:
        return NEEDS_SIGN
    if candidate.language not in desk.languages and _any_able(candidate, others, sign=signs, language=True):
        return OTHER_LANGUAGE
    return None


def _any_able(candidate: Candidate, others: Iterable[Desk], *, sign: bool, language: bool = False) -> bool:
    """Whether one open counter takes this section and service and has what is asked, all of it."""
    return any(
        (other.sign_language or not sign)
        and (not language or candidate.language in other.languages)
        and candidate.section in other.sections
        and candidate.service_point_id in other.service_point_ids
        for other in others
    )


def pick(
    waiting: Iterable[Candidate],
    desk: Desk,
    *,
    now: datetime,
    others: Sequence[Desk] = (),
    discipline: Discipline = DEFAULT,
) -> Candidate | None:
    """The ticket that `desk` calls next: `choose` without its reasons, for whoever plays whole days."""
    able, _ = _weigh(waiting, desk, now=now, others=others, discipline=discipline)
    return min(able)[4] if able else None


def choose(
    waiting: Iterable[Candidate],
    desk: Desk,
    *,
    now: datetime,
    others: Sequence[Desk] = (),
    discipline: Discipline = DEFAULT,
) -> tuple[Candidate | None, Reasons]:
    """The ticket that `desk` calls next, and the numbers behind it. `others` are the counters open now."""
    able, over = _weigh(waiting, desk, now=now, others=others, discipline=discipline)
    able.sort()
    over.sort()
    weighed = tuple(
        Weighed(c.id, c.label, c.urgent, counted, rate, minutes, APPOINTMENT in c.also)
        for _, _, _, _, c, minutes, counted, rate in able
    )
    passed_over = tuple(PassedOver(c.id, c.label, counted) for _, _, _, _, c, _, counted, _ in over)
    return (able[0][4] if able else None), Reasons(weighed, passed_over)


# The rank (its four values sort the rows: identifiers are unique), the ticket, minutes waited, the class that counted
# (or why the ticket is passed over), its rate.
_Row = tuple[bool, float, datetime, str, Candidate, float, str, float]


def _weigh(
    waiting: Iterable[Candidate], desk: Desk, *, now: datetime, others: Sequence[Desk], discipline: Discipline
) -> tuple[list[_Row], list[_Row]]:
    """The eligible and those passed over, each with its `rank`. What tickets have in common is worked out once."""
    able: list[_Row] = []
    over: list[_Row] = []
    shared: dict[tuple[object, ...], tuple[str, float, str | None]] = {}
    for c in waiting:
        needs = (c.service_point_id, c.section, c.language, c.sign_language, c.visitor_class, c.also)
        common = shared.get(needs)
        if common is None:
            counted = counted_as(c, discipline=discipline)
            why_never = why_not(c, desk, now=max(now, c.eligible_at), others=others)
            common = shared[needs] = (counted, discipline.rate(counted), why_never)
        counted, rate, why = common
        minutes = waited(c, now=now)
        if c.eligible_at > now:
            why = NOT_YET
        if why is None:
            able.append((not c.urgent, -minutes * rate, c.ranked_from, c.id, c, minutes, counted, rate))
        else:
            over.append((not c.urgent, -minutes * rate, c.ranked_from, c.id, c, minutes, why, rate))
    return able, over


def unserved(waiting: Iterable[Candidate], desks: Sequence[Desk], *, now: datetime) -> list[Candidate]:
    """Eligible tickets that no open counter can take: the manager must open one."""
    return [c for c in waiting if c.eligible_at <= now and all(why_not(c, d, now=now, others=desks) for d in desks)]


def no_show_from(
    *, called_at: datetime, recalls: int, patient: bool = False, discipline: Discipline = DEFAULT
) -> datetime:
    """When the visitor may be called absent: at once after the recalls, else so many minutes after the call.

    `patient` lengthens the minutes and asks for one recall more, for whoever may not hear or walks slowly.
    """
    if recalls >= discipline.recalls + patient:
        return called_at
    return called_at + timedelta(minutes=discipline.no_show_minutes * (discipline.patience if patient else 1))


def needs_patience(visitor_class: str, *, sign_language: bool) -> bool:
    return sign_language or visitor_class not in (REGULAR, RETURNING, APPOINTMENT)


def may_reopen(*, finished_at: datetime, now: datetime) -> bool:
    return now - finished_at <= REOPEN_WITHIN
