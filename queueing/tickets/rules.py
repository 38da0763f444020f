"""Who comes next, and why: accumulating priority (Kleinrock 1964; Stanford, Taylor and Ziedins 2014).

A waiting visitor gains priority at the rate of the class, so need counts and yet nobody is overtaken for ever. *Urgent*
is strictly on top, since accumulation alone fails the urgent when the hall is overfull. Nothing here is secret: the
centre's `Discipline` hangs in the hall (docs/queue.md), and every call keeps the numbers that it was decided by
(`Reasons`), enough to `replay` it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

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

__all__ = [
    "APPOINTMENT",
    "CLASSES",
    "DEAF",
    "DEFAULT",
    "DISABLED",
    "ELDERLY",
    "INFANT",
    "PREGNANT",
    "RATES",
    "REGULAR",
    "RETURNING",
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
_MINUTE = 60.0
_DIGITS = 6  # of minutes and scores

# Why a counter can't take a ticket.
NOT_YET, OTHER_SECTION, OTHER_SERVICE, OTHER_LANGUAGE, NEEDS_SIGN = (
    "not_yet",
    "other_section",
    "other_service",
    "other_language",
    "needs_sign",
)
# Why one ticket came before another.
ONLY, URGENT, LONGEST, FASTER_RATE = "only", "urgent", "longest", "faster_rate"


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


class Weighed(NamedTuple):
    """An eligible ticket with the numbers of its turn: `score` is minutes waited × rate, to a millionth.

    `visitor_class` is the class whose rate counted. (Tuples, not dataclasses: a full hall makes hundreds for one call.)
    """

    id: str
    label: str
    urgent: bool
    visitor_class: str
    rate: float
    waited: float
    score: float


class PassedOver(NamedTuple):
    id: str
    label: str
    why: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """The whole decision: the eligible in their order (the first was called), and who could not be taken here."""

    weighed: tuple[Weighed, ...]
    passed_over: tuple[PassedOver, ...]

    def as_json(self) -> dict[str, Any]:
        """Rows of plain values in the order of the fields: the log of a full hall stays small."""
        return {"weighed": [list(row) for row in self.weighed], "passed_over": [list(row) for row in self.passed_over]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Reasons":
        """Reads rows with named values too: calls logged by earlier releases stay explained."""
        return cls(
            tuple(Weighed(**row) if isinstance(row, dict) else Weighed(*row) for row in data.get("weighed", ())),
            tuple(
                PassedOver(**row) if isinstance(row, dict) else PassedOver(*row) for row in data.get("passed_over", ())
            ),
        )


@dataclass(frozen=True, slots=True)
class Because:
    """`label` was called before `than` because of `code`; the numbers are minutes waited and rates."""

    code: str
    label: str
    than: str = ""
    waited: float = 0
    rate: float = 1
    than_waited: float = 0
    than_rate: float = 1


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
    return max(0.0, (now - candidate.ranked_from).total_seconds() / _MINUTE)


def score(candidate: Candidate, *, now: datetime, discipline: Discipline = DEFAULT) -> float:
    """Minutes waited × rate, to a millionth: what is decided by is what the log keeps."""
    counted = discipline.rate(counted_as(candidate, discipline=discipline))
    return round(round(waited(candidate, now=now), _DIGITS) * counted, _DIGITS)


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
    for a counter that isn't there; the clerk sees the need and calls an interpreter.
    """
    if candidate.eligible_at > now:
        return NOT_YET
    if candidate.section not in desk.sections:
        return OTHER_SECTION
    if candidate.service_point_id not in desk.service_point_ids:
        return OTHER_SERVICE
    if candidate.sign_language and not desk.sign_language and _any_able(candidate, others, sign=True):
        return NEEDS_SIGN
    if candidate.language not in desk.languages and _any_able(candidate, others, sign=False):
        return OTHER_LANGUAGE
    return None


def _any_able(candidate: Candidate, others: Iterable[Desk], *, sign: bool) -> bool:
    """Whether some open counter takes this section and service and has the sign language, or the language."""
    return any(
        (other.sign_language if sign else candidate.language in other.languages)
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
    """The ticket that `desk` calls next: `choose` without the reasons, for whoever plays whole days (simulation)."""
    able = [c for c in waiting if why_not(c, desk, now=now, others=others) is None]
    return min(able, key=lambda c: rank(c, now=now, discipline=discipline), default=None)


def choose(
    waiting: Iterable[Candidate],
    desk: Desk,
    *,
    now: datetime,
    others: Sequence[Desk] = (),
    discipline: Discipline = DEFAULT,
) -> tuple[Candidate | None, Reasons]:
    """The ticket that `desk` calls next, and the numbers behind it. `others` are the counters open now."""
    able: list[tuple[bool, float, datetime, str, Candidate, str, float]] = []
    passed: list[tuple[bool, float, datetime, str, PassedOver]] = []
    for c in waiting:
        urgent_last, minus_score, since, key = rank(c, now=now, discipline=discipline)
        why = why_not(c, desk, now=now, others=others)
        if why is None:
            counted = counted_as(c, discipline=discipline)
            able.append((urgent_last, minus_score, since, key, c, counted, discipline.rate(counted)))
        else:
            passed.append((urgent_last, minus_score, since, key, PassedOver(c.id, c.label, why)))
    able.sort(key=_turn)
    passed.sort(key=_turn)
    weighed = tuple(
        Weighed(key, c.label, c.urgent, counted, rate, round(waited(c, now=now), _DIGITS), -minus_score)
        for _, minus_score, _, key, c, counted, rate in able
    )
    return (able[0][4] if able else None), Reasons(weighed, tuple(row[4] for row in passed))


def _turn(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:4]


def replay(reasons: Reasons) -> str | None:
    """Decide a logged call again from its own numbers: the id that should have been called.

    Equal scores were told apart by arrival; the logged order is that order.
    """
    order = sorted(
        enumerate(reasons.weighed),
        key=lambda pair: (not pair[1].urgent, -round(pair[1].waited * pair[1].rate, _DIGITS), pair[0]),
    )
    return order[0][1].id if order else None


def explain(reasons: Reasons, *, most: int = 3) -> list[Because]:
    """Why the first came before the next in turn, and before whoever has waited longer."""
    if not reasons.weighed:
        return []
    first, rest = reasons.weighed[0], reasons.weighed[1:]
    if not rest:
        return [Because(ONLY, first.label, waited=first.waited, rate=first.rate)]
    longer = [w for w in rest if w.waited > first.waited]
    told = [rest[0], *(w for w in longer if w is not rest[0])][:most]
    return [
        Because(_why(first, other), first.label, other.label, first.waited, first.rate, other.waited, other.rate)
        for other in told
    ]


def _why(first: Weighed, other: Weighed) -> str:
    if first.urgent and not other.urgent:
        return URGENT
    return LONGEST if first.waited >= other.waited else FASTER_RATE


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
