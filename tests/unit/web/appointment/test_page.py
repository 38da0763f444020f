"""The visitor's page behind a link: what it says, what each press does, and that no press does harm twice."""

import re
from itertools import count

import pytest
from starlette.testclient import TestClient

from core.audit import AuditEntry
from queueing.appointments import service
from queueing.appointments.models import Appointment, Slot
from reception.appointed import links
from reception.appointed.models import AppointmentLink, AppointmentWord
from tests.unit.reception.appointed.reading import read
from tests.unit.web.conftest import Cast
from tests.unit.web.office.conftest import Office
from web.appointment.guesses import MOST, guesses

numbers, days = count(100), count(3)


@pytest.fixture
def visitor(cast: Cast) -> TestClient:
    guesses.forget()
    return cast(None)


def booked(office: Office) -> tuple[str, Appointment, list[str]]:
    """(the page's address, the appointment, the times of its day)"""
    slots, petition = office.slots(next(days)), office.petition(next(numbers), "سالم بن أحمد")
    visitor_id = office.one(_petition(), _petition().id == petition).visitor_id
    with office.db.write() as session:
        row = service.book(
            session, slot_id=slots[0], visitor_id=visitor_id, petition_id=petition, by="aide", now=office.now
        )
        token = links.make(session, row.id, now=office.now)
        appointment_id = row.id
    return f"/a/{token}", office.one(Appointment, Appointment.id == appointment_id), slots


def _petition() -> type:
    from reception.petitions.models import Petition

    return Petition


def current(office: Office, old: Appointment) -> Appointment:
    return office.one(Appointment, Appointment.code == old.code, Appointment.state != "moved")


def test_it_says_what_the_text_said_and_nothing_about_the_person(office: Office, visitor: TestClient) -> None:
    here, appointment, _ = booked(office)
    page = visitor.get(here)
    assert page.status_code == 200 and appointment.code in page.text
    petition = office.one(_petition(), _petition().id == appointment.petition_id)
    for secret in ("سالم", petition.case_number, petition.follow_code, petition.subject, appointment.petition_id):
        assert secret not in page.text
    assert "<script" not in page.text and '<link rel="preload"' not in page.text
    assert page.headers["x-robots-tag"].startswith("noindex") and page.headers["cache-control"] == "no-store"
    assert 'dir="rtl"' in page.text and 'dir="ltr"' in visitor.get(f"{here}?lang=en").text
    seen = office.count(AuditEntry, AuditEntry.subject_id == appointment.petition_id, AuditEntry.action == "read")
    assert seen == 2


def test_i_will_come_is_kept_and_thanked_for(office: Office, visitor: TestClient) -> None:
    here, appointment, _ = booked(office)
    for _ in range(2):
        assert visitor.post(f"{here}/come").headers["location"] == here
    assert office.count(AppointmentWord, AppointmentWord.appointment_id == appointment.id) == 1
    page = visitor.get(f"{here}?lang=en").text
    assert "Thank you. We are expecting you." in page and "I will come" not in page
    assert visitor.get(f"{here}/come").headers["location"] == here


def test_another_time_in_two_presses_and_every_further_press_changes_nothing(
    office: Office, visitor: TestClient
) -> None:
    here, appointment, slots = booked(office)
    offered = re.findall(r"/move\?slot=(\w+)", visitor.get(f"{here}/times").text)
    assert slots[0] not in offered and set(slots[1:]) <= set(offered)
    confirm = visitor.get(f"{here}/move?slot={slots[1]}").text
    assert f'value="{slots[1]}"' in confirm
    for slot in (slots[1], slots[1], slots[2]):  # pressed, pressed again, and the page of another tab
        assert visitor.post(f"{here}/move", data={"slot": slot}).headers["location"] == here
    new = current(office, appointment)
    assert (new.slot_id, new.code, new.state) == (slots[1], appointment.code, "booked")
    assert [office.one(Slot, Slot.id == slot).taken for slot in slots] == [0, 1, 0]
    done = visitor.get(f"{here}?lang=en")
    assert done.status_code == 200 and "has been moved" in done.text and appointment.code in done.text
    for back in ("times", "cancel", f"move?slot={slots[2]}"):
        assert visitor.get(f"{here}/{back}").headers["location"] == here
    visitor.post(f"{here}/cancel", data={"reason": "ill"})
    visitor.post(f"{here}/come")
    assert current(office, appointment).state == "booked"


def test_what_the_office_does_after_a_move_stands_behind_the_spent_link_too(
    office: Office, visitor: TestClient
) -> None:
    here, appointment, slots = booked(office)
    visitor.post(f"{here}/move", data={"slot": slots[1]})
    with office.db.write() as session:
        chosen = current(office, appointment).id
        moved = service.reschedule(session, chosen, slot_id=slots[2], by="aide", now=office.now)
        starts = moved.slot.starts_at
    assert f"DTSTART:{starts:%Y%m%dT%H%M%SZ}" in visitor.get(f"{here}/majlis.ics").text
    with office.db.write() as session:
        service.cancel(session, moved.id, reason="ill", by="aide", now=office.now)
    page = visitor.get(f"{here}?lang=en").text
    assert "has been cancelled" in page and "has been moved" not in page and appointment.code not in page
    assert "METHOD:CANCEL" in visitor.get(f"{here}/majlis.ics").text


def test_a_time_taken_meanwhile_is_said_and_the_old_one_stands(office: Office, visitor: TestClient) -> None:
    (here, mine, slots), (_, rival, _) = booked(office), booked(office)
    with office.db.write() as session:
        service.reschedule(session, rival.id, slot_id=slots[1], by="aide", now=office.now)
    answer = visitor.post(f"{here}/move?lang=en", data={"slot": slots[1]})
    assert answer.status_code == 409 and "Choose another one" in answer.text
    assert slots[1] not in re.findall(r"/move\?slot=(\w+)", answer.text)
    assert current(office, mine).slot_id == slots[0]
    assert visitor.get(f"{here}/move?slot={slots[1]}").status_code == 409


@pytest.mark.parametrize("slot", ["", "none", "x\0y", "é" * 500])
def test_no_time_of_ours_is_refused_and_the_old_one_stands(office: Office, visitor: TestClient, slot: str) -> None:
    here, mine, slots = booked(office)
    assert visitor.post(f"{here}/move", data={"slot": slot}).status_code in (404, 409)
    assert current(office, mine).slot_id == slots[0]


def test_i_cannot_come_asks_first_and_keeps_the_reason(office: Office, visitor: TestClient, cast: Cast) -> None:
    here, mine, _ = booked(office)
    assert 'name="reason"' in visitor.get(f"{here}/cancel").text
    assert current(office, mine).state == "booked"
    for reason in ("ill", "away"):
        assert visitor.post(f"{here}/cancel", data={"reason": reason}).headers["location"] == here
    row = current(office, mine)
    assert (row.state, row.reason) == ("cancelled", "Cancelled by the visitor: illness")
    assert "Thank you for telling us" in visitor.get(f"{here}?lang=en").text
    assert "ألغاه المراجع: مرض" in cast("aide").get(f"/office/appointments/{mine.id}").text


def test_a_link_that_the_office_overtook_says_so(office: Office, visitor: TestClient) -> None:
    here, mine, slots = booked(office)
    with office.db.write() as session:
        service.reschedule(session, mine.id, slot_id=slots[2], by="aide", now=office.now)
    page = visitor.get(f"{here}?lang=en")
    assert page.status_code == 410 and "newest text" in page.text and mine.code not in page.text
    here, mine, _ = booked(office)
    with office.db.write() as session:
        service.cancel(session, mine.id, reason="The minister travels", by="aide", now=office.now)
    page = visitor.get(f"{here}?lang=en")
    assert page.status_code == 410 and "has been cancelled" in page.text and "travels" not in page.text


def test_guesses_are_answered_in_one_line_after_a_while_and_sent_links_go_on(
    office: Office, visitor: TestClient
) -> None:
    here, _, _ = booked(office)
    known = office.count(AppointmentLink)
    answers = [visitor.get(f"/a/{n:022d}").status_code for n in range(MOST + 3)]
    assert answers == [404] * MOST + [429] * 3
    refused = visitor.get("/a/one-more")
    assert int(refused.headers["retry-after"]) > 0 and len(refused.content) < 200
    assert visitor.get(here).status_code == 200 and office.count(AppointmentLink) == known


def test_a_foreign_page_cannot_press(office: Office, visitor: TestClient) -> None:
    here, mine, _ = booked(office)
    answer = visitor.post(f"{here}/cancel", headers={"origin": "https://evil.example"})
    assert answer.status_code == 403 and current(office, mine).state == "booked"


def test_the_file_for_the_phone_follows_the_appointment(office: Office, visitor: TestClient) -> None:
    here, mine, slots = booked(office)
    answer = visitor.get(f"{here}/majlis.ics?lang=en")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    first = read(answer.content)
    visitor.post(f"{here}/move", data={"slot": slots[1]})
    second = read(visitor.get(f"{here}/majlis.ics").content)
    assert first.one("UID") == second.one("UID") and mine.code in first.one("UID")
    assert (first.one("SEQUENCE"), second.one("SEQUENCE")) == ("0", "1")
    assert first.one("DTSTART") == office.one(Slot, Slot.id == slots[0]).starts_at.strftime("%Y%m%dT%H%M%SZ")
    assert second.one("DTSTART") == office.one(Slot, Slot.id == slots[1]).starts_at.strftime("%Y%m%dT%H%M%SZ")
    here, _, _ = booked(office)
    visitor.post(f"{here}/cancel")
    gone = read(visitor.get(f"{here}/majlis.ics").content)
    assert (gone.method, gone.one("STATUS"), gone.one("SEQUENCE"), gone.alarms) == ("CANCEL", "CANCELLED", "1", [])


def test_the_officials_feed_is_made_replaced_and_withdrawn(office: Office, visitor: TestClient, cast: Cast) -> None:
    _, mine, _ = booked(office)
    minister = cast("minister")

    def press(address: str) -> str:
        csrf = re.search(r'name="csrf" content="([^"]+)"', minister.get("/account/calendar").text)
        assert csrf
        answer = minister.post(address, data={"csrf": csrf[1]})
        found = re.search(r'value="http://[^"/]+(/calendar/\w+\.ics)"', answer.text)
        return found[1] if found else ""

    old = press("/account/calendar")
    answer = visitor.get(old)
    assert answer.status_code == 200 and mine.code in answer.text
    for secret in ("سالم", mine.petition_id, "طلب لقاء"):
        assert secret not in answer.text
    read(answer.content)
    new = press("/account/calendar")
    assert new != old and visitor.get(old).status_code == 404 and visitor.get(new).status_code == 200
    press("/account/calendar/stop")
    assert visitor.get(new).status_code == 404
    assert cast("receptionist").get("/account/calendar").status_code == 404
