"""Reactions may come in any order: a retry, a second worker. What they leave is the same."""

import pytest
from sqlalchemy import select

from queueing.appointments import service as appointments
from queueing.appointments.events import AppointmentBooked, AppointmentCancelled, AppointmentRescheduled
from queueing.appointments.models import Appointment
from reception import arrangements
from reception.petitions.models import Petition
from tests.unit.web.office.conftest import Office
from video.meetings.models import Meeting
from video.meetings.states import CANCELLED, SCHEDULED


def booked(office: Office, number: int, slot_id: str) -> str:
    petition_id = office.petition(number, needs_name(number))
    with office.db.write() as session:
        petition = session.get_one(Petition, petition_id)
        return appointments.book(
            session,
            slot_id=slot_id,
            visitor_id=petition.visitor_id,
            petition_id=petition_id,
            by=office.ministry.people["aide"].id,
            now=office.now,
        ).id


def needs_name(number: int) -> str:
    return f"زائر رقم {number}"


def react(office: Office, kind: type, appointment_id: str) -> None:
    settings = None
    with office.db.write() as session:
        row = session.get_one(Appointment, appointment_id)
        event = kind(row.id, row.slot_id, row.visitor_id, row.petition_id)
        if kind is AppointmentCancelled:
            arrangements.call_off_meeting(session, event, now=office.now, settings=settings)  # type: ignore[arg-type]
        else:
            arrangements.arrange_meeting(session, event, now=office.now, settings=settings)  # type: ignore[arg-type]


def meetings(office: Office, *appointment_ids: str) -> list[str]:
    with office.db.read() as session:
        return list(session.scalars(select(Meeting.state).where(Meeting.appointment_id.in_(appointment_ids))))


@pytest.mark.parametrize(
    "order", [(AppointmentBooked, AppointmentCancelled), (AppointmentCancelled, AppointmentBooked)]
)
def test_a_cancelled_appointment_has_no_meeting_whichever_reaction_comes_first(
    office: Office, order: tuple[type, type]
) -> None:
    days = 20 + order.index(AppointmentBooked)
    appointment = booked(office, 700 + days, office.slots(days)[0])
    with office.db.write() as session:
        appointments.cancel(session, appointment, reason="travels", by="aide", now=office.now)
    for kind in order:
        react(office, kind, appointment)
    assert SCHEDULED not in meetings(office, appointment)


@pytest.mark.parametrize("late", [False, True])
def test_a_moved_appointment_has_one_meeting_whichever_reaction_comes_first(office: Office, late: bool) -> None:
    first, second = office.slots(24 + late)[:2]
    old = booked(office, 750 + late, first)
    with office.db.write() as session:
        new = appointments.reschedule(session, old, slot_id=second, by="aide", now=office.now).id
    steps = [(AppointmentBooked, old), (AppointmentRescheduled, new)]
    for kind, appointment in reversed(steps) if late else steps:
        react(office, kind, appointment)
    assert meetings(office, new) == [SCHEDULED]
    assert set(meetings(office, old)) <= {CANCELLED}
