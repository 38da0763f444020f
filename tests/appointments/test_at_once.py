"""Two change what is offered at the same moment: the second waits, and then goes by what the first has left."""

import time as clock
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.db import Database
from core.workdays.models import Holiday
from core.workdays.week import Hours
from queueing.appointments import resources
from queueing.appointments.models import Slot
from queueing.appointments.series import service as series
from queueing.appointments.series.models import Series
from queueing.appointments.series.rules import Pattern
from reception.rearranging import hours, service

ZONE = "Asia/Riyadh"
NOW = datetime(2026, 10, 27, 9, 0, tzinfo=UTC)  # a Tuesday
WEDNESDAY, LATER = date(2026, 10, 28), date(2026, 11, 4)
MORNINGS = Pattern(
    weekdays=frozenset({2}), every_weeks=1, times=(600, 720), ramadan=None, minutes=30, pause=0, capacity=1,
    reserved_urgent=0, first_day=WEDNESDAY, last_day=date(2026, 11, 12), zone=ZONE,
)  # fmt: skip
SHORT: Hours = {day: [[8 * 60, 11 * 60]] for day in ("6", "0", "1", "2", "3")}
Act = Callable[[Session], object]
postgresql = pytest.mark.parametrize("any_db", ["postgresql"], indirect=True)  # SQLite has one writer at a time
PLACE = {"place_ar": "م", "place_en": "P", "by": "aide", "now": NOW}


def begin(session: Session, pattern: Pattern = MORNINGS, official: str = "minister") -> Series:
    return series.begin(session, pattern, official_id=official, kind="audience", centre_id=None, **PLACE)  # type: ignore[arg-type]


def the_session(session: Session) -> str:
    return session.scalars(select(Series.id)).one()


def offered(session: Session) -> list[str]:
    return sorted(session.scalars(select(Slot.wall_start).where(Slot.state == "open")))


def at_once(db: Database, first: Act, second: Act) -> None:
    """`second` begins when `first` has done all but commit, and goes as far as it can before that."""
    with ThreadPoolExecutor(1) as other:

        def act() -> None:
            with db.write() as session:
                second(session)

        with db.write() as session:
            first(session)
            session.flush()
            begun = other.submit(act)
            until_it_waits(db, begun)
        begun.result(timeout=60)


def until_it_waits(db: Database, begun: Future[None]) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(3000):
        with db.read() as session:
            if begun.done() or session.scalar(waiting):
                return
        clock.sleep(0.01)
    raise AssertionError("it neither ends nor waits")


def withdraw(session: Session) -> None:
    holiday = session.scalars(select(Holiday)).one()
    service.withdraw(session, holiday.id, zone=ZONE, now=NOW)


def end(session: Session) -> None:
    series.end(session, the_session(session), date(2026, 10, 27), by="aide", now=NOW)


def none_that_day(session: Session) -> None:
    series.except_on(session, the_session(session), LATER, None, reason="r", by="aide", now=NOW)


def on_thursdays(session: Session) -> None:
    series.change(session, the_session(session), replace(MORNINGS, weekdays=frozenset({3})), **PLACE)  # type: ignore[arg-type]


def shorter(session: Session) -> None:
    hours.set_hours(session, SHORT, zone=ZONE, now=NOW)


def longer(session: Session) -> None:
    hours.set_hours(session, {day: [[8 * 60, 16 * 60]] for day in SHORT}, zone=ZONE, now=NOW)


@postgresql
@pytest.mark.parametrize("change", [end, none_that_day, on_thursdays])
@pytest.mark.parametrize("again", [withdraw, longer])
def test_what_a_session_offers_no_more_is_not_offered_again(any_db: Database, change: Act, again: Act) -> None:
    """A holiday lies on its day, or its hours are about to be longer, while the session is changed."""
    with any_db.write() as session:
        service.declare(
            session, first_day=LATER, last_day=LATER, name_ar="ع", name_en="H", kind="other", zone=ZONE, now=NOW
        )
        begin(session)
    at_once(any_db, change, again)
    with any_db.read() as session:
        assert not [one for one in offered(session) if one.startswith(LATER.isoformat())]
        assert len(offered(session)) == {end: 0, none_that_day: 8, on_thursdays: 12}[change]


@postgresql
@pytest.mark.parametrize("change", [begin, on_thursdays])
def test_who_makes_times_goes_by_the_hours_that_were_set_meanwhile(any_db: Database, change: Act) -> None:
    with any_db.write() as session:
        begin(session, official="deputy")
    at_once(any_db, shorter, change)
    with any_db.read() as session:
        assert {one[11:] for one in offered(session)} == {"10:00", "10:30"}


@postgresql
def test_other_hours_and_a_move_to_an_earlier_day_never_wait_for_each_other(any_db: Database) -> None:
    """Whoever holds a Wednesday and wants the Thursday after it meets hours that have the Thursday and refill both."""
    with any_db.write() as session:
        begin(session)
        begin(session, replace(MORNINGS, weekdays=frozenset({3}), times=(780, 900)), official="deputy")
    begun: list[Future[None]] = []

    def held_in_order(session: Session) -> None:
        resources.lock(session, [date(2026, 10, 28)])

        def act() -> None:
            with any_db.write() as other:
                hours.set_hours(other, {day: [[480, 840]] for day in SHORT}, zone=ZONE, now=NOW)

        begun.append(pool.submit(act))
        until_it_waits(any_db, begun[0])
        resources.lock(session, [date(2026, 10, 29)])

    with ThreadPoolExecutor(1) as pool:
        with any_db.write() as session:
            held_in_order(session)
        begun[0].result(timeout=60)
    with any_db.read() as session:
        assert {one[11:] for one in offered(session)} == {
            "10:00", "10:30", "11:00", "11:30", "13:00", "13:30"
        }  # fmt: skip
