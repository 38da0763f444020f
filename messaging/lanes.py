"""Who goes first, until when a text makes sense, and when it may arrive: by the class of the text. Pure.

A one-time code overtakes everything: somebody stands at a counter and waits for it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

LANES: Mapping[str, int] = {"otp": 1, "reply": 2, "service": 5, "reminder": 6, "campaign": 9}
USUAL = 5
CAMPAIGN = "campaign"  # told of by number: nobody reacts to thousands of texts one by one
ORDER = tuple(sorted({*LANES.values(), USUAL}))
URGENT = 2  # up to this lane a text is taken in hand whatever else is under way

LIFE: Mapping[str, timedelta] = {
    "otp": timedelta(minutes=10),
    "reply": timedelta(hours=1),
    "service": timedelta(days=3),
    "reminder": timedelta(hours=6),
    "campaign": timedelta(days=1),
}
Hours = Mapping[str, tuple[int, int]]  # class → quiet from this local hour to that one


def lane_of(message_class: str) -> int:
    return LANES.get(message_class, USUAL)


def expiry(message_class: str, due_at: datetime) -> datetime:
    """When a text that gives no hour of its own serves nobody any more."""
    return due_at + LIFE.get(message_class, LIFE["service"])


def loud_again(message_class: str, quiet: Hours, *, zone: str, now: datetime) -> datetime | None:
    """When the quiet hours of this class end, if they are now; hours over midnight (21 to 8) are meant as they read."""
    first, last = quiet.get(message_class, (0, 0))
    if first == last:
        return None
    here = now.astimezone(ZoneInfo(zone))
    inside = first <= here.hour < last if first < last else here.hour >= first or here.hour < last
    if not inside:
        return None
    end = here.replace(hour=last % 24, minute=0, second=0, microsecond=0)
    return end if end > here else end + timedelta(days=1)


def put_off(attempts: int, message_class: str) -> timedelta:
    """How long to wait after so many attempts: 5, 10, 20 … seconds, at most ten minutes; a code's reader waits less."""
    if message_class == "otp":
        return timedelta(seconds=min(2 * attempts, 15))
    return timedelta(seconds=min(5 * 2 ** min(attempts - 1, 10), 600))
