"""Who comes next, and why: accumulating priority (Kleinrock 1964; Stanford, Taylor and Ziedins 2014).

A waiting visitor gains priority at the rate of the class, so need counts and yet nobody is overtaken for ever. *Urgent*
is strictly on top, since accumulation alone fails the urgent when the hall is overfull. Nothing here is secret: `RATES`
hangs in the hall, and every call keeps the numbers that it was decided by (`Reasons`), enough to `replay` it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

MEN, WOMEN, FAMILY = "men", "women", "family"
SECTIONS = (MEN, WOMEN, FAMILY)

REGULAR, ELDERLY, DISABLED, PREGNANT, INFANT = "regular", "elderly", "disabled", "pregnant", "infant"
RATES: dict[str, float] = {REGULAR: 1.0, INFANT: 1.5, ELDERLY: 1.5, PREGNANT: 2.0, DISABLED: 2.0}

APPOINTMENT_GRACE = timedelta(minutes=10)  # so much later than the time still counts as punctual
APPOINTMENT_HEAD_START = timedelta(minutes=20)  # a punctual appointment starts with the rank of such a wait

RECALLS_BEFORE_NO_SHOW = 2
NO_SHOW_AFTER = timedelta(minutes=3)
RECALL_SPACING = timedelta(seconds=10)
REOPEN_WITHIN = timedelta(minutes=10)

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
    """What the choice may know of a waiting ticket, and nothing more: no name, no nationality, no case."""

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


@dataclass(frozen=True, slots=True)
class Desk:
    """What a counter can serve."""

    id: str
    service_point_ids: frozenset[str]
    sections: frozenset[str]
    languages: frozenset[str]
    sign_language: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """An eligible ticket with the numbers of its turn. `score` is minutes waited × rate."""

    id: str
    label: str
    urgent: bool
    visitor_class: str
    rate: float
    waited: float
    score: float


@dataclass(frozen=True, slots=True)
class PassedOver:
    id: str
    label: str
    why: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """The whole decision: the eligible in their order (the first was called), and who could not be taken here."""

    weighed: tuple[Weighed, ...]
    passed_over: tuple[PassedOver, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Reasons":
        return cls(
            tuple(Weighed(**row) for row in data.get("weighed", ())),
            tuple(PassedOver(**row) for row in data.get("passed_over", ())),
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


def ranked_from(*, issued_at: datetime, appointment_at: datetime | None) -> datetime:
    """Since when a ticket's priority accumulates.

    Walk-ins: since they came. Appointments: from the appointed time with a head start if punctual (waiting early earns
    nothing); who comes later than the grace ranks as a walk-in of that minute.
    """
    if appointment_at is None or issued_at > appointment_at + APPOINTMENT_GRACE:
        return issued_at
    return appointment_at - APPOINTMENT_HEAD_START


def eligible_at(*, issued_at: datetime, appointment_at: datetime | None) -> datetime:
    """From when a ticket may be called: a checked-in appointment at its time, not before."""
    return max(issued_at, appointment_at) if appointment_at else issued_at


def rate(visitor_class: str) -> float:
    return RATES.get(visitor_class, 1.0)


def waited(candidate: Candidate, *, now: datetime) -> float:
    """Minutes that count for the turn, never negative."""
    return max(0.0, (now - candidate.ranked_from).total_seconds() / 60)


def score(candidate: Candidate, *, now: datetime) -> float:
    return waited(candidate, now=now) * rate(candidate.visitor_class)


def rank(candidate: Candidate, *, now: datetime) -> tuple[bool, float, datetime, str]:
    """The sort key of the line: smallest first. Ties go to who came first, then to the earlier identifier."""
    return (not candidate.urgent, -score(candidate, now=now), candidate.ranked_from, candidate.id)


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
    able = [
        other
        for other in others
        if candidate.section in other.sections and candidate.service_point_id in other.service_point_ids
    ]
    if candidate.sign_language and not desk.sign_language and any(other.sign_language for other in able):
        return NEEDS_SIGN
    if candidate.language not in desk.languages and any(candidate.language in o.languages for o in able):
        return OTHER_LANGUAGE
    return None


def choose(
    waiting: Iterable[Candidate], desk: Desk, *, now: datetime, others: Sequence[Desk] = ()
) -> tuple[Candidate | None, Reasons]:
    """The ticket that `desk` calls next, and the numbers behind it. `others` are the counters open now."""
    able: list[Candidate] = []
    passed_over: list[PassedOver] = []
    for candidate in sorted(waiting, key=lambda c: rank(c, now=now)):
        why = why_not(candidate, desk, now=now, others=others)
        if why is None:
            able.append(candidate)
        else:
            passed_over.append(PassedOver(candidate.id, candidate.label, why))
    weighed = tuple(
        Weighed(
            id=c.id,
            label=c.label,
            urgent=c.urgent,
            visitor_class=c.visitor_class,
            rate=rate(c.visitor_class),
            waited=round(waited(c, now=now), 3),
            score=round(score(c, now=now), 3),
        )
        for c in able
    )
    return (able[0] if able else None), Reasons(weighed, tuple(passed_over))


def replay(reasons: Reasons) -> str | None:
    """Decide a logged call again from its own numbers: the id that should have been called.

    Scores within rounding of each other may have been told apart by arrival, so the logged order breaks such ties.
    """
    order = sorted(
        enumerate(reasons.weighed),
        key=lambda pair: (not pair[1].urgent, -round(pair[1].waited * pair[1].rate, 2), pair[0]),
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


def no_show_from(*, called_at: datetime, recalls: int, patient: bool = False) -> datetime:
    """When the visitor may be called absent: at once after two recalls, else three minutes after the call.

    `patient` doubles the minutes and asks for one recall more, for whoever may not hear or walks slowly.
    """
    if recalls >= RECALLS_BEFORE_NO_SHOW + patient:
        return called_at
    return called_at + NO_SHOW_AFTER * (2 if patient else 1)


def needs_patience(visitor_class: str, *, sign_language: bool) -> bool:
    return sign_language or visitor_class != REGULAR


def may_reopen(*, finished_at: datetime, now: datetime) -> bool:
    return now - finished_at <= REOPEN_WITHIN
