"""An appointment taken in hand in the week: what it could have, what the visitor would read, and the way back."""

import re
from html import unescape

from core.calendar import local_day
from core.staff import rules as roles
from core.staff import service as staff
from queueing.appointments.models import Appointment, Slot
from tests.unit.web.conftest import Cast

from .conftest import ZONE, Office, Send


def week_of(office: Office, slot_id: str) -> str:
    return str(local_day(office.one(Slot, Slot.id == slot_id).starts_at, ZONE))


def booked(office: Office, cast: Cast, send: Send, petition: str, slot: str, **more: str) -> Appointment:
    send(cast("aide"), "/office/book", petition=petition, slot=slot, **more)
    found: Appointment = office.one(Appointment, Appointment.petition_id == petition, Appointment.state == "booked")
    return found


def fitting(html: str) -> set[str]:
    return set(re.findall(r'class="cell cell--fits[^"]*" data-key="(\w+)"', html))


def test_what_is_in_hand_shows_the_times_that_fit_and_no_others(office: Office, cast: Cast, send: Send) -> None:
    """The one interpreter is elsewhere at the second time, so who needs one is not offered it."""
    mine, other = office.petition(201), office.petition(202)
    here = office.slots(16)
    appointment = booked(office, cast, send, mine, here[0], signs="1")
    elsewhere = office.slots(16, hour=13)
    booked(office, cast, send, other, elsewhere[0], signs="1")
    page = cast("aide").get(f"/office/calendar?week={week_of(office, here[0])}&move={appointment.id}").text
    assert fitting(page) == {here[1], here[2], elsewhere[1], elsewhere[2]}
    assert f"&move={appointment.id}&to={here[1]}" in unescape(page)
    plain = cast("aide").get(f"/office/calendar?week={week_of(office, here[0])}").text
    assert not fitting(plain) and f'data-carry="{appointment.id}"' in plain


def test_where_it_is_put_the_very_text_is_shown_before_anything_changes(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(203), office.slots(17)
    appointment = booked(office, cast, send, petition, slots[0])
    page = (
        cast("aide").get(f"/office/calendar?week={week_of(office, slots[0])}&move={appointment.id}&to={slots[2]}").text
    )
    text = re.search(r"<blockquote[^>]*>(.*?)</blockquote>", page, re.S)
    assert text and "تغيّر موعدكم" in text[1] and appointment.code in text[1]
    assert 'id="put-dialog"' in page and office.one(Slot, Slot.id == slots[0]).taken == 1


def test_a_move_tells_and_one_press_puts_it_back(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(204), office.slots(18)
    old = booked(office, cast, send, petition, slots[0])
    week = week_of(office, slots[0])
    answer = send(cast("aide"), "/office/calendar/move", appointment=old.id, slot=slots[1], week=week, reason="سفر")
    new = office.one(Appointment, Appointment.petition_id == petition, Appointment.state == "booked")
    assert f"moved={new.id}" in answer.headers["location"] and new.code == old.code
    after = cast("aide").get(answer.headers["location"]).text
    assert f'name="slot" value="{slots[0]}"' in after
    send(cast("aide"), "/office/calendar/move", appointment=new.id, slot=slots[0], undo="1", week=week)
    again = office.one(Appointment, Appointment.petition_id == petition, Appointment.state == "booked")
    assert again.slot_id == slots[0] and again.code == old.code


def test_a_move_whose_old_time_is_gone_offers_no_way_back(office: Office, cast: Cast, send: Send) -> None:
    petition, rival, slots = office.petition(205), office.petition(206), office.slots(19)
    old = booked(office, cast, send, petition, slots[0])
    answer = send(cast("aide"), "/office/calendar/move", appointment=old.id, slot=slots[1])
    booked(office, cast, send, rival, slots[0])
    after = cast("aide").get(answer.headers["location"]).text
    assert f'name="slot" value="{slots[0]}"' not in after and "الوقت السابق صار لغيره" in after


def test_a_taken_time_is_answered_in_plain_words_and_all_stays(office: Office, cast: Cast, send: Send) -> None:
    petition, rival, slots = office.petition(207), office.petition(208), office.slots(20)
    mine = booked(office, cast, send, petition, slots[0])
    booked(office, cast, send, rival, slots[1])
    week = week_of(office, slots[0])
    asked = cast("aide").get(f"/office/calendar?week={week}&move={mine.id}&to={slots[1]}").text
    assert "هذا الوقت محجوز" in asked and 'id="put-dialog"' not in asked
    refused = send(cast("aide"), "/office/calendar/move", appointment=mine.id, slot=slots[1], week=week)
    assert refused.status_code == 409 and "حُجز هذا الوقت قبل لحظات" in refused.text
    assert office.one(Appointment, Appointment.id == mine.id).state == "booked"
    gone = send(cast("aide"), "/office/calendar/move", appointment=mine.id, slot="nowhere", week=week)
    assert gone.status_code == 409 and office.one(Slot, Slot.id == slots[0]).taken == 1


def test_an_official_takes_no_appointment_of_another_in_hand(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(209), office.slots(21)
    mine = booked(office, cast, send, petition, slots[0])
    with office.db.write() as session:
        deputy_row = staff.create(
            session,
            username="deputy",
            password="long enough, truly",
            name_ar="النائب",
            name_en="Deputy",
            roles=[roles.OFFICIAL],
            now=office.now,
        )
        session.flush()
        session.expunge_all()
    office.ministry.people["deputy"] = deputy_row
    deputy = cast("deputy")
    assert deputy.get(f"/office/calendar?move={mine.id}").status_code == 404
    assert send(deputy, "/office/calendar/move", appointment=mine.id, slot=slots[1]).status_code == 404
    page = f"/office/appointments/{mine.id}/move"
    assert deputy.get(page).status_code == send(deputy, page, page="/office", slot=slots[1]).status_code == 404
    assert cast("minister").get(page).status_code == 200
    for outsider in ("receptionist", "hotline", "officer"):
        answer = send(cast(outsider), "/office/calendar/move", page="/account/password", appointment=mine.id)
        assert answer.status_code == 404
    assert office.one(Appointment, Appointment.id == mine.id).state == "booked"
