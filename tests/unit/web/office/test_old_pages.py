"""Pages of another hour: two that move the same appointment, one kept from before the booking, days without a name."""

import pytest

from core.calendar import LAST_DAY, BeyondTables, day_of
from queueing.appointments.models import Appointment
from tests.unit.web.conftest import Cast

from .conftest import Office, Send


def booked(office: Office, cast: Cast, send: Send, petition: str, slot: str) -> str:
    send(cast("aide"), "/office/book", petition=petition, slot=slot)
    found: str = office.one(Appointment, Appointment.petition_id == petition, Appointment.state == "booked").id
    return found


def test_who_moves_or_cancels_what_was_moved_meanwhile_is_led_to_where_it_stands(
    office: Office, cast: Cast, send: Send
) -> None:
    petition, slots = office.petition(901), office.slots(40)
    old, aide = booked(office, cast, send, petition, slots[0]), cast("aide")
    first = send(aide, f"/office/appointments/{old}/move", slot=slots[1], reason="one")
    stands = first.headers["location"]
    for way in (f"/office/appointments/{old}/move", f"/office/appointments/{old}/cancel"):
        late = send(aide, way, slot=slots[2], reason="two")
        assert (late.status_code, late.headers["location"]) == (303, stands)
        assert "نُقل هذا الموعد في هذه الأثناء" in aide.get(stands).text
    assert aide.get(f"/office/appointments/{old}/move").headers["location"] == stands
    week = send(aide, "/office/calendar/move", appointment=old, slot=slots[2])
    assert week.status_code == 409 and "نُقل هذا الموعد في هذه الأثناء" in week.text
    assert "لم يعد نقل هذا الموعد ممكنًا" in aide.get(f"/office/calendar?move={old}").text
    here = f"/booking/{petition}"
    for way in ("move", "cancel"):
        answer = send(aide, f"{here}/{way}", appointment=old, slot=slots[2], reason="three")
        assert answer.status_code in (303, 409)
    now = office.one(Appointment, Appointment.petition_id == petition, Appointment.state == "booked")
    assert (now.slot_id, stands) == (slots[1], f"/office/appointments/{now.id}")
    assert office.one(Appointment, Appointment.id == old).reason == "one", "what came too late left nothing behind"


def test_back_after_the_booking_and_hold_again_shows_the_appointment(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(902), office.slots(41)
    old, here = booked(office, cast, send, petition, slots[0]), f"/booking/{petition}"
    answer = send(cast("aide"), f"{here}/hold", slot=slots[1])
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    assert "لهذه المعاملة موعد" in cast("aide").get(here).text
    again = send(cast("aide"), "/office/book", petition=petition, slot=slots[1])
    assert again.headers["location"] == f"/office/appointments/{old}"
    unbooked = office.petition(903)
    gone = send(cast("aide"), f"/booking/{unbooked}/hold", slot="nowhere")
    assert gone.status_code == 409 and "لم يعد هذا الوقت في التقويم" in gone.text
    assert office.count(Appointment, Appointment.petition_id == unbooked) == 0


@pytest.mark.parametrize("day", ["0001-01-01", "1900-01-01", "2077-11-16", "2099-01-01", "9999-12-31"])
def test_no_day_of_an_address_breaks_a_page(office: Office, cast: Cast, day: str) -> None:
    aide, petition = cast("aide"), office.petition(910 + int(day[:4]) % 89)
    assert aide.get(f"/office/calendar?week={day}").status_code == 200
    assert aide.get(f"/booking/{petition}?wished=1&since={day}").status_code == 200
    assert aide.get(f"/office/book?petition={petition}&filtered=1&since={day}").status_code == 200
    sheet = aide.get(f"/office/day/{day}")
    late = day > LAST_DAY.isoformat()
    assert sheet.status_code == (422 if late else 200 if day == LAST_DAY.isoformat() else 404)
    if late:
        assert "٣٠ ذو الحجة ١٥٠٠هـ" in sheet.text, "says until when days have names, as the reader says them"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_session_on_a_day_without_a_name_is_refused_beside_its_field(
    office: Office, cast: Cast, send: Send, day: str
) -> None:
    times = {"start": "10:00", "end": "11:00", "minutes": "20", "weeks": "4"}
    answer = send(
        cast("aide"), "/office/calendar/sessions", kind="audience", place_ar="م", place_en="m", day=day, **times
    )
    assert answer.status_code == 422 and 'id="f-day-error"' in answer.text


def test_a_year_that_is_not_published_yet_is_told_from_a_day_that_is_none() -> None:
    with pytest.raises(BeyondTables):
        day_of("1501/1/1")
    with pytest.raises(ValueError, match="month") as none:
        day_of("1448/13/1")
    assert not isinstance(none.value, BeyondTables)
