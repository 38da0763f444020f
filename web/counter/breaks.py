"""A break of the counter: "back at 10:30". Pressed as minutes, or written as a time of the clock on the wall."""

import re
from datetime import datetime, timedelta
from typing import Any

from core.calendar import at_local, clock, local_day
from core.errors import Mistake
from core.text import latin_digits
from queueing.tickets import breaks
from queueing.tickets.models import Counter
from web.counter import words
from web.http import Context

_TIME = re.compile(r"(\d{1,2})[:.٫](\d{2})")
_MINUTE = timedelta(minutes=1)


def offered(ctx: Context) -> list[dict[str, Any]]:
    """The usual lengths, each with the time of the return."""
    return [
        {"minutes": n, "at": clock(_after(ctx, n), ctx.lang, ctx.settings.timezone), "said": words.minutes(ctx, n)}
        for n in breaks.OFFERED
    ]


def wished(ctx: Context) -> datetime:
    """What the form says. Raises Mistake for what is no time."""
    minutes = latin_digits(str(ctx.form.get("minutes") or ""))
    if minutes.isdecimal() and len(minutes) < 4:
        return _after(ctx, int(minutes))
    found = _TIME.fullmatch(latin_digits(str(ctx.form.get("back_at") or "")).strip())
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise Mistake("Write the time like 10:30.", field="back_at")
    zone = ctx.settings.timezone
    today, tomorrow = (local_day(ctx.now + timedelta(days=n), zone) for n in (0, 1))
    at, next_day = (at_local(day, int(found[1]), int(found[2]), zone) for day in (today, tomorrow))
    return at if at > ctx.now else next_day  # just before midnight it is the next day's clock


def state(ctx: Context, counter: Counter) -> dict[str, Any] | None:
    """The break as a page says it; None for a counter that takes visitors."""
    if not counter.open or counter.back_at is None:
        return None
    late = ctx.now - counter.back_at
    return {
        "at": counter.back_at,
        "late": late >= _MINUTE,
        "by": words.minutes(ctx, late / _MINUTE),
        "left": words.minutes(ctx, max(1, -late / _MINUTE)),
    }


def _after(ctx: Context, minutes: int) -> datetime:
    """So many minutes from now, on a whole minute: nobody says "back at 10:30 and twelve seconds"."""
    at = ctx.now + timedelta(minutes=minutes)
    return at.replace(second=0, microsecond=0) + (_MINUTE if at.second or at.microsecond else timedelta())
