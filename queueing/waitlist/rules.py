"""Whom a free place fits, who of them comes first, and how long an answer may take.

The order is that of the halls (queueing.tickets.rules): waiting time by the rate of the class, the urgent on top, and
the same numbers kept as reasons. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from core.calendar import LAST_DAY, at_local, day_bounds, local_day
from core.errors import Mistake
from queueing.appointments.rules import KINDS, NOTICE, URGENT_NOTICE, VIDEO, open_to
from queueing.tickets import rules as fairness
from queueing.tickets.rules import CLASSES, DEFAULT, Candidate, Desk, Discipline, PassedOver, Reasons

FROM_HOUR, TO_HOUR = 8, 22  # by the clock on the wall: nobody is asked at night, and no night counts as time to answer
ANSWERS = (
    (timedelta(days=3), timedelta(hours=4)),
    (timedelta(days=1), timedelta(hours=2)),
    (timedelta(hours=6), timedelta(hours=1)),
    (timedelta(), timedelta(minutes=30)),
)  # so far ahead: so long may an answer take
SHORTEST = timedelta(minutes=20)  # less is no offer
MOST_UNANSWERED = 3  # then somebody calls, and no more texts go to who may not read them
WISHES = ("kind", "centre_id", "official_id", "earliest", "latest")
BUSY = "busy"  # passed over: elsewhere at that time, or no interpreter is free

_ANYWHERE = Desk("waitlist", frozenset({"appointment"}), frozenset({"any"}), frozenset({"any"}), sign_language=True)


class Wish(Protocol):
    """What somebody waits for; a row of the waitlist is one."""

    id: str
    label: str
    kind: str
    centre_id: str | None
    official_id: str | None
    needs_interpreter: bool
    earliest: datetime | None
    latest: datetime | None
    visitor_class: str
    urgent: bool
    for_earlier: bool
    joined_at: datetime


Line = TypeVar("Line", bound=Wish)


class Place(Protocol):
    kind: str
    centre_id: str | None
    official_id: str
    starts_at: datetime
    reserved_urgent: bool


def check(
    *, kind: str, centre_id: str | None, visitor_class: str, earliest: datetime | None, latest: datetime | None,
    zone: str, now: datetime,
) -> None:  # fmt: skip
    """Raises Mistake for wishes that nothing could ever fit."""
    if kind and kind not in KINDS:
        raise Mistake("Choose audience or video.", field="kind")
    if kind == VIDEO and not centre_id:
        raise Mistake("Choose the centre in which the visitor would sit.", field="centre")
    if visitor_class not in CLASSES:
        raise Mistake("Please choose one of the options.", field="class")
    for field, at in (("earliest", earliest), ("latest", latest)):
        if at is not None and local_day(at - timedelta(microseconds=1), zone) > LAST_DAY:
            raise Mistake(
                "The Hijri calendar is published until {last}. Choose an earlier day.", field=field, last=LAST_DAY
            )
    if latest is not None and latest <= now:
        raise Mistake("This day has passed. Choose a later one.", field="latest")
    if earliest is not None and latest is not None and latest <= earliest:
        raise Mistake("The last day lies before the first one.", field="latest")


def fits(wish: Wish, place: Place, *, now: datetime) -> bool:
    """Whether the place is what was wished for; who else is taken at that time is for the calendar to say."""
    return (
        wish.kind in ("", place.kind)
        and (place.kind != VIDEO or wish.centre_id is None or wish.centre_id == place.centre_id)
        and wish.official_id in (None, "", place.official_id)
        and (wish.earliest is None or wish.earliest <= place.starts_at)
        and (wish.latest is None or place.starts_at < wish.latest)
        and open_to(place.reserved_urgent, place.starts_at, urgent=wish.urgent, now=now)
    )


def is_earlier(place: datetime, has: datetime | None, *, zone: str) -> bool:
    """Whether a place is worth giving the appointment back that begins at `has`: on an earlier day, by the wall's."""
    return has is not None and local_day(place, zone) < local_day(has, zone)


def earlier_until(has: datetime, *, zone: str) -> datetime:
    """Before what instant a place must begin to be on an earlier day: the midnight before the appointment."""
    return day_bounds(local_day(has, zone), zone)[0]


def keeps_turn(before: Mapping[str, object], after: Mapping[str, object]) -> bool:
    """Whether new wishes count from the first day still: all that fitted the old ones fits them, too.

    Whoever asks for something else, or for less, has not been waiting for that, and waits from now on behind those
    who have. So nobody gets ahead by asking for anything first and for the one thing meant afterwards.
    """

    def admits(name: str) -> bool:
        old, new = before[name], after[name]
        if not new or old == new:
            return True
        if isinstance(old, datetime) and isinstance(new, datetime):
            return new <= old if name == "earliest" else new >= old
        return False

    return all(admits(name) for name in WISHES)


def notice(*, urgent: bool) -> timedelta:
    """How long before the start a visitor must know."""
    return URGENT_NOTICE if urgent else NOTICE


def is_outlasted(latest: datetime | None, *, urgent: bool, now: datetime) -> bool:
    """Whether no place can be had in time any more."""
    return latest is not None and latest - notice(urgent=urgent) - SHORTEST <= now


def answer_until(starts_at: datetime, *, urgent: bool, zone: str, now: datetime) -> datetime | None:
    """Until when the place is kept for an answer, on a full minute; None when it is night, or too late to ask."""
    if not _awake(now, zone):
        return None
    time_to_answer = next(answer for ahead, answer in ANSWERS if starts_at - now >= ahead) if starts_at > now else None
    if time_to_answer is None:
        return None
    until = min(_after_waking(now, time_to_answer, zone), starts_at - notice(urgent=urgent))
    until = now + timedelta(minutes=(until - now) // timedelta(minutes=1))
    return until if until > now and _waking(now, until, zone) >= SHORTEST else None


def order(
    wishes: Iterable[Wish], *, now: datetime, discipline: Discipline = DEFAULT
) -> tuple[list[str], Reasons]:  # fmt: skip
    """The ids in their turn, and the numbers behind it."""
    _, reasons = fairness.choose([candidate(wish) for wish in wishes], _ANYWHERE, now=now, discipline=discipline)
    return [weighed.id for weighed in reasons.weighed], reasons


def lines(wishes: Iterable[Line]) -> tuple[list[Line], list[Line]]:
    """Who is asked first, and who only where nobody of those can take a place.

    Whoever has an appointment and hopes for an earlier one comes after all who have none; an urgent case never does.
    """
    rows = list(wishes)
    later = [row for row in rows if row.for_earlier and not row.urgent]
    return [row for row in rows if not row.for_earlier or row.urgent], later


def without(reasons: Reasons, passed: Iterable[str]) -> Reasons:
    """The same decision where `passed` (ids) could not be had: they stand among those passed over."""
    out = set(passed)
    return replace(
        reasons,
        weighed=tuple(row for row in reasons.weighed if row.id not in out),
        passed_over=(
            *reasons.passed_over,
            *(PassedOver(row.id, row.label, BUSY) for row in reasons.weighed if row.id in out),
        ),
    )


def candidate(wish: Wish) -> Candidate:
    """Somebody who waits at home, as the queue weighs one who waits in the hall."""
    return Candidate(
        id=wish.id,
        label=wish.label,
        service_point_id="appointment",
        section="any",
        language="any",
        sign_language=wish.needs_interpreter,
        visitor_class=wish.visitor_class,
        urgent=wish.urgent,
        ranked_from=wish.joined_at,
        eligible_at=wish.joined_at,
    )


def _awake(at: datetime, zone: str) -> bool:
    day = local_day(at, zone)
    return at_local(day, FROM_HOUR, 0, zone) <= at < at_local(day, TO_HOUR, 0, zone)


def _after_waking(at: datetime, length: timedelta, zone: str) -> datetime:
    """The instant so much waking time later; `at` is awake, and no answer takes longer than a day."""
    night = at_local(local_day(at, zone), TO_HOUR, 0, zone)
    if at + length <= night:
        return at + length
    morning = at_local(local_day(at, zone) + timedelta(days=1), FROM_HOUR, 0, zone)
    return morning + (length - (night - at))


def _waking(since: datetime, until: datetime, zone: str) -> timedelta:
    """Waking time in a span that begins awake and ends by the next day at the latest."""
    night = at_local(local_day(since, zone), TO_HOUR, 0, zone)
    morning = at_local(local_day(since, zone) + timedelta(days=1), FROM_HOUR, 0, zone)
    return min(until, night) - since + max(timedelta(), until - morning)
