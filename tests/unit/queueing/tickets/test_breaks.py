"""A clerk goes for a while: nobody is called there, nobody waits for it in vain, and everybody knows until when."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Mistake, Refused
from core.events import OutboxEvent
from queueing.tickets import places, queries, service
from queueing.tickets.forecast import forecast
from tests.unit.queueing.tickets.hall import CENTRE, NOON, Hall, build, minutes
from tests.unit.queueing.tickets.test_forecast import BUSY, FREE
from tests.unit.queueing.tickets.test_forecast import hall as foreseen
from tests.unit.queueing.tickets.test_rules import waiting


@pytest.fixture
def hall(session: Session) -> Hall:
    return build(session)


def away(session: Session, hall: Hall, *, until: float = 30) -> None:
    service.take_break(session, hall.first.id, "clerk-1", back_at=NOON + minutes(until), now=NOON)


def test_nobody_is_called_to_a_counter_on_a_break_until_its_clerk_is_back(session: Session, hall: Hall) -> None:
    hall.take(session)
    away(session, hall)
    for at in (0, 31):
        with pytest.raises(Refused, match="on a break"):
            hall.next(session, now=NOON + minutes(at))
    assert [c.number for c in queries.open_counters(session, CENTRE)] == [2]
    assert [c.number for c in queries.paused_counters(session, CENTRE)] == [1]
    service.come_back(session, hall.first.id, now=NOON + minutes(12))
    service.come_back(session, hall.first.id, now=NOON + minutes(12))
    assert hall.next(session, now=NOON + minutes(12)) is not None
    names = session.scalars(select(OutboxEvent.name)).all()
    assert sum(name.endswith("CounterPaused") for name in names) == 1
    assert sum(name.endswith("CounterReturned") for name in names) == 1, "the second press changed nothing"


def test_a_visitor_at_the_counter_comes_before_the_break(session: Session, hall: Hall) -> None:
    hall.take(session)
    hall.next(session)
    with pytest.raises(Refused, match="still has"):
        away(session, hall)


@pytest.mark.parametrize("until", [0, -5, 181])
def test_a_break_ends_within_three_hours_and_not_in_the_past(session: Session, hall: Hall, until: float) -> None:
    with pytest.raises(Mistake, match="three hours"):
        away(session, hall, until=until)
    assert hall.first.back_at is None


def test_a_break_is_the_clerks_own_and_its_end_may_be_said_anew(session: Session, hall: Hall) -> None:
    with pytest.raises(Refused):
        service.take_break(session, hall.first.id, "clerk-2", back_at=NOON + minutes(5), now=NOON)
    away(session, hall)
    away(session, hall, until=45)
    assert hall.first.back_at == NOON + minutes(45)
    with pytest.raises(Refused):
        service.take_break(session, hall.first.id, "clerk-2", back_at=NOON + minutes(5), now=NOON)


def test_closing_and_opening_end_a_break(session: Session, hall: Hall) -> None:
    away(session, hall)
    service.close_counter(session, hall.first.id, now=NOON)
    assert (hall.first.open, hall.first.back_at) == (False, None)
    service.open_counter(session, hall.first.id, "clerk-1", now=NOON)
    away(session, hall)
    service.open_counter(session, hall.first.id, "clerk-1", now=NOON)
    assert (hall.first.open, hall.first.back_at) == (True, None)


def test_nobody_waits_for_the_language_of_a_counter_that_is_away(session: Session, hall: Hall) -> None:
    """The second one speaks English: while it is there the first leaves English visitors to it."""
    hall.take(session, language="en")
    assert hall.next(session) is None
    service.take_break(session, hall.second.id, "clerk-2", back_at=NOON + minutes(60), now=NOON)
    assert hall.next(session) is not None


def test_the_wait_is_counted_from_the_return_that_was_said(session: Session, hall: Hall) -> None:
    service.close_counter(session, hall.second.id, now=NOON)
    ticket = hall.take(session)
    assert service.place_in_line(session, ticket, now=NOON) == (1, 0, 2)
    away(session, hall, until=20)
    place = service.place_in_line(session, ticket, now=NOON)
    assert (place.low, place.high) == (20, 22)
    assert queries.is_served(session, CENTRE, ticket.candidate(), now=NOON), "it is not as if nobody came"
    assert places.back_at(session, CENTRE, hall.new) == NOON + minutes(20)
    assert places.back_at(session, CENTRE, hall.ask, section="family") == NOON + minutes(20)
    late = service.place_in_line(session, ticket, now=NOON + minutes(25))
    assert (late.low, late.high) == (0, 2), "who is late is expected any moment"
    service.open_counter(session, hall.second.id, "clerk-2", now=NOON)
    assert places.back_at(session, CENTRE, hall.new) is None, "another one is there"


def test_a_break_lengthens_the_waits_of_the_line() -> None:
    line = [waiting(f"A{n}", 30 - n) for n in range(6)]
    two = (BUSY, replace(FREE, desk=replace(FREE.desk, id="2")))
    gone = (BUSY, replace(two[1], back=NOON + timedelta(minutes=30)))
    there, without = (forecast(foreseen(*line, seats=seats), now=NOON)["A5"] for seats in (two, gone))
    assert without.low > there.low and without.high > there.high
    alone = forecast(foreseen(*line, seats=(BUSY,)), now=NOON)["A5"]
    assert without.high < alone.high, "it is not as if the counter had closed"
