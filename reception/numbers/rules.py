"""What the numbers mean. They are counted by the database in cells (type, centre, department) and added up here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

PERIODS = (7, 30, 90, 365)  # days
BY_WEEKS = 90  # days from which on the course is drawn by weeks
AGES = (3, 7, 14, 30, 60)  # days; each group ends before the next begins, the last has no end
FEW = 3
"""Below so many answers no average is shown: it would say what one visitor thought."""

Cell = tuple[str, str, str | None]  # type, centre, department


@dataclass(slots=True)
class Tally:
    """What is counted of a group of petitions. `days` are whole days from receipt to the end: how many took so many."""

    received: int = 0
    open: int = 0
    overdue: int = 0
    settled: int = 0
    kept: int = 0
    promised: int = 0  # of the settled ones, those that had a deadline
    days: dict[int, int] = field(default_factory=dict)
    answers: int = 0
    score: int = 0

    def add(self, other: "Tally") -> None:
        for name in ("received", "open", "overdue", "settled", "kept", "promised", "answers", "score"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for day, count in other.days.items():
            self.days[day] = self.days.get(day, 0) + count

    @property
    def anything(self) -> bool:
        return bool(self.received or self.open or self.settled or self.answers)

    @property
    def kept_share(self) -> float | None:
        return self.kept / self.promised if self.promised else None

    @property
    def median_days(self) -> int | None:
        """The least number of days in which half of them were settled."""
        return percentile(self.days, 0.5)

    @property
    def satisfaction(self) -> float | None:
        return self.score / self.answers if self.answers >= FEW else None


def percentile(counts: dict[int, int], share: float) -> int | None:
    """The least value that at least `share` of all do not exceed."""
    total, seen = sum(counts.values()), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= share * total:
            return value
    return None


def rolled(cells: dict[Cell, Tally], of: Callable[[Cell], str | None]) -> dict[str | None, Tally]:
    """The cells added up by one of their sides, the most received first."""
    found: dict[str | None, Tally] = {}
    for cell, tally in cells.items():
        found.setdefault(of(cell), Tally()).add(tally)
    return dict(sorted(found.items(), key=lambda one: (-one[1].received, -one[1].open, str(one[0]))))


def total(tallies: Iterable[Tally]) -> Tally:
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return whole


def ages(open_days: dict[int, int]) -> list[tuple[int, int | None, int]]:
    """(from, before, count) of the open ones, in days since their receipt."""
    bounds = [0, *AGES]
    return [
        (low, high, sum(n for day, n in open_days.items() if day >= low and (high is None or day < high)))
        for low, high in zip(bounds, [*AGES, None], strict=True)
    ]


def course(first: date, last: date, counts: dict[date, tuple[int, int]]) -> list[tuple[date, int, int]]:
    """(day, received, settled) of every day from `first` to `last`, none left out; of weeks where they are many."""
    step = 7 if (last - first).days >= BY_WEEKS else 1
    rows, day = [], first
    while day <= last:
        within = [counts.get(day + timedelta(days=n), (0, 0)) for n in range(step) if day + timedelta(days=n) <= last]
        rows.append((day, sum(one[0] for one in within), sum(one[1] for one in within)))
        day += timedelta(days=step)
    return rows
