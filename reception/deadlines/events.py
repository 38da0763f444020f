from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeadlineNeared:
    """Somebody was reminded, or told that it has passed. `whom`: a key of rules.LADDER; `hours` after the deadline."""

    petition_id: str
    department_id: str
    step: str
    whom: str
    hours: int


@dataclass(frozen=True, slots=True)
class DeadlinesMoved:
    """The calendar changed, and with it the deadlines of so many open petitions."""

    count: int
