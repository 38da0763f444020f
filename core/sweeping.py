"""What a worker does about once a second, without a lock while there is nothing to do.

A write transaction each second for each sweep is a queue that others stand in. A sweep that keeps time says when its
next turn is (`gated`); one that only looks at rows may be tried in a transaction that can't write (`read_first`).
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

S = TypeVar("S", bound=Callable[..., object])


def gated(sweep: S, due: Callable[[datetime], bool]) -> S:
    """`due(now)` says whether its turn has come; until then no transaction is opened for it."""
    sweep.due = due  # type: ignore[attr-defined]
    return sweep


def read_first(sweep: S) -> S:
    """For a sweep that remembers nothing and does nothing outside before its first change: it may be tried twice."""
    sweep.read_first = True  # type: ignore[attr-defined]
    return sweep


def is_due(sweep: object, now: datetime) -> bool:
    due = getattr(sweep, "due", None)
    return due is None or bool(due(now))


def reads_first(sweep: object) -> bool:
    return bool(getattr(sweep, "read_first", False))
