from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refused
from core.events import OutboxEvent
from queueing.tickets import queries, service, states
from queueing.tickets.models import Ticket, TicketPeriod
from tests.unit.queueing.tickets.hall import CENTRE, NOON, Hall, build, minutes

SOON = NOON + timedelta(seconds=20)


@pytest.fixture
def hall(session: Session) -> Hall:
    return build(session)


def at_first(session: Session, hall: Hall, *, started: bool = True) -> Ticket:
    ticket = hall.take(session, now=NOON - minutes(9))
    hall.next(session, now=NOON - minutes(5))
    if started:
        service.start(session, ticket.id, now=NOON - minutes(4), counter_id=hall.first.id)
    return ticket


def undo(session: Session, hall: Hall, who: str = "clerk-1", **when: object) -> Ticket:
    return service.undo(session, hall.first.id, who, now=when.get("now", SOON))


def test_a_call_taken_back_leaves_the_board_and_the_rank_as_they_were(session: Session, hall: Hall) -> None:
    ticket = hall.take(session, now=NOON - minutes(5))
    hall.next(session)
    assert queries.board(session, CENTRE, now=SOON)
    offered = service.undoable(session, hall.first.id, "clerk-1", now=SOON)
    assert offered and (offered.verb, offered.label) == ("call", "A1")
    assert undo(session, hall) is ticket
    assert (ticket.state, ticket.counter_id, ticket.called_at, ticket.first_called_at) == ("waiting", None, None, None)
    assert queries.board(session, CENTRE, now=SOON) == []
    (told,) = [row for row in session.scalars(select(OutboxEvent)) if row.name.endswith("TicketUndone")]
    assert (told.payload["verb"], told.payload["counter_id"]) == ("call", hall.first.id)
    verbs = session.scalars(select(TicketPeriod.verb).order_by(TicketPeriod.from_at)).all()
    assert verbs == ["issue", "call", "undo"]  # what happened stays on record
    assert hall.next(session, now=SOON) is ticket


def test_finish_and_call_next_is_taken_back_as_one_press(session: Session, hall: Hall) -> None:
    first, second = at_first(session, hall), hall.take(session)
    assert service.call_next(session, hall.first.id, "clerk-1", finish=first.id, now=NOON) is second
    offered = service.undoable(session, hall.first.id, "clerk-1", now=SOON)
    assert offered and (offered.verb, offered.label) == ("finish", first.label)
    assert undo(session, hall) is first
    assert (first.state, second.state) == (states.SERVING, states.WAITING)
    assert queries.current(session, hall.first.id) is first


def test_presses_are_taken_back_one_by_one(session: Session, hall: Hall) -> None:
    ticket = hall.take(session, now=NOON - minutes(5))
    hall.next(session)
    service.start(session, ticket.id, now=NOON + timedelta(seconds=5), counter_id=hall.first.id)
    assert undo(session, hall).state == states.CALLED
    assert undo(session, hall).state == states.WAITING
    with pytest.raises(Refused, match="nothing to take back"):
        undo(session, hall)


def test_after_half_a_minute_it_stands(session: Session, hall: Hall) -> None:
    ticket = at_first(session, hall)
    service.finish(session, ticket.id, now=NOON, counter_id=hall.first.id)
    late = NOON + timedelta(seconds=31)
    assert service.undoable(session, hall.first.id, "clerk-1", now=late) is None
    with pytest.raises(Refused, match="half a minute"):
        undo(session, hall, now=late)
    assert ticket.state == states.FINISHED


def test_a_colleague_takes_nothing_back(session: Session, hall: Hall) -> None:
    ticket = at_first(session, hall)
    service.finish(session, ticket.id, now=NOON, counter_id=hall.first.id)
    with pytest.raises(Refused, match="colleague"):
        undo(session, hall, "clerk-2")
    service.close_counter(session, hall.second.id, now=SOON)
    service.close_counter(session, hall.first.id, now=SOON)
    service.open_counter(session, hall.first.id, "clerk-2", now=SOON)
    assert service.undoable(session, hall.first.id, "clerk-2", now=SOON) is None
    with pytest.raises(Refused, match="Only the person who pressed"):
        undo(session, hall, "clerk-2")


def test_what_somebody_else_has_gone_on_with_stands(session: Session, hall: Hall) -> None:
    ticket = at_first(session, hall)
    service.transfer(session, ticket.id, hall.ask.id, now=NOON, counter_id=hall.first.id)
    assert hall.next(session, hall.second, now=NOON + timedelta(seconds=5)) is ticket
    assert service.undoable(session, hall.first.id, "clerk-1", now=SOON) is None
    with pytest.raises(Refused, match="A1 has moved on"):
        undo(session, hall)
    assert queries.current(session, hall.second.id) is ticket


def test_nobody_is_pushed_from_the_counter_by_an_undo(session: Session, hall: Hall) -> None:
    """The clerk has parked one visitor and gone on with another parked one: two can't stand there."""
    parked, ticket = at_first(session, hall), None
    service.park(session, parked.id, reason="papers", now=NOON - minutes(1), counter_id=hall.first.id)
    ticket = hall.take(session, now=NOON)
    hall.next(session)
    service.start(session, ticket.id, now=NOON, counter_id=hall.first.id)
    service.park(session, ticket.id, reason="rest", now=NOON, counter_id=hall.first.id)
    service.resume(session, parked.id, hall.first.id, "clerk-1", now=NOON)
    assert undo(session, hall) is parked and parked.state == states.PARKED
    assert undo(session, hall) is ticket and ticket.state == states.SERVING
    assert queries.current(session, hall.first.id) is ticket


def test_a_forward_taken_back_restores_line_rank_and_stage(session: Session, hall: Hall) -> None:
    ticket = at_first(session, hall)
    before = (ticket.service_point_id, ticket.ranked_from, ticket.stage, ticket.called_at)
    service.forward(session, ticket.id, hall.ask.id, now=NOON, counter_id=hall.first.id)
    undo(session, hall)
    assert (ticket.service_point_id, ticket.ranked_from, ticket.stage, ticket.called_at) == before
    assert ticket.state == states.SERVING and ticket.service_point.id == hall.new.id


def test_a_taken_back_finish_counts_as_no_service(session: Session, hall: Hall) -> None:
    ticket = at_first(session, hall)
    service.finish(session, ticket.id, now=NOON, counter_id=hall.first.id)
    undo(session, hall)
    assert queries.recent_service_times(session, CENTRE, hall.new.id, now=SOON) == []
    service.finish(session, ticket.id, now=NOON + minutes(5), counter_id=hall.first.id)
    (spent,) = queries.recent_service_times(session, CENTRE, hall.new.id, now=NOON + minutes(6))
    assert spent == pytest.approx(10 - 20 / 60)


def test_a_clerk_takes_back_a_cancelled_turn_of_the_line(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    service.cancel(session, ticket.id, now=NOON, by="clerk-1")
    assert undo(session, hall).state == states.WAITING
    service.cancel(session, ticket.id, now=SOON)  # the visitor's own doing is no press of a counter
    with pytest.raises(Refused, match="nothing to take back"):
        undo(session, hall)
