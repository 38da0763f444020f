from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Mistake, NotFound, Refused
from core.events import OutboxEvent
from queueing.tickets import queries, rules, service, states
from queueing.tickets.models import CallLog, Ticket, TicketPeriod
from tests.unit.queueing.tickets.hall import CENTRE, NOON, ZONE, Hall, build, minutes


@pytest.fixture
def hall(session: Session) -> Hall:
    return build(session)


def events_of(session: Session, ticket: Ticket) -> list[str]:
    rows = session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))
    return [row.name.rpartition(".")[2] for row in rows if row.payload.get("ticket_id") == ticket.id]


def test_numbers_begin_with_the_services_letter_and_count_from_one(session: Session, hall: Hall) -> None:
    labels = [hall.take(session).label, hall.take(session).label]
    labels.append(hall.take(session, service_point_id=hall.ask.id).label)
    assert labels == ["A1", "A2", "B1"]


def test_numbers_restart_at_the_centres_midnight(session: Session, hall: Hall) -> None:
    before = NOON.replace(hour=20, minute=59)  # 23:59 in Riyadh
    assert hall.take(session, now=before).label == "A1"
    assert hall.take(session, now=before + minutes(2)).label == "A1"


def test_nobody_is_called_from_yesterdays_line(session: Session, hall: Hall) -> None:
    hall.take(session)
    assert hall.next(session, now=NOON + timedelta(days=1)) is None


def test_a_day_that_is_over_is_closed(session: Session, hall: Hall) -> None:
    waiting, served = hall.take(session), hall.take(session)
    hall.next(session)
    hall.next(session, hall.second)
    service.start(session, served.id, now=NOON)
    service.put_back(session, waiting.id, now=NOON)
    assert service.close_day(session, now=NOON + minutes(30)) == 0
    assert service.close_day(session, now=NOON + timedelta(days=1)) == 2
    assert (waiting.state, served.state) == (states.CANCELLED, states.FINISHED)


def test_a_service_is_offered_only_in_its_sections(session: Session, hall: Hall) -> None:
    with pytest.raises(Mistake):
        hall.take(session, service_point_id=hall.ask.id, section="family")
    with pytest.raises(Mistake):
        hall.take(session, service_point_id="nowhere")
    with pytest.raises(Mistake):
        hall.take(session, visitor_class="minister's cousin")


def test_a_visit_from_the_kiosk_to_the_end(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    called = hall.next(session, now=NOON + minutes(4))
    assert called is ticket and ticket.counter_id == hall.first.id
    service.start(session, ticket.id, now=NOON + minutes(5))
    service.finish(session, ticket.id, now=NOON + minutes(12))
    assert events_of(session, ticket) == ["TicketIssued", "TicketCalled", "TicketStarted", "TicketFinished"]
    periods = session.scalars(
        select(TicketPeriod).where(TicketPeriod.ticket_id == ticket.id).order_by(TicketPeriod.from_at)
    ).all()
    assert [(p.state, p.to_at and (p.to_at - p.from_at) / minutes(1)) for p in periods] == [
        ("waiting", 4), ("called", 1), ("serving", 7), ("finished", None),
    ]  # fmt: skip
    assert queries.recent_service_times(session, CENTRE, hall.new.id, now=NOON + minutes(13)) == [8]


def test_the_call_keeps_why_this_one_came_before_that_one(session: Session, hall: Hall) -> None:
    regular = hall.take(session, now=NOON - minutes(15))
    disabled = hall.take(session, now=NOON - minutes(10), visitor_class=rules.DISABLED)
    assert hall.next(session) is disabled
    (because,) = queries.why_called(session, disabled)
    assert (because.code, because.than) == (rules.FASTER_RATE, regular.label)
    reasons = session.scalars(select(CallLog.reasons).where(CallLog.ticket_id == disabled.id)).one()
    assert rules.replay(rules.Reasons.from_json(reasons)) == disabled.id


def test_a_counter_holds_one_visitor_at_a_time(session: Session, hall: Hall) -> None:
    hall.take(session)
    hall.take(session)
    hall.next(session)
    with pytest.raises(Refused, match="still has A1"):
        hall.next(session)


def test_a_closed_counter_and_a_colleagues_counter_call_nobody(session: Session, hall: Hall) -> None:
    hall.take(session)
    with pytest.raises(Refused, match="colleague"):
        service.call_next(session, hall.first.id, "clerk-2", now=NOON)
    service.close_counter(session, hall.first.id, now=NOON)
    with pytest.raises(Refused, match="closed"):
        service.call_next(session, hall.first.id, "clerk-1", now=NOON)
    with pytest.raises(NotFound):
        service.call_next(session, "no-counter", "clerk-1", now=NOON)


def test_a_clerk_who_sits_down_elsewhere_leaves_the_first_counter(session: Session, hall: Hall) -> None:
    service.close_counter(session, hall.second.id, now=NOON)
    service.open_counter(session, hall.second.id, "clerk-1", now=NOON)
    assert (hall.first.open, hall.first.staff_id) == (False, None)
    assert queries.counter_of_staff(session, "clerk-1") is hall.second


def test_a_taken_counter_is_not_opened_by_another(session: Session, hall: Hall) -> None:
    with pytest.raises(Refused, match="colleague"):
        service.open_counter(session, hall.first.id, "clerk-2", now=NOON)
    assert hall.second.open


def test_a_counter_with_a_visitor_is_not_closed(session: Session, hall: Hall) -> None:
    hall.take(session)
    hall.next(session)
    with pytest.raises(Refused):
        service.close_counter(session, hall.first.id, now=NOON)


def test_a_recall_gives_the_visitor_a_moment_between(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    hall.next(session)
    with pytest.raises(Refused):
        service.recall(session, ticket.id, now=NOON + timedelta(seconds=5))
    service.recall(session, ticket.id, now=NOON + timedelta(seconds=15))
    assert ticket.recalls == 1 and ticket.state == states.CALLED
    assert events_of(session, ticket)[-1] == "TicketRecalled"


def test_an_absence_waits_for_its_rule(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    hall.next(session)
    with pytest.raises(Refused):
        service.no_show(session, ticket.id, now=NOON + minutes(1))
    service.no_show(session, ticket.id, now=NOON + minutes(3))
    assert ticket.state == states.NO_SHOW


def test_a_late_visitor_is_taken_back_with_the_old_rank(session: Session, hall: Hall) -> None:
    late = hall.take(session, now=NOON - minutes(20))
    hall.next(session, now=NOON - minutes(10))
    service.no_show(session, late.id, now=NOON - minutes(5))
    hall.take(session, now=NOON - minutes(15))
    service.put_back(session, late.id, now=NOON)
    assert hall.next(session) is late


def test_a_parked_visitor_frees_the_counter_and_goes_on_at_any_other(session: Session, hall: Hall) -> None:
    first, second = hall.take(session), hall.take(session)
    hall.next(session)
    service.park(session, first.id, reason="papers", now=NOON)
    assert hall.next(session) is second
    assert [(t.label, p.reason) for t, p in queries.parked(session, CENTRE, now=NOON)] == [("A1", "papers")]
    service.resume(session, first.id, hall.second.id, "clerk-2", now=NOON)
    assert (first.state, first.counter_id) == (states.SERVING, hall.second.id)


def test_parking_needs_a_reason_from_the_list(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    hall.next(session)
    with pytest.raises(Mistake):
        service.park(session, ticket.id, reason="because", now=NOON)


def test_a_busy_counter_resumes_nobody(session: Session, hall: Hall) -> None:
    parked = hall.take(session)
    hall.take(session)
    hall.next(session)
    service.park(session, parked.id, reason="papers", now=NOON)
    hall.next(session)
    with pytest.raises(Refused):
        service.resume(session, parked.id, hall.first.id, "clerk-1", now=NOON)


def test_a_transfer_keeps_label_and_rank(session: Session, hall: Hall) -> None:
    moved = hall.take(session, now=NOON - minutes(20))
    hall.take(session, now=NOON - minutes(10), service_point_id=hall.ask.id)
    hall.next(session, now=NOON - minutes(1))
    service.transfer(session, moved.id, hall.ask.id, now=NOON)
    assert (moved.state, moved.label, moved.service_point.letter) == (states.WAITING, "A1", "B")
    assert hall.next(session) is moved
    with pytest.raises(Mistake):
        service.transfer(session, moved.id, hall.ask.id, now=NOON)


def test_a_finish_by_a_slip_is_undone_within_ten_minutes(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    hall.next(session)
    service.start(session, ticket.id, now=NOON)
    service.finish(session, ticket.id, now=NOON)
    service.reopen(session, ticket.id, now=NOON + minutes(9))
    assert ticket.state == states.SERVING
    service.finish(session, ticket.id, now=NOON + minutes(10))
    with pytest.raises(Refused, match="too long ago"):
        service.reopen(session, ticket.id, now=NOON + minutes(21))


def test_a_clerk_acts_only_on_the_visitor_at_the_own_counter(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    hall.next(session)
    with pytest.raises(Refused, match="not at this counter"):
        service.start(session, ticket.id, now=NOON, counter_id=hall.second.id)


def test_a_checked_in_appointment_is_called_at_its_time_not_before(session: Session, hall: Hall) -> None:
    booked = hall.take(session, appointment_at=NOON + minutes(30), appointment_id="appointment-1")
    walk_in = hall.take(session, now=NOON + minutes(5))
    assert hall.next(session, now=NOON + minutes(20)) is walk_in
    assert hall.next(session, hall.second, now=NOON + minutes(29)) is None
    assert hall.next(session, hall.second, now=NOON + minutes(30)) is booked


def test_places_are_told_among_those_who_compete_for_the_same_counters(session: Session, hall: Hall) -> None:
    service.close_counter(session, hall.second.id, now=NOON)
    hall.take(session, now=NOON - minutes(9))
    hall.next(session)
    tickets = [hall.take(session, now=NOON - minutes(5 - n)) for n in range(3)]
    places = [service.place_in_line(session, t, now=NOON) for t in tickets]
    assert [p.position for p in places] == [1, 2, 3]
    assert places[0].high < places[2].high
    assert service.place_in_line(session, hall.take(session, urgent=True), now=NOON).position == 1


def test_the_wait_for_an_appointment_is_at_least_until_its_time(session: Session, hall: Hall) -> None:
    booked = hall.take(session, appointment_at=NOON + minutes(40))
    place = service.place_in_line(session, booked, now=NOON)
    assert place.low >= 40 and place.high > place.low


def test_the_board_shows_the_newest_call_first_and_changes_with_a_recall(session: Session, hall: Hall) -> None:
    first, second = hall.take(session), hall.take(session)
    hall.next(session, now=NOON)
    hall.next(session, hall.second, now=NOON + minutes(1))
    board = service.board(session, CENTRE, now=NOON + minutes(1))
    assert [(c.label, c.counter_number) for c in board] == [("A2", 2), ("A1", 1)]
    service.recall(session, first.id, now=NOON + minutes(2))
    again = service.board(session, CENTRE, now=NOON + minutes(2))
    assert [c.label for c in again] == [first.label, second.label]
    assert again[0].log_id not in {c.log_id for c in board}


def test_a_call_undone_leaves_the_board(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    hall.next(session)
    service.put_back(session, ticket.id, now=NOON)
    assert service.board(session, CENTRE, now=NOON) == []


def test_the_day_is_told_in_numbers(session: Session, hall: Hall) -> None:
    for n in range(3):
        service.tell_wait(session, hall.take(session, now=NOON + minutes(n)), now=NOON + minutes(n))
    for at in (4, 20):
        ticket = hall.next(session, now=NOON + minutes(at))
        assert ticket
        service.start(session, ticket.id, now=NOON + minutes(at))
        service.finish(session, ticket.id, now=NOON + minutes(at + 5))
    numbers = queries.day(session, CENTRE, now=NOON + minutes(30))
    assert (numbers.issued, numbers.waiting, numbers.served) == (3, 1, 2)
    assert numbers.median_wait == pytest.approx((4 + 19) / 2)
    assert numbers.longest_waiting == pytest.approx(28)
    assert (ticket.promised_low, ticket.promised_high, numbers.promise_kept) == (0, 2, 0.0)


def test_an_empty_day_has_numbers_too(session: Session, hall: Hall) -> None:
    numbers = queries.day(session, CENTRE, now=NOON)
    assert (numbers.waiting, numbers.median_wait, numbers.promise_kept) == (0, None, None)


def test_a_kiosk_asks_for_a_human_once_until_somebody_comes(session: Session, hall: Hall) -> None:
    first = service.ask_for_help(session, CENTRE, now=NOON)
    assert service.ask_for_help(session, CENTRE, now=NOON) is first
    service.answer_help(session, CENTRE, "clerk-1", now=NOON + minutes(1))
    service.answer_help(session, CENTRE, "clerk-2", now=NOON + minutes(1))
    assert queries.help_wanted(session, CENTRE) is None and first.staff_id == "clerk-1"
    names = [row.name.rpartition(".")[2] for row in session.scalars(select(OutboxEvent))]
    assert (names.count("KioskHelpRequested"), names.count("KioskHelpAnswered")) == (1, 1)


def test_another_centre_knows_nothing_of_this_line(session: Session, hall: Hall) -> None:
    hall.take(session)
    assert service.waiting(session, "centre-2", now=NOON) == []
    assert service.board(session, "centre-2", now=NOON) == []
    with pytest.raises(Mistake):
        service.issue(
            session,
            centre_id="centre-2",
            service_point_id=hall.new.id,
            section="men",
            language="ar",
            now=NOON,
            zone=ZONE,
        )


def test_a_ticket_page_opens_by_its_code_only(session: Session, hall: Hall) -> None:
    ticket = hall.take(session)
    assert queries.ticket_by_code(session, ticket.code.upper()) is ticket
    with pytest.raises(NotFound):
        queries.ticket_by_code(session, ticket.id)
