"""A small centre for tests of the queue: two services, two counters, a clock that is told."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from core.db import new_id
from queueing.tickets import service
from queueing.tickets.models import Counter, ServicePoint, Ticket

NOON = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)  # a Tuesday, 12:00 in Riyadh
ZONE = "Asia/Riyadh"
CENTRE = "centre-1"


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@dataclass
class Hall:
    new: ServicePoint
    ask: ServicePoint
    first: Counter
    second: Counter

    def take(self, session: Session, *, now: datetime = NOON, **wishes: Any) -> Ticket:
        given = {"service_point_id": self.new.id, "section": "men", "language": "ar"} | wishes
        urgent = given.pop("urgent", False)
        ticket = service.issue(session, centre_id=CENTRE, now=now, zone=ZONE, **given)
        if urgent:
            service.propose_urgent(session, ticket.id, "clerk-1", reason="must catch a flight", now=now)
            service.agree_urgent(session, ticket.id, "clerk-2", now=now)
        return ticket

    def next(self, session: Session, counter: Counter | None = None, *, now: datetime = NOON) -> Ticket | None:
        counter = counter or self.first
        return service.call_next(session, counter.id, counter.staff_id, now=now)


def build(session: Session, *, opened: bool = True) -> Hall:
    """Both counters take both services and every section; the second speaks English and signs."""
    new = ServicePoint(
        id=new_id(), centre_id=CENTRE, code="new", letter="A", name_ar="معاملة جديدة", name_en="New petition",
        sections=["men", "women", "family"], order=1,
    )  # fmt: skip
    ask = ServicePoint(
        id=new_id(), centre_id=CENTRE, code="ask", letter="B", name_ar="استفسار", name_en="Inquiry",
        sections=["men", "women"], order=2,
    )  # fmt: skip
    shared = {"centre_id": CENTRE, "service_point_ids": [new.id, ask.id], "sections": ["men", "women", "family"]}
    first = Counter(id=new_id(), number=1, name_ar="شباك ١", name_en="Counter 1", languages=["ar"], **shared)
    second = Counter(
        id=new_id(),
        number=2,
        name_ar="شباك ٢",
        name_en="Counter 2",
        languages=["ar", "en"],
        sign_language=True,
        **shared,
    )
    session.add_all([new, ask, first, second])
    session.flush()
    if opened:
        service.open_counter(session, first.id, "clerk-1", now=NOON)
        service.open_counter(session, second.id, "clerk-2", now=NOON)
    return Hall(new, ask, first, second)
