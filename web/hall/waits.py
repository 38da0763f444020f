"""How long one waits for each service, for the hall's strip. It is counted beside the pages: no call waits for it."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from queueing.tickets import places, queries

log = structlog.get_logger()
FRESH_S = 20.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Minutes until the call: one in ten waits longer than `high`. The widest range over the sections that are served;
    `served` is False where no open counter would take anybody for it."""

    name_ar: str
    name_en: str
    low: int
    high: int
    served: bool

    def name(self, lang: str) -> str:
        return self.name_ar if lang == "ar" else self.name_en


@dataclass
class _Strip:
    """The latest count of one centre; `counting` is held while the next one is made."""

    at: float = 0.0
    rows: list[Wait] = field(default_factory=list)
    counting: threading.Lock = field(default_factory=threading.Lock)


_STRIPS: "WeakKeyDictionary[Database, dict[str, _Strip]]" = WeakKeyDictionary()


def waits(db: Database, centre_id: str) -> list[Wait]:
    """The latest count, at most some 20 seconds old while anybody looks; empty until the first one is there."""
    strip = _STRIPS.setdefault(db, {}).setdefault(centre_id, _Strip())
    stale = not strip.at or time.monotonic() - strip.at > FRESH_S
    if stale and strip.counting.acquire(blocking=False):
        threading.Thread(target=_renew, args=(db, centre_id, strip), name="hall waits", daemon=True).start()
    return strip.rows


def counted(session: Session, centre_id: str, *, now: datetime) -> list[Wait]:
    """The services that the kiosk offers, in its order."""
    points = [point for point in queries.service_points(session, centre_id) if point.kiosk]
    visitors = [
        (point.id, queries.newcomer(point, section=section, language="ar", now=now))
        for point in points
        for section in point.sections
    ]
    taken = [(key, who) for key, who in visitors if queries.is_served(session, centre_id, who, now=now)]
    foreseen = places.places_of(session, centre_id, [who for _, who in taken], now=now) if taken else []
    by_point: dict[str, list[places.Place]] = {}
    for (key, _), place in zip(taken, foreseen, strict=True):
        by_point.setdefault(key, []).append(place)
    return [
        Wait(
            point.name_ar,
            point.name_en,
            min((place.low for place in by_point.get(point.id, ())), default=0),
            max((place.high for place in by_point.get(point.id, ())), default=0),
            point.id in by_point,
        )
        for point in points
    ]


def shown(rows: Sequence[Wait], at_once: int) -> list[list[Wait]]:
    """In groups that take turns on the screen, as even as can be."""
    groups = -(-len(rows) // at_once)
    size = -(-len(rows) // groups) if groups else 0
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)] if size else []


def _renew(db: Database, centre_id: str, strip: _Strip) -> None:
    try:
        with db.read() as session:
            strip.rows = counted(session, centre_id, now=clock.now())
    except Exception as error:
        log.warning("hall: the waits could not be counted", error=str(error))
    finally:
        strip.at = time.monotonic()
        strip.counting.release()
