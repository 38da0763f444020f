"""The office moves many while desks go on booking, on both databases: what was shown is done, or nothing."""

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from core.db import Database
from core.errors import Refused
from core.workdays import service as workdays
from queueing.appointments import calendar, holidays, rearranging, service, urgent
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.series import rules
from queueing.appointments.series import service as series
from queueing.appointments.states import BOOKED
from tests.appointments.invariants import check
from tests.database.test_appointments_race import at_once, booking, offer

ZONE = "Asia/Riyadh"
WEDNESDAY, THURSDAY = date(2026, 10, 28), date(2026, 10, 29)
AUDIENCE = {"kind": "audience", "capacity": 2, "end": time(12)}


def declared(db: Database, now: datetime, day: date = WEDNESDAY) -> str:
    with db.write() as session:
        holiday = workdays.declare_holiday(
            session, first_day=day, last_day=day, name_ar="ع", name_en="H", kind="other", zone=ZONE, now=now
        )
        holidays.close(session, holiday, zone=ZONE, now=now)
        return holiday.id


def moving(ids: list[str], mark: str, now: datetime):  # type: ignore[no-untyped-def]
    return lambda session: rearranging.carry_out(
        session, ids, mark=mark, by="aide", reason="h", moved_for="holiday", now=now
    )


@pytest.mark.parametrize("pressed", [1, 2])
def test_a_plan_is_carried_out_as_shown_or_not_at_all(any_db: Database, now: datetime, pressed: int) -> None:
    """Desks book what the plan wants to give away, and two aides press at the same moment."""
    slots = offer(any_db, now, "minister", None, **AUDIENCE)
    later = offer(any_db, now, "minister", None, day=THURSDAY, **AUDIENCE)
    with any_db.write() as session:
        ids = [booking(slots[n], n, now)(session).id for n in range(5)]
    declared(any_db, now)
    with any_db.read() as session:
        plan = rearranging.plan(session, rearranging.awaited(session, ids), now=now)
        shown = {move.appointment.id: move.to.id for move in plan.moves}
    assert len(shown) == 5
    results = at_once(
        any_db,
        *(moving(ids, plan.mark, now) for _ in range(pressed)),
        *(booking(later[n % 6], 10 + n, now) for n in range(4)),
    )
    done = [result for result in results[:pressed] if not isinstance(result, Refused)]
    assert len(done) <= 1
    with any_db.read() as session:
        check(session)
        moved = dict(
            session.execute(
                select(Appointment.previous_id, Appointment.slot_id).where(Appointment.previous_id.in_(ids))
            ).all()
        )
        assert moved == (shown if done else {})
        assert session.scalar(select(func.count()).where(Appointment.state == BOOKED)) == 5 + sum(
            isinstance(result, Appointment) for result in results
        )


def test_on_a_holiday_nothing_is_offered_whoever_was_quicker(any_db: Database, now: datetime) -> None:
    """A day becomes a holiday while others book on it and offer more times on it."""
    slots = offer(any_db, now, "minister", None, **AUDIENCE)

    def rest(session):  # type: ignore[no-untyped-def]
        holiday = workdays.declare_holiday(
            session, first_day=WEDNESDAY, last_day=WEDNESDAY, name_ar="ع", name_en="H", kind="other", zone=ZONE, now=now
        )
        holidays.close(session, holiday, zone=ZONE, now=now)

    def offering(official: str):  # type: ignore[no-untyped-def]
        return lambda session: calendar.add_session(
            session, official_id=official, kind="audience", centre_id=None, place_ar="م", place_en="P",
            day=WEDNESDAY, start=time(13), end=time(14), minutes=20, zone=ZONE, now=now,
        )  # fmt: skip

    results = at_once(
        any_db, rest, *(booking(slots[n], n, now) for n in range(4)), *(offering(f"o{n}") for n in range(4))
    )
    with any_db.read() as session:
        assert session.scalar(select(func.count()).where(Slot.state == "open")) == 0
        (holiday,) = workdays.holidays(session)
        hit = holidays.hit(session, holiday, zone=ZONE, now=now)
        assert len(hit) == sum(isinstance(result, Appointment) for result in results)
        check(session)


def test_two_urgent_cases_at_once_move_two_or_one(any_db: Database, now: datetime) -> None:
    slots = offer(any_db, now, "minister", None, kind="audience", day=THURSDAY)
    offer(any_db, now, "minister", None, kind="audience", day=date(2026, 11, 1))
    with any_db.write() as session:
        for n in range(3):
            booking(slots[n], n, now)(session)

    def placing(n: int):  # type: ignore[no-untyped-def]
        wish = urgent.Wish(
            visitor_id=f"u{n}", petition_id=f"u{n}", kind="audience", official_id="minister", centre_id=None,
            needs_interpreter=False, until=now + timedelta(days=3), zone=ZONE,
        )  # fmt: skip

        def act(session):  # type: ignore[no-untyped-def]
            room = urgent.find(session, wish, ranks={}, urgent={}, now=now)
            return urgent.place(session, wish, mark=room.mark, ranks={}, urgent={}, by="a", reason="u", now=now)

        return act

    results = at_once(any_db, *(placing(n) for n in range(4)))
    placed = [result for result in results if isinstance(result, Appointment)]
    with any_db.read() as session:
        rows = check(session)
        assert 1 <= len(placed) <= 3
        assert sum(row.moved_for == "urgent" for row in rows) == len(placed)
        assert len(rows) == 3 + len(placed), "nobody was lost"


def test_a_session_that_two_set_up_at_once_is_offered_once(any_db: Database, now: datetime) -> None:
    pattern = rules.Pattern(
        weekdays=frozenset({2}), every_weeks=1, times=(600, 660), ramadan=None, minutes=20, pause=0, capacity=1,
        reserved_urgent=0, first_day=WEDNESDAY, last_day=None, zone=ZONE,
    )  # fmt: skip

    def begin(session):  # type: ignore[no-untyped-def]
        return series.begin(
            session, pattern, official_id="m", kind="audience", centre_id=None, place_ar="م", place_en="P", by="a",
            now=now,
        ).id  # fmt: skip

    results = at_once(any_db, *(begin for _ in range(4)))
    assert sum(isinstance(result, Refused) for result in results) == 3
    with any_db.read() as session:
        assert session.scalar(select(func.count()).select_from(Slot)) == 3 * 8
    results = at_once(
        any_db, *(lambda session: series.extend_all(session, now=now + timedelta(weeks=2)) for _ in range(4))
    )
    assert sorted(results) == [0, 0, 0, 6]


def test_a_booking_while_its_session_is_shortened_is_kept_or_refused(any_db: Database, now: datetime) -> None:
    pattern = rules.Pattern(
        weekdays=frozenset({2}), every_weeks=1, times=(600, 720), ramadan=None, minutes=20, pause=0, capacity=1,
        reserved_urgent=0, first_day=WEDNESDAY, last_day=WEDNESDAY, zone=ZONE,
    )  # fmt: skip
    with any_db.write() as session:
        series_id = series.begin(
            session, pattern, official_id="m", kind="audience", centre_id=None, place_ar="م", place_en="P", by="a",
            now=now,
        ).id  # fmt: skip
        slots = list(session.scalars(select(Slot.id).order_by(Slot.starts_at)))
    from dataclasses import replace

    def shorten(session):  # type: ignore[no-untyped-def]
        series.change(
            session, series_id, replace(pattern, times=(600, 660)), place_ar="م", place_en="P", by="a", now=now
        )

    results = at_once(any_db, shorten, *(booking(slots[3 + n], n, now) for n in range(3)))
    shortened = not isinstance(results[0], Refused)
    with any_db.read() as session:
        check(session)
        booked = list(session.scalars(select(Appointment).where(Appointment.state == BOOKED)))
        assert len(booked) == sum(isinstance(result, Appointment) for result in results)
        assert not (shortened and booked), "who was quicker is never left in a time that went"
        assert service.open_slots(session, now=now)
