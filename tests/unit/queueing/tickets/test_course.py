"""One visit through several points on one number."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Mistake, Refused
from queueing.tickets import course, queries, service, states
from queueing.tickets.models import Ticket, TicketNear, TicketPeriod
from tests.unit.queueing.tickets.hall import CENTRE, NOON, Hall, build, minutes


@pytest.fixture
def hall(session: Session) -> Hall:
    return build(session)


def served(session: Session, hall: Hall, *, waited: float, **wishes: object) -> Ticket:
    """Somebody who came at NOON, waited, and stands before the first counter."""
    ticket = hall.take(session, **wishes)
    assert hall.next(session, now=NOON + minutes(waited)) is ticket
    service.start(session, ticket.id, now=NOON + minutes(waited))
    return ticket


def test_the_number_stays_and_the_line_changes(session: Session, hall: Hall) -> None:
    ticket = served(session, hall, waited=10)
    service.forward(session, ticket.id, hall.ask.id, now=NOON + minutes(15), counter_id=hall.first.id)
    assert (ticket.label, ticket.stage, ticket.state) == ("A1", 1, states.WAITING)
    assert ticket.service_point_id == hall.ask.id
    assert queries.board(session, CENTRE, now=NOON + minutes(15)) == []
    assert hall.next(session, now=NOON + minutes(16)) is ticket
    periods = session.scalars(select(TicketPeriod).order_by(TicketPeriod.from_at, TicketPeriod.id)).all()
    assert [(p.verb, p.state) for p in periods if p.verb in ("issue", "forward")] == [
        ("issue", "waiting"), ("forward", "waiting"),
    ]  # fmt: skip


def test_half_of_the_waiting_counts_on_and_being_served_counts_nothing(session: Session, hall: Hall) -> None:
    ticket = served(session, hall, waited=20)
    now = NOON + minutes(50)
    service.forward(session, ticket.id, hall.ask.id, now=now)
    assert ticket.ranked_from == now - minutes(10)
    came_before = hall.take(session, service_point_id=hall.ask.id, now=now - minutes(11))
    came_after = hall.take(session, service_point_id=hall.ask.id, now=now - minutes(9))
    assert [hall.next(session, c, now=now) for c in (hall.first, hall.second)] == [came_before, ticket]
    assert came_after.state == states.WAITING


def test_an_early_appointment_gains_nothing_by_its_earliness_at_the_next_point(session: Session, hall: Hall) -> None:
    ticket = hall.take(session, appointment_id="a1", appointment_at=NOON + minutes(60))
    hall.next(session, now=NOON + minutes(64))
    service.start(session, ticket.id, now=NOON + minutes(64))
    now = NOON + minutes(70)
    service.forward(session, ticket.id, hall.ask.id, now=now)
    assert ticket.ranked_from == now - minutes(2)


def test_a_wrong_line_costs_nothing(session: Session, hall: Hall) -> None:
    ticket = served(session, hall, waited=20)
    service.transfer(session, ticket.id, hall.ask.id, now=NOON + minutes(21))
    assert (ticket.ranked_from, ticket.stage) == (NOON, 0)


def test_only_who_was_served_is_sent_on_and_only_to_a_line_that_takes_them(session: Session, hall: Hall) -> None:
    waiting = hall.take(session)
    with pytest.raises(Refused):
        service.forward(session, waiting.id, hall.ask.id, now=NOON)
    hall.next(session)
    service.start(session, waiting.id, now=NOON)
    with pytest.raises(Mistake, match="already in this line"):
        service.forward(session, waiting.id, hall.new.id, now=NOON)
    waiting.section = "family"
    with pytest.raises(Mistake, match="not offered in this section"):
        service.forward(session, waiting.id, hall.ask.id, now=NOON)


def test_each_point_learns_its_own_service_times(session: Session, hall: Hall) -> None:
    ticket = served(session, hall, waited=1)
    service.forward(session, ticket.id, hall.ask.id, now=NOON + minutes(7))
    hall.next(session, now=NOON + minutes(9))
    service.start(session, ticket.id, now=NOON + minutes(10))
    service.finish(session, ticket.id, now=NOON + minutes(20))
    at = NOON + minutes(21)
    assert queries.recent_service_times(session, CENTRE, hall.new.id, now=at) == [6]
    assert queries.recent_service_times(session, CENTRE, hall.ask.id, now=at) == [11]


def test_no_wait_gives_no_rank_and_no_negative_one() -> None:
    assert course.forwarded_from(waited=minutes(0), now=NOON) == NOON
    assert course.forwarded_from(waited=minutes(-5), now=NOON) == NOON


def test_few_ahead_is_told_once(session: Session, hall: Hall) -> None:
    line = [hall.take(session, now=NOON + minutes(n / 10)) for n in range(8)]
    at = NOON + minutes(5)
    hall.next(session, now=at)
    assert service.tell_near(session, hall.first.id, now=at) == [line[3].id]  # 2 and 3 saw it on their tickets
    assert service.tell_near(session, hall.first.id, now=at) == []
    hall.next(session, hall.second, now=at)
    assert service.tell_near(session, hall.second.id, now=at) == [line[4].id]


def test_at_the_next_point_of_a_visit_it_is_told_anew(session: Session, hall: Hall) -> None:
    ticket = served(session, hall, waited=1)
    for n in range(5):
        hall.take(session, service_point_id=hall.ask.id, now=NOON - minutes(60 + n))
    service.forward(session, ticket.id, hall.ask.id, now=NOON + minutes(2))
    assert session.get(TicketNear, (ticket.id, 0)) is not None
    assert session.get(TicketNear, (ticket.id, 1)) is None
    calls = 0
    while session.get(TicketNear, (ticket.id, 1)) is None:
        calls += 1
        called = hall.next(session, now=NOON + minutes(3))
        assert called
        service.tell_near(session, hall.first.id, now=NOON + minutes(3))
        service.start(session, called.id, now=NOON + minutes(3))
        service.finish(session, called.id, now=NOON + minutes(3))
    assert calls == 3  # of the five before
