"""Each event becomes the right text, in the visitor's language."""

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.settings import Settings
from messaging import service as messages
from messaging.models import Message
from queueing.appointments import calendar, service
from queueing.appointments.events import AppointmentBooked, AppointmentCancelled, AppointmentRescheduled
from queueing.appointments.models import Appointment
from reception.directives.events import DirectiveAssigned, DirectiveFulfilled
from reception.notify import appointments, orders, petitions
from reception.petitions import events
from reception.petitions.models import Petition
from tests.conftest import attendant
from video.meetings.events import MeetingEnded

SETTINGS = Settings(public_url="https://majlis.example")
LINK = "https://majlis.example/p/k7m2x9qd4w"
IDS = {"petition_id": "petition", "visitor_id": "visitor"}


def last(session: Session) -> Message:
    session.flush()
    return session.scalars(select(Message).order_by(Message.id.desc())).first()  # type: ignore[return-value]


def react(session: Session, reaction: object, event: object, now: datetime) -> Message:
    reaction(session, event, now=now, settings=SETTINGS)  # type: ignore[operator]
    return last(session)


@pytest.mark.parametrize(
    ("reaction", "event", "words"),
    [
        (petitions.text_petition_received, events.PetitionReceived(**IDS, centre_id="riyadh"), ["48-000123", LINK]),
        (
            petitions.text_petition_routed,
            events.PetitionRouted(**IDS, department_id="rights", to_office=False),
            ["أُحيل", "48-000123", "إدارة الحقوق"],
        ),
        (
            petitions.text_petition_routed,
            events.PetitionTransferred(**IDS, department_id="office", from_department_id="rights", to_office=True),
            ["مكتب معالي الوزير", "48-000123"],
        ),
        (
            petitions.text_petition_acknowledged,
            events.PetitionAcknowledged(**IDS, department_id="rights"),
            ["إدارة الحقوق", "48-000123"],
        ),
        (petitions.text_visitor_asked, events.VisitorAsked(**IDS, department_id="rights"), ["نحتاج", LINK]),
        (petitions.text_petition_answered, events.PetitionAnswered(**IDS, department_id="rights"), ["الرد", LINK]),
        (
            petitions.text_petition_closed,
            events.PetitionClosed(**IDS, department_id="rights", reason="settled"),
            ["اكتمل", "8004399999"],
        ),
        (orders.text_meeting_ended, MeetingEnded("m", "petition", "visitor", "a", True), ["شكرًا", LINK]),
        (
            orders.text_directive_assigned,
            DirectiveAssigned("d", "petition", "rights", datetime.fromisoformat("2026-11-01T00:00Z")),
            ["وجّه معالي الوزير", "إدارة الحقوق"],
        ),
        (orders.text_directive_fulfilled, DirectiveFulfilled("d", "petition", "rights"), ["نُفّذ", LINK]),
    ],
)
def test_an_event_becomes_its_text(
    session: Session, petition: Petition, now: datetime, reaction: object, event: object, words: list[str]
) -> None:
    message = react(session, reaction, event, now)
    assert [word for word in words if word not in message.body] == []
    assert (message.to_number, message.language, message.visitor_id) == ("+966501234567", "ar", "visitor")
    assert messages.about(session, "petition", "petition") == [message]


def test_the_visitors_language_is_used(session: Session, petition: Petition, now: datetime) -> None:
    petition.visitor.language = "en"
    event = events.PetitionRouted(**IDS, department_id="rights", to_office=False)
    assert react(session, petitions.text_petition_routed, event, now).body.startswith("Your petition 48-000123")


def test_a_case_sent_on_twice_is_told_twice(session: Session, petition: Petition, now: datetime) -> None:
    event = events.PetitionRouted(**IDS, department_id="rights", to_office=False)
    react(session, petitions.text_petition_routed, event, now)
    react(session, petitions.text_petition_routed, event, now + timedelta(days=2))
    assert len(messages.about(session, "petition", "petition")) == 2


def test_a_room_in_which_nobody_met_is_not_thanked_for(session: Session, petition: Petition, now: datetime) -> None:
    assert react(session, orders.text_meeting_ended, MeetingEnded("m", "petition", "visitor", "a", False), now) is None


@pytest.fixture
def slots(session: Session, now: datetime) -> list[str]:
    session.add(attendant("riyadh"))
    rows = calendar.add_session(
        session, official_id="minister", kind="video", centre_id="riyadh", place_ar="مركز الرياض، طريق الملك فهد",
        place_en="Riyadh centre, King Fahd Road", day=date(2026, 10, 28), start=time(10, 30), end=time(11, 30),
        minutes=30, zone="Asia/Riyadh", now=now,
    )  # fmt: skip
    return [row.id for row in rows]


def ids(appointment: Appointment) -> dict[str, str]:
    return {"appointment_id": appointment.id, "slot_id": appointment.slot_id, **IDS}


def book(session: Session, slot_id: str, now: datetime, **more: str) -> Appointment:
    return service.book(
        session, slot_id=slot_id, visitor_id="visitor", petition_id="petition", by="aide", now=now, **more
    )


def test_an_appointment_names_weekday_both_dates_time_and_place(
    session: Session, petition: Petition, slots: list[str], now: datetime
) -> None:
    appointment = book(session, slots[0], now)
    message = react(session, appointments.text_appointment_booked, AppointmentBooked(**ids(appointment)), now)
    when = "الأربعاء ١٧ جمادى الأولى ١٤٤٨هـ (٢٨ أكتوبر ٢٠٢٦م) ١٠:٣٠ صباحًا"
    assert message.body == f"لقاؤكم المرئي {when}، في مركز الرياض، طريق الملك فهد. رمز الموعد {appointment.code}"
    assert message.parts == 2


def test_the_preview_is_the_text_to_the_letter(
    session: Session, petition: Petition, slots: list[str], now: datetime
) -> None:
    for language in ("ar", "en"):
        code = service.propose_code()
        petition.visitor.language = language
        slot = calendar.slot_of(session, slots[0])
        shown = appointments.preview(slot, code=code, language=language, settings=SETTINGS)
        appointment = book(session, slots[0], now, code=code)
        message = react(session, appointments.text_appointment_booked, AppointmentBooked(**ids(appointment)), now)
        assert ("".join(shown.parts), shown.count, shown.encoding) == (message.body, message.parts, message.encoding)
        service.cancel(session, appointment.id, reason="next", by="aide", now=now)


def test_a_moved_appointment_names_the_new_time_and_the_old_code(
    session: Session, petition: Petition, slots: list[str], now: datetime
) -> None:
    old = book(session, slots[0], now)
    new = service.reschedule(session, old.id, slot_id=slots[1], by="aide", now=now)
    message = react(session, appointments.text_appointment_rescheduled, AppointmentRescheduled(**ids(new)), now)
    assert "تغيّر" in message.body and "١١:٠٠ صباحًا" in message.body and old.code in message.body


def test_a_text_overtaken_by_events_is_not_sent(
    session: Session, petition: Petition, slots: list[str], now: datetime
) -> None:
    old = book(session, slots[0], now)
    service.reschedule(session, old.id, slot_id=slots[1], by="aide", now=now)
    assert react(session, appointments.text_appointment_booked, AppointmentBooked(**ids(old)), now) is None


def test_a_cancellation_is_told_to_whom_the_booking_was_told(
    session: Session, petition: Petition, slots: list[str], now: datetime
) -> None:
    appointment = book(session, slots[0], now)
    react(session, appointments.text_appointment_booked, AppointmentBooked(**ids(appointment)), now)
    service.cancel(session, appointment.id, reason="illness", by="aide", now=now)
    message = react(session, appointments.text_appointment_cancelled, AppointmentCancelled(**ids(appointment)), now)
    assert "أُلغي" in message.body and "١٠:٣٠" in message.body and "8004399999" in message.body


def test_a_hold_that_was_let_go_is_not_told(
    session: Session, petition: Petition, slots: list[str], now: datetime
) -> None:
    held = service.hold(session, slot_id=slots[0], visitor_id="visitor", petition_id="petition", by="aide", now=now)
    service.cancel(session, held.id, reason="changed", by="aide", now=now)
    assert react(session, appointments.text_appointment_cancelled, AppointmentCancelled(**ids(held)), now) is None
