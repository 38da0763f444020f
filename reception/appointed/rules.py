"""When a visitor is reminded, and what a one-time link still opens. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

from core.calendar import at_local, local_day
from core.language import N_
from queueing.appointments import states
from queueing.waitlist import states as waitlist

DAY, HOURS = "reminder_day", "reminder_hours"  # the texts' templates
FROM_HOUR, TO_HOUR = 10, 20  # nobody is written to at night about tomorrow
BEFORE = timedelta(hours=2)
TOO_LATE = timedelta(hours=1)  # before the start: who has not left by then gains nothing from a text
FRESH = timedelta(hours=1)  # a text that recent is still in mind
HORIZON = timedelta(hours=50)  # no reminder is due earlier than the morning of the day before, clocks put back or not


def due(starts_at: datetime, arranged_at: datetime, *, zone: str, now: datetime) -> str | None:
    """The reminder whose hour it is: DAY, HOURS or None. Missed is missed: nothing is sent after its hour.

    What was arranged on the day before itself, or an hour before the second reminder, was told just now.
    """
    if day_opens(starts_at, zone) <= now < day_closes(starts_at, zone):
        return DAY if local_day(arranged_at, zone) < local_day(now, zone) else None
    if starts_at - BEFORE <= now < starts_at - TOO_LATE:
        return HOURS if arranged_at <= starts_at - BEFORE - FRESH else None
    return None


def day_opens(starts_at: datetime, zone: str) -> datetime:
    """From when the first reminder may go: the day before, in the morning."""
    return at_local(local_day(starts_at, zone) - timedelta(days=1), FROM_HOUR, 0, zone)


def day_closes(starts_at: datetime, zone: str) -> datetime:
    """That evening; for a meeting shortly after midnight not later than the second reminder."""
    evening = at_local(local_day(starts_at, zone) - timedelta(days=1), TO_HOUR, 0, zone)
    return min(evening, starts_at - BEFORE)


OPEN, HERE, PAST, MOVED, CALLED_OFF = "open", "here", "past", "moved", "called off"
OFFERED, OFFER_OVER, DECLINED = "offered", "offer over", "declined"  # a place that the waitlist keeps, or kept
OF_AN_OFFER = (OFFERED, OFFER_OVER, DECLINED)
SHOWN_FOR = timedelta(minutes=15)  # so long a spent link shows what it led to: who reloads, goes back or pressed twice
MOST_OF_A_DAY, MOST_DAYS = 4, 4
BY_VISITOR = "visitor"  # in place of a member of staff's id
STAYS = N_("The visitor keeps the appointment")
MOVED_BY_VISITOR = N_("Moved by the visitor")

# key: what the visitor chooses, what stands in the file
REASONS = {
    "ill": (N_("I am ill"), N_("Cancelled by the visitor: illness")),
    "away": (N_("I am away or cannot travel"), N_("Cancelled by the visitor: away or unable to travel")),
    "duty": (N_("Work or family"), N_("Cancelled by the visitor: work or family")),
    "settled": (N_("The matter is settled"), N_("Cancelled by the visitor: the matter is settled")),
    "": (N_("I would rather not say"), N_("Cancelled by the visitor, no reason given")),
}

CLOSED_WORDS = {
    HERE: N_("You have arrived already. Please speak to the reception."),
    PAST: N_("The time of this appointment has passed."),
    MOVED: N_("This appointment has been moved. The newest text has its time and its link."),
    CALLED_OFF: N_("This appointment has been cancelled."),
    OFFERED: N_("This time is kept for you until you answer."),
    OFFER_OVER: N_("This offer has ended, and the time has gone to the next in line."),
    DECLINED: N_("You have declined this time."),
}


def standing(state: str, starts_at: datetime, *, now: datetime) -> str:
    """What a link finds: OPEN is the only standing in which it changes anything."""
    if state == states.MOVED:
        return MOVED
    if state in (states.CANCELLED, states.EXPIRED):
        return CALLED_OFF
    if state == states.CHECKED_IN:
        return HERE
    return OPEN if state == states.BOOKED and now < starts_at else PAST


def offer_standing(offer: str, *, stands: bool) -> str:
    """What a link finds while its place is only kept, or if it never came to be more."""
    if offer == waitlist.DECLINED:
        return DECLINED
    return OFFERED if stands else OFFER_OVER


def shows_outcome(spent_at: datetime | None, *, now: datetime) -> bool:
    return spent_at is not None and now - spent_at < SHOWN_FOR


class Timed(Protocol):
    @property
    def starts_at(self) -> datetime: ...


Time = TypeVar("Time", bound=Timed)


def a_few_of_each_day(slots: Sequence[Time], *, zone: str) -> list[Time]:
    """Of slots in order of time a few on each of the next days: a choice, not a timetable."""
    kept, of_day = [], Counter[date]()
    for slot in slots:
        day = local_day(slot.starts_at, zone)
        if day not in of_day and len(of_day) == MOST_DAYS:
            break
        if of_day[day] < MOST_OF_A_DAY:
            kept.append(slot)
        of_day[day] += 1
    return kept
