"""How long one waits for each service, for the hall's strip. Counted anew now and then: a call must not wait for it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from core.db import Database
from queueing.tickets import queries
from queueing.tickets.models import ServicePoint

FRESH_S = 20.0
_KEPT: "WeakKeyDictionary[Database, dict[str, tuple[float, list[Wait]]]]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Wait:
    """From the median to the ninetieth percentile, the widest over the sections; `served`: a counter is open for it."""

    name_ar: str
    name_en: str
    low: int
    high: int
    served: bool

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en


def waits(db: Database, session: Session, centre_id: str, *, now: datetime) -> list[Wait]:
    kept = _KEPT.setdefault(db, {})
    known = kept.get(centre_id)
    if known is None or time.monotonic() - known[0] > FRESH_S:
        known = (time.monotonic(), _counted(session, centre_id, now=now))
        kept[centre_id] = known
    return known[1]


def _counted(session: Session, centre_id: str, *, now: datetime) -> list[Wait]:
    return [_wait(session, centre_id, point, now=now) for point in queries.service_points(session, centre_id)]


def _wait(session: Session, centre_id: str, point: ServicePoint, *, now: datetime) -> Wait:
    places = [place for section in point.sections if (place := _place(session, centre_id, point, section, now=now))]
    low, high = min((p.low for p in places), default=0), max((p.high for p in places), default=0)
    return Wait(point.name_ar, point.name_en, low, high, bool(places))


def _place(
    session: Session, centre_id: str, point: ServicePoint, section: str, *, now: datetime
) -> queries.Place | None:
    """None where no open counter would take this visitor."""
    visitor = queries.newcomer(point, section=section, language="ar", now=now)
    if not queries.is_served(session, centre_id, visitor, now=now):
        return None
    return queries.place_of(session, centre_id, visitor, now=now)


def shown(rows: Sequence[Wait], at_once: int) -> list[list[Wait]]:
    """In groups that take turns on the screen, as even as can be."""
    groups = -(-len(rows) // at_once)
    size = -(-len(rows) // groups) if groups else 0
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)] if size else []
