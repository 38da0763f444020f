"""Appointments checked in by their code: punctual, early, late, twice, on the wrong day, in the wrong place."""

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Mistake, Refused
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from queueing.appointments import states as appointment_states
from queueing.appointments.models import Appointment
from queueing.tickets import leaving, queries, rules, service
from queueing.tickets.models import Ticket
from reception.visitors import service as visitors
from reception.visits import arrival
from reception.visits import service as visits
from tests.conftest import attendant
from tests.unit.queueing.tickets.hall import CENTRE, ZONE, Hall, build, minutes

BOOKED_ON = datetime.fromisoformat("2026-10-27T09:00+00:00")
AT = datetime.fromisoformat("2026-10-28T07:00+00:00")  # 10:00 in Riyadh


@pytest.fixture
def hall(session: Session) -> Hall:
    made = build(session)
    made.ask.kind, made.ask.kiosk = arrival.VIDEO_POINT, False
    return made


@pytest.fixture
def appointment(session: Session, hall: Hall) -> Appointment:
    visitor = visitors.register(
        session, identity_number="1000000008", name="نورة المثال", phone="0500000001", section="women", now=BOOKED_ON
    )
    session.add(attendant(CENTRE))
    slots = calendar.add_session(
        session, official_id="minister", kind="video", centre_id=CENTRE, place_ar="القاعة", place_en="The hall",
        day=date(2026, 10, 28), start=time(10), end=time(11), minutes=20, zone=ZONE, now=BOOKED_ON,
    )  # fmt: skip
    return appointments.book(
        session, slot_id=slots[0].id, visitor_id=visitor.id, petition_id="p1", by="aide", now=BOOKED_ON
    )


def come(session: Session, code: str, *, now: datetime, centre: str = CENTRE) -> arrival.Arrival:
    return arrival.check_in(session, centre, code, zone=ZONE, now=now)


def test_a_punctual_visitor_gets_a_ticket_for_the_video_hall(
    session: Session, hall: Hall, appointment: Appointment
) -> None:
    came = come(session, appointment.code.upper() + " ", now=AT + minutes(5))
    assert came.outcome == arrival.PUNCTUAL and came.ticket.service_point_id == hall.ask.id
    assert (came.ticket.section, came.ticket.also) == ("women", [rules.APPOINTMENT])
    assert came.ticket.ranked_from < AT
    assert appointment.state == appointment_states.CHECKED_IN
    visit = visits.of_ticket(session, came.ticket.id)
    assert visit and (visit.appointment_id, visit.petition_id) == (appointment.id, "p1")


def test_an_early_visitor_is_called_at_the_time_and_not_before(
    session: Session, hall: Hall, appointment: Appointment
) -> None:
    came = come(session, appointment.code, now=AT - minutes(40))
    assert came.outcome == arrival.EARLY
    assert hall.next(session, now=AT - minutes(1)) is None
    assert hall.next(session, now=AT) is came.ticket


def test_a_late_visitor_ranks_as_somebody_who_walks_in(session: Session, appointment: Appointment) -> None:
    late = AT + minutes(25)
    came = come(session, appointment.code, now=late)
    assert (came.outcome, came.ticket.ranked_from, came.ticket.also) == (arrival.LATE, late, [])


def test_the_code_shown_twice_leads_to_the_same_ticket(session: Session, appointment: Appointment) -> None:
    first = come(session, appointment.code, now=AT)
    again = come(session, appointment.code, now=AT + minutes(2))
    assert (again.outcome, again.ticket.id) == (arrival.AGAIN, first.ticket.id)
    assert session.scalar(select(func.count()).select_from(Ticket)) == 1


def test_who_gave_the_turn_up_may_come_back_and_who_was_served_may_not(
    session: Session, hall: Hall, appointment: Appointment
) -> None:
    first = come(session, appointment.code, now=AT)
    service.cancel(session, first.ticket.id, now=AT)
    second = come(session, appointment.code, now=AT + minutes(1))
    assert second.ticket.id != first.ticket.id
    hall.next(session, now=AT + minutes(2))
    service.start(session, second.ticket.id, now=AT + minutes(3))
    service.finish(session, second.ticket.id, now=AT + minutes(9))
    with pytest.raises(Refused, match="used already"):
        come(session, appointment.code, now=AT + minutes(10))


def test_who_left_on_the_phone_a_moment_ago_has_the_same_turn_again(session: Session, appointment: Appointment) -> None:
    first = come(session, appointment.code, now=AT)
    leaving.leave(session, first.ticket.id, now=AT)
    again = come(session, appointment.code, now=AT + minutes(2))
    assert (again.ticket.id, again.ticket.state) == (first.ticket.id, "waiting")


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (AT - timedelta(days=1), "is on Wednesday 28 October, 10:00 am. Please come on that day"),
        (AT - timedelta(hours=7), r"You can check in from Wednesday 28 October, 4:00 am on"),
        (AT + timedelta(hours=3), "has passed"),
        (AT + timedelta(days=1), "has passed"),
    ],
)
def test_the_wrong_day_or_hour_is_told_plainly(
    session: Session, appointment: Appointment, now: datetime, told: str
) -> None:
    with pytest.raises(Refused, match=told):
        come(session, appointment.code, now=now)
    assert appointment.state == appointment_states.BOOKED


def test_another_centre_is_told_where_to_go(session: Session, appointment: Appointment) -> None:
    with pytest.raises(Refused, match="in another place: The hall"):
        come(session, appointment.code, now=AT, centre="elsewhere")


def test_a_code_that_nobody_has_and_an_appointment_called_off(session: Session, appointment: Appointment) -> None:
    with pytest.raises(Mistake, match="No appointment has this code"):
        come(session, "22222222", now=AT)
    appointments.cancel(session, appointment.id, reason="asked for it", by="aide", now=BOOKED_ON)
    with pytest.raises(Refused, match="called off"):
        come(session, appointment.code, now=AT)


def test_doors_that_are_closed_do_not_break_the_promise(session: Session, hall: Hall, appointment: Appointment) -> None:
    from queueing.opening import service as opening

    hall.ask.daily_limit = 1
    opening.set_hours(session, CENTRE, {"0": [[480, 490]]}, now=BOOKED_ON)
    assert come(session, appointment.code, now=AT).outcome == arrival.PUNCTUAL


def test_an_absent_visitor_is_settled_as_missed_once_nobody_can_come_late(
    session: Session, hall: Hall, appointment: Appointment
) -> None:
    came = come(session, appointment.code, now=AT)
    hall.next(session, now=AT)
    service.no_show(session, came.ticket.id, now=AT + minutes(30))
    assert arrival.settle(session, now=AT + minutes(60)) == 0
    assert arrival.settle(session, now=AT + minutes(81)) == 1
    assert appointment.state == appointment_states.MISSED


def test_a_served_visitor_is_settled_as_met(session: Session, hall: Hall, appointment: Appointment) -> None:
    came = come(session, appointment.code, now=AT)
    hall.next(session, now=AT)
    service.start(session, came.ticket.id, now=AT)
    assert arrival.settle(session, now=AT + minutes(81)) == 0  # still in the hall
    service.finish(session, came.ticket.id, now=AT + minutes(82))
    assert arrival.settle(session, now=AT + minutes(83)) == 1
    assert appointment.state == appointment_states.MET
    assert queries.current(session, hall.first.id) is None
