from collections.abc import Callable
from datetime import date, datetime, time

import pytest
from sqlalchemy.orm import Session

from core.staff.models import Staff, StaffRole
from core.staff.rules import INTERPRETER
from queueing.appointments import calendar
from queueing.appointments.models import Slot
from queueing.appointments.rules import VIDEO
from tests.conftest import attendant

AddSlots = Callable[..., list[Slot]]


@pytest.fixture
def slots(session: Session, now: datetime) -> AddSlots:
    """Adds a session on the Wednesday after `now`: 10:00 to 11:00 in Riyadh, twenty minutes each.

    A centre has one attendant from its first session on.
    """

    def add(
        official: str = "minister", centre: str | None = "riyadh", kind: str = VIDEO, start: int = 10, **more: int
    ) -> list[Slot]:
        if centre and session.get(Staff, f"attendant.{centre}") is None:
            session.add(attendant(centre))
        return calendar.add_session(
            session,
            official_id=official,
            kind=kind,
            centre_id=centre,
            place_ar="قاعة اللقاء المرئي، مركز الرياض",
            place_en="Video hall, Riyadh centre",
            day=date(2026, 10, 28),
            start=time(start),
            end=time(start + 1),
            zone="Asia/Riyadh",
            now=now,
            minutes=more.pop("minutes", 20),
            **more,
        )

    return add


@pytest.fixture
def interpreters(session: Session) -> list[str]:
    """Two sign-language interpreters."""
    people = [
        Staff(
            id=f"interpreter-{n}",
            username=f"interpreter{n}",
            password_hash="-",
            name_ar="مترجم",
            name_en="Interpreter",
            role_rows=[StaffRole(role=INTERPRETER)],
        )
        for n in (1, 2)
    ]
    session.add_all(people)
    session.flush()
    return [person.id for person in people]
