"""What a manager asks of a what-if, read from an address: so a result can be kept, shared, printed and taken along."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

from core.calendar import at_local, day_of, local_day
from core.errors import Mistake
from core.text import latin_digits
from queueing.tickets import rules
from queueing.tickets.discipline import BOUNDS, CLASSES, FASTEST, REGULAR, SLOWEST

if TYPE_CHECKING:
    from web.http import Context

MOST_COUNTERS = 4
VISITORS = (80, 100, 110, 125, 150)
RATED = tuple(name for name in CLASSES if name != REGULAR)


@dataclass(slots=True)
class Choices:
    """`errors` by field, already in the reader's language. `typed` is what to show again."""

    day: date
    typed: dict[str, Any]
    asked: bool = False
    more: int = 0
    points: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    more_from: datetime | None = None
    more_to: datetime | None = None
    less: str = ""
    less_from: datetime | None = None
    less_to: datetime | None = None
    visitors: int = 100
    rates: dict[str, float] = field(default_factory=dict)
    target: float | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, ctx: "Context", given: Mapping[str, Any]) -> "Choices":
        """From the query or a form; nothing here asks the database."""
        many = given.getlist if hasattr(given, "getlist") else lambda key: [given[key]] if key in given else []
        typed: dict[str, Any] = {key: str(value)[:40] for key, value in given.items() if key not in ("csrf", "once")}
        made = cls(local_day(ctx.now, ctx.settings.timezone), typed, asked=bool(typed.get("run")))
        made._day(ctx)
        made.more = int(made._number(ctx, "more", 0, MOST_COUNTERS) or 0)
        made.points = tuple(str(one)[:40] for one in many("points"))
        made.sections = tuple(one for one in many("sections") if one in rules.SECTIONS)
        typed["points"], typed["sections"] = list(made.points), list(made.sections)
        made.more_from, made.more_to = made._span(ctx, "more")
        made.less = typed.get("less", "")
        made.less_from, made.less_to = made._span(ctx, "less")
        made.visitors = int(made._number(ctx, "visitors", 1, 500) or 100)
        for name in RATED:
            if (rate := made._number(ctx, f"rate_{name}", SLOWEST, FASTEST)) is not None:
                made.rates[name] = rate
        made.target = made._number(ctx, "target", *BOUNDS["target_minutes"])
        return made

    def query(self) -> dict[str, Any]:
        return {key: value for key, value in self.typed.items() if value not in ("", [])}

    def _day(self, ctx: "Context") -> None:
        text = self.typed.get("day", "")
        if text.strip():
            try:
                self.day = day_of(text)
            except ValueError:
                self.errors["day"] = ctx._("Write the day like 2026-10-27 or 1448/5/16.")

    def _number(self, ctx: "Context", name: str, low: float, high: float) -> float | None:
        text = latin_digits(self.typed.get(name, "")).strip().replace("٫", ".").replace(",", ".")
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value) or not low <= value <= high:
            self.errors[name] = ctx.say(Mistake("Please enter a number from {low} to {high}.", low=low, high=high))
            return None
        return value

    def _span(self, ctx: "Context", name: str) -> tuple[datetime | None, datetime | None]:
        """From and to by the clock of the day; either may be left open."""
        first, last = (self._clock(ctx, f"{name}_{end}") for end in ("from", "to"))
        if first and last and first >= last:
            self.errors[f"{name}_to"] = ctx._("The end must be later than the beginning.")
            return None, None
        return first, last

    def _clock(self, ctx: "Context", name: str) -> datetime | None:
        text = latin_digits(self.typed.get(name, "")).strip()
        if not text:
            return None
        match = re.fullmatch(r"(\d{1,2})(?:[:.](\d{2}))?", text)
        hour, minute = (int(match[1]), int(match[2] or 0)) if match else (99, 0)
        if hour > 24 or minute > 59 or (hour == 24 and minute):
            self.errors[name] = ctx._("Write the time like 10:30.")
            return None
        if hour == 24:
            return at_local(self.day + timedelta(days=1), 0, 0, ctx.settings.timezone)
        return at_local(self.day, hour, minute, ctx.settings.timezone)
