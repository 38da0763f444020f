"""What the calendar's forms share: days in either calendar, times of the clock, and who would have to move."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from core.calendar import LAST_DAY, WEEKDAYS, BeyondTables, clock, day_of
from core.errors import Mistake
from queueing.appointments.rearranging import Plan
from web.forms import Form
from web.http import Context
from web.office.engagements import Engagement, engagements


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody who would have to move; `to` is None for whom no time was found."""

    row: Engagement
    to: datetime | None


def leavers(ctx: Context, plan: Plan) -> list[Leaver]:
    """In order of their present times, those without another time first."""
    rows = [*plan.unplaced, *(move.appointment for move in plan.moves)]
    to = {move.appointment.id: move.to.starts_at for move in plan.moves}
    found = [Leaver(row, to.get(row.appointment.id)) for row in engagements(ctx.session, rows)]
    return sorted(found, key=lambda one: (one.to is not None, one.row.slot.starts_at, one.row.appointment.id))


def day(ctx: Context, form: Form, name: str, *, required: bool = True) -> date | None:
    """A day as people type it, in either calendar; a wrong one is noted beside its field."""
    typed = form.text(name, required=required, max=20)
    try:
        return day_of(typed) if typed else None
    except BeyondTables:
        form.add(
            name,
            ctx.say(Mistake("The Hijri calendar is published until {last}. Choose an earlier day.", last=LAST_DAY)),
        )
        return None
    except (ValueError, Mistake):
        form.add(name, ctx._("Write the day like 2026-09-23 or 1448/4/12."))
        return None


def minutes(ctx: Context, form: Form, name: str, *, required: bool = True) -> int | None:
    """A time of the clock as minutes since midnight."""
    typed = form.text(name, required=required, max=8)
    try:
        at = time.fromisoformat(typed) if typed else None
    except ValueError:
        form.add(name, ctx._("Give the time."))
        return None
    return at.hour * 60 + at.minute if at else None


def clock_of(minutes: int | None) -> str:
    """The way back, as a field for a time wants it."""
    return "" if minutes is None else f"{minutes // 60:02d}:{minutes % 60:02d}"


def hour_of(minutes: int, lang: str) -> str:
    """The same as people say it: `9:00 am`."""
    return clock(datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes), lang, "UTC")


def weekday_names(days: Sequence[int], lang: str) -> str:
    """`الأحد والثلاثاء`, `Sunday and Tuesday`; the week begins on Sunday."""
    names = [WEEKDAYS[lang][number] for number in sorted(days, key=lambda number: (number + 1) % 7)]
    if lang == "ar":
        return " و".join(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
