"""When a visitor is reminded, and what a one-time link still opens. Pure."""

from datetime import datetime, timedelta

from core.calendar import at_local, local_day

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
