"""Many people press at the same moment, on both databases: each place, official and hall is given once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time
from threading import Barrier
from time import monotonic, sleep

import pytest
from sqlalchemy import func, select, text

from core.db import Database
from core.errors import Refused
from core.staff.models import Staff, StaffRole
from core.staff.rules import INTERPRETER
from queueing.appointments import calendar, resources, service
from queueing.appointments.models import Appointment, CalendarDay, Claim, Slot
from queueing.appointments.states import BOOKED, LIVE
from tests.conftest import attendant

PEOPLE = 12


def offer(db: Database, now: datetime, official: str, centre: str | None, **more: object) -> list[str]:
    with db.write() as session:
        if centre and session.get(Staff, f"attendant.{centre}") is None:
            session.add(attendant(centre))
        wishes = {"kind": "video", "minutes": 20, "start": time(10), "end": time(11), "day": date(2026, 10, 28), **more}
        slots = calendar.add_session(
            session, official_id=official, centre_id=centre, place_ar="م", place_en="P", zone="Asia/Riyadh", now=now,
            **wishes,  # type: ignore[arg-type]
        )  # fmt: skip
        return [slot.id for slot in slots]


def at_once(db: Database, *acts: Callable[..., object]) -> list[object]:
    """Every act in its own thread and transaction, all let go together; what each came to."""
    ready = Barrier(len(acts))

    def run(act: Callable[..., object]) -> object:
        ready.wait(timeout=30)
        try:
            with db.write() as session:
                return act(session)
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def booking(slot_id: str, n: int, now: datetime, **more: object) -> Callable[..., object]:
    wishes = {"visitor_id": f"v{n}", "petition_id": f"p{n}", **more}
    return lambda session: service.book(session, slot_id=slot_id, by="aide", now=now, **wishes)


def won(results: list[object]) -> list[Appointment]:
    return [result for result in results if isinstance(result, Appointment)]


def test_one_place_and_many_who_want_it(any_db: Database, now: datetime) -> None:
    slot_id = offer(any_db, now, "minister", "riyadh")[0]
    results = at_once(any_db, *(booking(slot_id, n, now) for n in range(PEOPLE)))
    assert len(won(results)) == 1
    with any_db.read() as session:
        assert session.get(Slot, slot_id).taken == 1  # type: ignore[union-attr]
        assert session.scalar(select(func.count()).select_from(Appointment)) == 1


def test_an_audience_for_five_takes_five_of_twelve(any_db: Database, now: datetime) -> None:
    slot_id = offer(any_db, now, "minister", None, kind="audience", capacity=5)[0]
    results = at_once(any_db, *(booking(slot_id, n, now) for n in range(PEOPLE)))
    assert len(won(results)) == 5


def test_overlapping_slots_of_one_hall_and_of_one_official(any_db: Database, now: datetime) -> None:
    """Three slots that exclude each other through different resources: the hall here, the official there."""
    rivals = [
        offer(any_db, now, "minister", "riyadh")[0],
        offer(any_db, now, "minister", "jeddah", minutes=30)[0],
        offer(any_db, now, "deputy", "riyadh", minutes=25)[0],
    ]
    results = at_once(any_db, *(booking(rivals[n % 3], n, now) for n in range(PEOPLE)))
    taken = {row.slot_id for row in won(results)}
    assert taken == {rivals[0]} or taken <= {rivals[1], rivals[2]}
    assert len(taken) == len(won(results))


def test_a_double_click_books_once(any_db: Database, now: datetime) -> None:
    """The same petition on different days: no lock is shared, and still one of them stands."""
    days = [offer(any_db, now, f"official {n}", None, kind="audience", day=date(2026, 11, n))[0] for n in (2, 3, 4, 5)]
    results = at_once(any_db, *(booking(slot_id, 1, now) for slot_id in days for _ in range(3)))
    assert len(won(results)) == 1
    with any_db.read() as session:
        live = select(func.count()).select_from(Appointment).where(Appointment.state.in_(LIVE))
        assert session.scalar(live) == 1
        assert set(session.scalars(select(Slot.taken).where(Slot.id.in_(days)))) == {0, 1}


def test_one_interpreter_is_not_promised_twice(any_db: Database, now: datetime) -> None:
    with any_db.write() as session:
        session.add(
            Staff(
                id="i",
                username="i",
                password_hash="-",
                name_ar="م",
                name_en="I",
                role_rows=[StaffRole(role=INTERPRETER)],
            )
        )
    slots = [offer(any_db, now, f"official {n}", f"centre {n}")[0] for n in range(4)]
    results = at_once(any_db, *(booking(slots[n], n, now, needs_interpreter=True) for n in range(4)))
    assert len(won(results)) == 1


def test_two_holds_for_one_place_are_not_both_confirmed(any_db: Database, now: datetime) -> None:
    slot_id = offer(any_db, now, "minister", "riyadh")[0]

    def hold_and_confirm(n: int) -> Callable[..., object]:
        def act(session: object) -> object:
            held = service.hold(
                session,
                slot_id=slot_id,
                visitor_id=f"v{n}",
                petition_id=f"p{n}",
                by="aide",
                now=now,  # type: ignore[arg-type]
            )
            return service.confirm(session, held.id, by="aide", now=now)  # type: ignore[arg-type]

        return act

    assert len(won(at_once(any_db, *(hold_and_confirm(n) for n in range(PEOPLE))))) == 1


def test_visitors_swap_times_crosswise_without_waiting_for_ever(any_db: Database, now: datetime) -> None:
    """Moves in both directions between two days: locks are taken in order of date, so nobody waits in a ring."""
    monday, tuesday = (
        offer(any_db, now, "minister", None, kind="audience", capacity=20, day=date(2026, 11, n))[0] for n in (2, 3)
    )
    with any_db.write() as session:
        rows = [
            service.book(
                session, slot_id=(monday, tuesday)[n % 2], visitor_id=f"v{n}", petition_id=f"p{n}", by="a", now=now
            )
            for n in range(PEOPLE)
        ]
    moves = [
        (lambda session, row=row: service.reschedule(
            session, row.id, slot_id=tuesday if row.slot_id == monday else monday, by="aide", now=now
        ))
        for row in rows
    ]  # fmt: skip
    assert len(won(at_once(any_db, *moves))) == PEOPLE
    with any_db.read() as session:
        assert [session.get(Slot, slot_id).taken for slot_id in (monday, tuesday)] == [PEOPLE // 2] * 2  # type: ignore[union-attr]
        owners = set(session.scalars(select(Claim.owner_id)))
        booked = session.scalars(select(Appointment).where(Appointment.state == BOOKED))
        assert {row.id for row in booked} | {monday, tuesday} == owners


def waiting(db: Database) -> int:
    """How many wait for a lock on PostgreSQL. In a transaction of its own: within one the server answers alike."""
    with db.read() as session:
        count = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return int(session.scalar(text(count)) or 0)


@pytest.mark.parametrize("any_db", ["postgresql"], indirect=True)  # on SQLite one writes at a time
def test_a_day_that_nobody_has_used_is_not_made_while_an_earlier_one_is_waited_for(any_db: Database) -> None:
    earlier, later = date(2026, 10, 28), date(2026, 10, 30)
    with any_db.write() as session:
        resources.lock(session, [earlier])

    def wants_both() -> None:
        with any_db.write() as session:
            resources.lock(session, [earlier, later])

    with ThreadPoolExecutor(1) as pool:
        with any_db.write() as session:
            resources.lock(session, [earlier])
            other = pool.submit(wants_both)
            until = monotonic() + 30
            while not waiting(any_db):
                assert monotonic() < until, "the other one waits"
                sleep(0.01)
            resources.lock(session, [later])
        other.result(timeout=30)


def test_each_day_is_locked_new_or_not(any_db: Database) -> None:
    days = [date(2026, 10, n) for n in (30, 28, 29)]
    for more in (days[:2], days):
        with any_db.write() as session:
            resources.lock(session, more)
            if any_db.engine.dialect.name == "postgresql":
                with any_db.write() as other:
                    free = select(CalendarDay.day).with_for_update(skip_locked=True)
                    assert set(other.scalars(free)).isdisjoint(more)
    with any_db.read() as session:
        assert set(session.scalars(select(CalendarDay.day))) == set(days)
