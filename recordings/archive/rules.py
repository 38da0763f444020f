"""Who may view: one pure rule, asked by page, media ranges, strip, export and search alike.

Those who took part as hosts may, and whoever was given leave: for a purpose, until a day, by one who took part, and
never by oneself. No role is enough on its own, the administrator's least of all.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from core.staff.rules import AIDE, OFFICER, OFFICIAL

TOOK_PART = "took part"
DEFAULT_GRANT = timedelta(days=30)
LONGEST_GRANT = timedelta(days=365)
ABANDONED = timedelta(seconds=20)
"""A journal that has not grown for so long, of a meeting that is over, has lost its writer."""

VIEWERS = frozenset({OFFICIAL, AIDE, OFFICER})
"""Only they can hold leave: a leave of somebody who changed to another work opens nothing."""
GIVERS = frozenset({OFFICIAL, AIDE})

SITTING = timedelta(hours=1)
"""What is asked for so long after the last piece still belongs to the same sitting."""
SPAN_S = 10
"""Parts that were watched are kept in steps of so many seconds."""


class GrantLike(Protocol):
    @property
    def recording_id(self) -> str | None: ...
    @property
    def petition_id(self) -> str | None: ...
    @property
    def staff_id(self) -> str | None: ...
    @property
    def role(self) -> str | None: ...
    @property
    def department_id(self) -> str | None: ...
    @property
    def purpose(self) -> str: ...
    @property
    def granted_by(self) -> str | None: ...
    @property
    def until(self) -> datetime | None: ...
    @property
    def revoked_at(self) -> datetime | None: ...


G = TypeVar("G", bound=GrantLike)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who asks."""

    id: str
    roles: frozenset[str]
    department_id: str | None = None
    active: bool = True


def took_part(grant: GrantLike) -> bool:
    """Is it the archive's own word that somebody was there? What people write as a purpose never is."""
    return grant.purpose == TOOK_PART and grant.granted_by is None and grant.recording_id is not None


def hosts(grants: Iterable[GrantLike]) -> frozenset[str]:
    return frozenset(g.staff_id for g in grants if took_part(g) and g.staff_id)


def in_force(grant: GrantLike, *, now: datetime) -> bool:
    """`until` None: as long as the recording is kept, which only those who took part have."""
    if grant.revoked_at is not None:
        return False
    return took_part(grant) if grant.until is None else now < grant.until


def leave_of(grants: Collection[G], viewer: Viewer, *, now: datetime) -> G | None:
    """The leave by which `viewer` may view the recording that `grants` are about; None where there is none."""
    if not viewer.active or not viewer.roles & VIEWERS:
        return None
    there = hosts(grants)
    held = [g for g in grants if in_force(g, now=now) and is_for(g, viewer) and _covers(g, there)]
    return min(held, key=lambda g: (not took_part(g), g.staff_id is None), default=None)


def may_view(grants: Collection[GrantLike], viewer: Viewer, *, now: datetime) -> bool:
    return leave_of(grants, viewer, now=now) is not None


def may_give(grants: Collection[GrantLike], giver: Viewer, *, hosts_at_work: Collection[str]) -> bool:
    """Those of the office who took part give leave; where none of them is left, any official does (to others)."""
    if not giver.active or not giver.roles & GIVERS:
        return False
    there = hosts(grants)
    if giver.id in there:
        return True
    return OFFICIAL in giver.roles and not there & set(hosts_at_work)


def may_take_back(grant: GrantLike, by: Viewer, *, gives: bool) -> bool:
    """Who gave it, and whoever could; that somebody took part can't be taken back."""
    return not took_part(grant) and (gives or by.id == grant.granted_by)


def is_for(grant: GrantLike, viewer: Viewer) -> bool:
    if grant.staff_id is not None:
        return grant.staff_id == viewer.id and grant.granted_by != viewer.id
    if grant.role is None or grant.role not in viewer.roles or grant.granted_by == viewer.id:
        return False
    return grant.role != OFFICER or (grant.department_id is not None and grant.department_id == viewer.department_id)


def _covers(grant: GrantLike, there: frozenset[str]) -> bool:
    """A leave for a case reaches as far as its giver's own: to the meetings in which the giver took part."""
    return grant.petition_id is None or grant.granted_by in there


def spans_with(spans: Iterable[Iterable[float]], start: float, end: float, *, duration: float) -> list[list[int]]:
    """`spans` and what was given out now, in whole steps of SPAN_S, joined where they touch."""
    last = max(1, -(-int(duration * 1000) // 1000))
    first = int(max(start, 0.0) // SPAN_S) * SPAN_S
    until = min(-(-int(max(end, 0.0) * 1000) // (SPAN_S * 1000)) * SPAN_S, last)
    rows = sorted([[int(a), int(b)] for a, b in spans] + [[min(first, last), max(until, min(first, last))]])
    joined: list[list[int]] = []
    for a, b in rows:
        if joined and a <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], b)
        else:
            joined.append([a, b])
    return joined


def offset(at: datetime, started_at: datetime) -> float:
    """Seconds into a recording of an instant; never negative."""
    return max((at - started_at).total_seconds(), 0.0)
