"""Who may view: only the holder of a grant, for its purpose, until its end."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

TOOK_PART = "took part"
DEFAULT_GRANT = timedelta(days=30)
LONGEST_GRANT = timedelta(days=365)
ABANDONED = timedelta(seconds=20)
"""A journal that has not grown for so long, of a meeting that is over, has lost its writer."""


class GrantLike(Protocol):
    staff_id: str
    until: datetime | None
    revoked_at: datetime | None


def granted(grants: Iterable[GrantLike], staff_id: str, *, now: datetime) -> bool:
    """Does one of `grants` let this person view now? `until` None: as long as the recording is kept."""
    return any(g.staff_id == staff_id and g.revoked_at is None and (g.until is None or now < g.until) for g in grants)


def offset(at: datetime, started_at: datetime) -> float:
    """Seconds into a recording of an instant; never negative."""
    return max((at - started_at).total_seconds(), 0.0)
