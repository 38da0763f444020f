"""What opens the words of a case on the visitor's own page: the last digits of the phone number on file. Pure."""

import hmac
from datetime import datetime, timedelta

from core.text import latin_digits

DIGITS = 4
TRIES = 5  # wrong ones before the first pause
PAUSE, LONGEST_PAUSE = timedelta(minutes=15), timedelta(days=1)
OPEN_FOR = timedelta(minutes=30)  # so long the page stays open on that device


def fits(phone: str, typed: str) -> bool:
    """Whether `typed`, in either script, is the end of `phone`."""
    given = "".join(latin_digits(typed).split())
    return len(given) == DIGITS and hmac.compare_digest(given.encode(), phone[-DIGITS:].encode())


def pause_after(wrong: int, *, now: datetime) -> datetime | None:
    """Until when nobody may try: none before `TRIES` wrong ones, then a quarter of an hour, doubling up to a day.

    Ten thousand endings would take a stranger years; the visitor who mistyped has the hotline and the centre meanwhile.
    """
    if wrong < TRIES:
        return None
    return now + min(PAUSE * (1 << min(wrong - TRIES, 10)), LONGEST_PAUSE)
