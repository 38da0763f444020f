"""What a clock says of a centre's hours, which are data of its working calendar (`core.workdays`). Pure.

An empty week sets no limit: the centre receives at any time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.calendar import day_bounds, local_day
from core.workdays import week
from core.workdays.rules import in_ramadan
from core.workdays.week import WEEKDAYS, Hours, checked, read_spans, write_spans

__all__ = ["WEEKDAYS", "Hours", "checked", "next_opening", "opening", "read_spans", "spans", "write_spans"]

LOOK_AHEAD = 60  # days; a centre that stays closed longer has no next opening to tell

HOURS, CLOSED_DAY = "hours", "closed_day"


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether the doors are open; if not, why (HOURS or CLOSED_DAY) and when they open next, if that is known."""

    open: bool
    why: str = ""
    opens_at: datetime | None = None
    closes_at: datetime | None = None


def opening(
    hours: Hours, closed: Collection[date], *, zone: str, now: datetime, ramadan: Hours | None = None
) -> Opening:
    """What `hours`, in Ramadan `ramadan` if there are such, and the closed days say of this moment."""
    today = local_day(now, zone)
    for begins, ends in [] if today in closed else spans(hours, today, zone, ramadan=ramadan):
        if begins <= now < ends:
            return Opening(True, closes_at=ends)
    why = CLOSED_DAY if today in closed else HOURS
    return Opening(False, why, opens_at=next_opening(hours, closed, zone=zone, now=now, ramadan=ramadan))


def next_opening(
    hours: Hours, closed: Collection[date], *, zone: str, now: datetime, ramadan: Hours | None = None
) -> datetime | None:
    """When the doors open next, later than now; None if not within two months."""
    today = local_day(now, zone)
    for ahead in range(LOOK_AHEAD + 1):
        day = today + timedelta(days=ahead)
        for begins, _ in [] if day in closed else spans(hours, day, zone, ramadan=ramadan):
            if begins > now:
                return begins
    return None


def spans(hours: Hours, day: date, zone: str, *, ramadan: Hours | None = None) -> list[tuple[datetime, datetime]]:
    """The instants between which the doors are open on a local day."""
    if not hours:
        return [day_bounds(day, zone)]
    return week.spans(ramadan if ramadan and in_ramadan(day) else hours, day, zone)
