import re

from sqlalchemy import select
from starlette.testclient import TestClient

from core.audit import AuditEntry
from core.calendar import local_day
from core.settings import Settings
from messaging.models import Message
from queueing.appointments.models import Appointment, Slot
from tests.unit.web.conftest import Cast
from web.wiring import make_worker

from .conftest import ZONE, Office, Send


def text_of(html: str, slot_id: str) -> str:
    found = re.search(rf'id="text-{slot_id}".*?<blockquote[^>]*>(.*?)</blockquote>', html, re.S)
    assert found
    return found[1]


def test_the_first_fitting_time_is_chosen_and_one_press_books_it(office: Office, cast: Cast, send: Send) -> None:
    """Two presses in all: “book” at the petition, “book” on the page. What is previewed is what is sent."""
    petition, slots = office.petition(1), office.slots()
    aide: TestClient = cast("aide")
    assert f"/office/book?petition={petition}" in aide.get("/office").text
    page = aide.get(f"/office/book?petition={petition}").text
    assert re.search(rf'value="{slots[0]}"[^>]* checked', page)
    code = re.search(r'name="code" value="(\w+)"', page)
    assert code
    answer = send(aide, "/office/book", petition=petition, slot=slots[0], code=code[1])
    appointment = office.one(Appointment, Appointment.petition_id == petition)
    assert answer.headers["location"] == f"/office/appointments/{appointment.id}"
    assert (appointment.state, appointment.slot_id, appointment.code) == ("booked", slots[0], code[1])

    make_worker(Settings(sms_provider="null", data_dir=office_dir(office)), office.db).drain()
    told = office.one(Message, Message.subject_id == petition, Message.template == "appointment_video")
    assert told.body == text_of(page, slots[0])
    assert told.body in aide.get(f"/office/appointments/{appointment.id}").text


def office_dir(office: Office) -> str:
    return str(office.db.engine.url.database).rpartition("/")[0]


def test_a_double_click_books_once_and_both_presses_see_the_same(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(2), office.slots(3)
    fields = {"petition": petition, "slot": slots[0], "once": "the same form"}
    first, second = (send(cast("aide"), "/office/book", **fields) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert office.count(Appointment, Appointment.petition_id == petition) == 1


def test_a_time_taken_meanwhile_is_said_plainly_and_the_next_is_offered(office: Office, cast: Cast, send: Send) -> None:
    mine, rival, slots = office.petition(3), office.petition(4), office.slots(4)
    send(cast("aide"), "/office/book", petition=rival, slot=slots[0])
    answer = send(cast("aide"), "/office/book", petition=mine, slot=slots[0])
    assert answer.status_code == 409
    assert "حُجز هذا الوقت قبل لحظات" in answer.text
    assert slots[0] not in re.findall(r'name="slot" value="(\w+)"', answer.text)
    assert re.search(r'name="slot" value="\w+"[^>]* checked', answer.text)
    assert office.count(Appointment, Appointment.petition_id == mine) == 0
    assert office.one(Slot, Slot.id == slots[0]).taken == 1


def test_who_signs_is_offered_times_with_an_interpreter(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(5, sign_language=True), office.slots(5)
    page = cast("aide").get(f"/office/book?petition={petition}").text
    assert re.search(r'name="signs" value="1" checked', page)
    send(cast("aide"), "/office/book", petition=petition, slot=slots[0], signs="1")
    booked = office.one(Appointment, Appointment.petition_id == petition)
    assert booked.interpreter_id == office.ministry.people["interpreter"].id


def test_a_petition_with_an_appointment_leads_to_it(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(6), office.slots(6)
    send(cast("aide"), "/office/book", petition=petition, slot=slots[0])
    booked = office.one(Appointment, Appointment.petition_id == petition)
    answer = cast("aide").get(f"/office/book?petition={petition}")
    assert answer.headers["location"] == f"/office/appointments/{booked.id}"


def test_a_move_shows_its_own_text_and_frees_the_old_time(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(7), office.slots(7)
    send(cast("aide"), "/office/book", petition=petition, slot=slots[0])
    old = office.one(Appointment, Appointment.petition_id == petition)
    wish = f"filtered=1&since={local_day(old.slot.starts_at, ZONE)}"
    page = cast("aide").get(f"/office/appointments/{old.id}/move?{wish}").text
    assert "تغيّر موعدكم" in text_of(page, slots[1]) and old.code in text_of(page, slots[1])
    assert f'value="{slots[0]}"' not in page
    send(cast("aide"), f"/office/appointments/{old.id}/move", slot=slots[1], reason="سفر")
    new = office.one(Appointment, Appointment.petition_id == petition, Appointment.state == "booked")
    assert (new.slot_id, new.previous_id) == (slots[1], old.id)
    assert office.one(Slot, Slot.id == slots[0]).taken == 0


def test_a_cancellation_wants_a_reason(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(8), office.slots(8)
    send(cast("aide"), "/office/book", petition=petition, slot=slots[0])
    booked = office.one(Appointment, Appointment.petition_id == petition)
    refused = send(cast("aide"), f"/office/appointments/{booked.id}/cancel", reason=" ")
    assert refused.status_code == 422 and "data-dialog-now" in refused.text
    send(cast("aide"), f"/office/appointments/{booked.id}/cancel", reason="بطلب من المراجع")
    assert office.one(Appointment, Appointment.id == booked.id).state == "cancelled"


def test_booking_and_reading_leave_a_trace(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(9), office.slots(9)
    cast("aide").get(f"/office/book?petition={petition}")
    send(cast("aide"), "/office/book", petition=petition, slot=slots[0])
    with office.db.read() as session:
        actions = set(session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == petition)))
    assert {"read", "book appointment"} <= actions


def test_nobody_but_the_office_books(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(10), office.slots(10)
    for outsider in ("receptionist", "officer", "interpreter", "hotline", "admin"):
        assert cast(outsider).get(f"/office/book?petition={petition}").status_code == 404
        assert (
            send(cast(outsider), "/office/book", page="/welcome", petition=petition, slot=slots[0]).status_code == 404
        )
    assert cast(None).get("/office").headers["location"].startswith("/sign-in")
    assert office.count(Appointment, Appointment.petition_id == petition) == 0
