"""Holidays, recurring sessions and urgent places as the office meets them: shown first, then all of it or nothing."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from core.calendar import WEEKDAYS, local_day
from core.workdays.models import Holiday
from queueing.appointments import service
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.series.models import Series
from reception.petitions.models import Petition
from tests.unit.web.conftest import Cast
from tests.unit.web.office.conftest import ZONE, Office, Send, office, send

__all__ = ["office", "send"]
SESSION = {
    "kind": "audience", "place_ar": "المجلس", "place_en": "The hall", "every_weeks": "1", "minutes": "20",
    "pause": "0", "capacity": "1", "reserved_urgent": "0",
}  # fmt: skip


def book(office: Office, petition: str, slot: str) -> str:
    with office.db.write() as session:
        visitor = session.get_one(Petition, petition).visitor_id
        return service.book(
            session, slot_id=slot, visitor_id=visitor, petition_id=petition, by="aide", now=office.now
        ).id  # fmt: skip


def today(office: Office) -> date:
    return local_day(office.now, ZONE)


def state(office: Office, appointment: str) -> str:
    return str(office.one(Appointment, Appointment.id == appointment).state)


def mark(html: str) -> str:
    found = re.search(r'name="mark" value="([0-9a-f]+)"', html)
    assert found, html[:400]
    return found[1]


def test_a_holiday_declared_late_shows_whom_it_hits_and_moves_them_in_one_step(
    office: Office, cast: Cast, send: Send
) -> None:
    day = today(office) + timedelta(days=3)
    slots, later = office.slots(3), office.slots(5)
    hit = [book(office, office.petition(10 + n, f"مراجع رقم {n} المصاب"), slots[n]) for n in (0, 1)]
    aide = cast("aide")
    typed = {"first_day": day.isoformat(), "name_ar": "إجازة طارئة", "name_en": "Sudden holiday", "kind": "other"}
    answer = send(aide, "/office/holidays", page="/office/holidays", **typed)
    assert answer.status_code == 303
    page = answer.headers["location"]
    html = aide.get(f"{page}?lang=ar").text
    assert "مراجع رقم 0 المصاب" in html and "مراجع رقم 1 المصاب" in html and "مراجعان منتظران" in html
    for n in (0, 1):
        assert f"/office/appointments/{hit[n]}" in html
    assert [state(office, one) for one in hit] == ["booked"] * 2, "declaring moves nobody yet"
    listed = aide.get("/office/holidays?lang=en").text
    assert "Sudden holiday" in listed and "2 visitors expected" in listed

    book(office, office.petition(20, "من سبق"), later[0])
    stale = send(aide, f"{page}/move", page="/office", mark=mark(html))
    assert stale.status_code == 409 and "لم يُنقل أحد" in stale.text
    assert [state(office, one) for one in hit] == ["booked"] * 2
    done = send(aide, f"{page}/move", page="/office", mark=mark(stale.text))
    assert done.status_code == 303 and [state(office, one) for one in hit] == ["moved"] * 2
    with office.db.read() as session:
        rows = session.scalars(select(Appointment).where(Appointment.previous_id.in_(hit)))
        assert {row.slot_id for row in rows} == set(later[1:])
    assert "لا أحد منتظر في هذه الأيام" in aide.get(page).text
    assert send(aide, f"{page}/withdraw", page=page).status_code == 303
    assert office.one(Slot, Slot.id == slots[0]).state == "open"


def test_administration_declares_and_sees_numbers_but_no_names(office: Office, cast: Cast, send: Send) -> None:
    admin = cast("admin")
    slots = office.slots(10)
    book(office, office.petition(30, "اسم لا تراه الإدارة"), slots[0])
    day = (today(office) + timedelta(days=10)).isoformat()
    typed = {"first_day": day, "name_ar": "يوم", "name_en": "A day", "kind": "national"}
    page = send(admin, "/admin/holidays", page="/admin/holidays", **typed).headers["location"]
    html = admin.get(f"{page}?lang=en").text
    assert "1 visitor is expected" in html and "اسم لا تراه الإدارة" not in html and "/move" not in html
    twice = send(admin, "/admin/holidays", page="/admin/holidays", **typed)
    assert twice.status_code == 422 and "هذه الأيام معلنة إجازةً من قبل" in twice.text
    assert cast("aide").get("/admin/holidays").status_code == 404
    assert admin.get("/office/holidays").status_code == 404
    assert send(admin, f"{page}/withdraw", page=page).status_code == 303


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"first_day": "yesterday"}, "first_day"),
        ({"first_day": "2020-01-01"}, "first_day"),
        ({"first_day": "2078-01-01"}, "last_day"),
        ({"first_day": "1501/1/1"}, "first_day"),
        ({"first_day": "1460/1/5", "last_day": "1460/1/1"}, "last_day"),
        ({"first_day": "1460/1/5", "name_ar": ""}, "name_ar"),
    ],
)
def test_days_that_can_be_no_holiday_are_said_beside_their_field(
    office: Office, cast: Cast, send: Send, typed: dict[str, str], field: str
) -> None:
    before = office.count(Holiday)
    given = {"name_ar": "عيد", "name_en": "Eid", "kind": "other"} | typed
    answer = send(cast("aide"), "/office/holidays", page="/office/holidays", **given)
    assert answer.status_code == 422 and f'id="f-{field}-error"' in answer.text
    assert office.count(Holiday) == before


def test_a_proposal_fills_the_form_with_the_days_of_the_tables(cast: Cast) -> None:
    html = cast("aide").get("/office/holidays?lang=en").text
    key = re.search(r"\?propose=(fitr-\d+)", html)
    assert key
    html = cast("aide").get(f"/office/holidays?propose={key[1]}&lang=ar").text
    assert re.search(r'name="first_day"[^>]* value="\d{4}-\d\d-\d\d"', html) and 'value="عيد الفطر"' in html


def test_working_hours_of_the_ministry_are_set_and_wrong_ones_refused(cast: Cast, send: Send) -> None:
    admin, page = cast("admin"), "/admin/working-hours"
    week = {f"day_{day}": "9:00-14:00" for day in "60123"}
    assert 'value="8:00-15:00"' in admin.get(page).text and 'value="10:00-15:00"' in admin.get(page).text
    assert send(admin, page, page=page, **week, ramadan_6="11:00-14:00").status_code == 303
    assert 'value="9:00-14:00"' in admin.get(page).text
    for typed, field in (
        ({}, "day_6"),
        ({"day_6": "14-9"}, "day_6"),
        ({"day_6": "9-14", "ramadan_0": "x"}, "ramadan_0"),
    ):
        answer = send(admin, page, page=page, **typed)
        assert answer.status_code == 422 and f'id="f-{field}-error"' in answer.text
    assert 'value="9:00-14:00"' in admin.get(page).text
    assert cast("aide").get(page).status_code == 404


def test_a_session_is_set_up_shown_changed_with_those_booked_and_ended(office: Office, cast: Cast, send: Send) -> None:
    aide, day = cast("aide"), today(office) + timedelta(days=1)
    given = SESSION | {
        "official_id": office.ministry.people["minister"].id, "weekdays": str(day.weekday()), "start": "16:00",
        "end": "17:00", "first_day": day.isoformat(), "last_day": (day + timedelta(days=8)).isoformat(),
    }  # fmt: skip
    answer = send(aide, "/office/sessions/new", page="/office/sessions/new", **given)
    assert answer.status_code == 303, answer.text[:2000]
    page = answer.headers["location"]
    series = office.one(Series, Series.id == page.rpartition("/")[2])
    with office.db.read() as session:
        slots = [
            s.id for s in session.scalars(select(Slot).where(Slot.series_id == series.id).order_by(Slot.starts_at))
        ]
    assert len(slots) == 6
    assert WEEKDAYS["ar"][day.weekday()] in aide.get("/office/sessions").text
    assert aide.get(f"{page}?lang=en").status_code == 200
    booked = book(office, office.petition(40, "المحجوز في الجلسة"), slots[2])

    shorter = given | {"end": "16:40"}
    shown = send(aide, page, page=page, **shorter)
    assert shown.status_code == 409 and "المحجوز في الجلسة" in shown.text
    assert office.one(Series, Series.id == series.id).end == 17 * 60 and state(office, booked) == "booked"
    done = send(aide, page, page=page, mark=mark(shown.text), **shorter)
    assert done.status_code == 303 and state(office, booked) == "moved"
    assert office.one(Series, Series.id == series.id).end == 16 * 60 + 40

    off = {"on_day": (day + timedelta(days=7)).isoformat(), "what": "off", "on_reason": "سفر"}
    assert send(aide, f"{page}/days", page=page, **off).status_code == 303
    assert "سفر" in aide.get(page).text
    assert send(aide, f"{page}/days/{off['on_day']}/undo", page=page).status_code == 303
    wrong = send(aide, f"{page}/days", page=page, **off | {"on_day": (day + timedelta(days=2)).isoformat()})
    assert wrong.status_code == 422 and 'id="f-on_day-error"' in wrong.text
    ends = send(aide, f"{page}/end", page=page, last_day_of_all=(day + timedelta(days=1)).isoformat())
    assert ends.status_code == 303 and page not in aide.get("/office/sessions").text
    assert page in aide.get("/office/sessions?show=ended").text


def test_a_session_that_can_not_be_says_where(office: Office, cast: Cast, send: Send) -> None:
    before = office.count(Series)
    given = SESSION | {"start": "16:00", "end": "15:00", "first_day": "1460/1/1"}
    answer = send(cast("aide"), "/office/sessions/new", page="/office/sessions/new", **given)
    assert answer.status_code == 422 and 'id="f-weekdays-error"' in answer.text
    answer = send(cast("aide"), "/office/sessions/new", page="/office/sessions/new", **given | {"weekdays": "1"})
    assert answer.status_code == 422 and 'id="f-end-error"' in answer.text and 'value="16:00"' in answer.text
    assert office.count(Series) == before


def test_another_officials_session_is_not_found(office: Office, cast: Cast, send: Send) -> None:
    day = today(office) + timedelta(days=1)
    given = SESSION | {
        "official_id": office.ministry.people["minister"].id, "weekdays": str(day.weekday()), "start": "18:00",
        "end": "19:00", "first_day": day.isoformat(),
    }  # fmt: skip
    page = send(cast("aide"), "/office/sessions/new", page="/office/sessions/new", **given).headers["location"]
    assert cast("minister").get(page).status_code == 200
    for who in ("officer", "receptionist", None):
        assert cast(who).get(page).status_code in (303, 404)
    with office.db.write() as session:
        session.execute(update(Series).where(Series.id == page.rpartition("/")[2]).values(official_id="deputy"))
    assert cast("minister").get(page).status_code == 404
    assert page not in cast("minister").get("/office/sessions").text


def test_an_urgent_case_is_shown_who_makes_room_and_then_gets_it(office: Office, cast: Cast, send: Send) -> None:
    aide = cast("aide")
    with office.db.write() as session:
        session.execute(update(Slot).values(state="closed"))
    slots, later = office.slots(2, hour=20), office.slots(9, hour=20)
    leaver = [book(office, office.petition(50 + n, f"من يُفسح {n}"), slot) for n, slot in enumerate(slots)][-1]
    urgent = office.petition(60, "صاحب الحالة العاجلة")
    address = f"/office/urgent?petition={urgent}&kind=video"
    assert "اتفق على استعجالها شخصان" in aide.get(address).text, "only what two have agreed to"
    with office.db.write() as session:
        session.execute(update(Petition).where(Petition.id == urgent).values(urgency="urgent"))
    html = aide.get(address).text
    assert "من يُفسح 2" in html
    fields = {"petition": urgent, "kind": "video", "mark": mark(html)}
    assert send(aide, "/office/urgent", page=address, **fields).status_code == 422, "a reason is asked for"
    assert state(office, leaver) == "booked"
    answer = send(aide, "/office/urgent", page=address, reason="موعد التنفيذ غدًا", **fields)
    assert answer.status_code == 303
    assert office.one(Appointment, Appointment.petition_id == urgent).slot_id == slots[2]
    moved = office.one(Appointment, Appointment.previous_id == leaver)
    assert (moved.slot_id, moved.moved_for) == (later[0], "urgent")
    assert office.one(Appointment, Appointment.id == leaver).reason == "موعد التنفيذ غدًا"


def test_other_hours_show_the_office_whom_they_hit_and_move_them(office: Office, cast: Cast, send: Send) -> None:
    admin, aide = cast("admin"), cast("aide")
    page = f"/admin/centres/{office.ministry.centres['central'].id}/hours"
    week = {f"day_{day}": "8:00-15:00" for day in "6012345"} | {"own_hours": "1"}
    assert send(admin, page, page=page, **week).status_code == 303
    late, early = office.slots(20, hour=13), office.slots(21, hour=10)
    booked = book(office, office.petition(70, "صاحب موعد الظهيرة"), late[0])
    shorter = {f"day_{day}": "8:00-12:00" for day in "6012345"} | {"own_hours": "1"}
    assert send(admin, page, page=page, **shorter).status_code == 303
    said = admin.get(page).text
    assert "مراجع واحد منتظر خارج ساعات العمل" in said and "صاحب موعد الظهيرة" not in said
    assert [office.one(Slot, Slot.id == one).state for one in (late[1], early[0])] == ["closed", "open"]
    assert state(office, booked) == "booked", "setting hours moves nobody"
    assert "منتظر خارج ساعات العمل" in aide.get("/office?lang=ar").text
    html = aide.get("/office/hours").text
    assert "صاحب موعد الظهيرة" in html
    stale = send(aide, "/office/hours/move", page="/office/hours", mark="0" * 24)
    assert stale.status_code == 409 and "لم يُنقل أحد" in stale.text and state(office, booked) == "booked"
    assert send(aide, "/office/hours/move", page="/office/hours", mark=mark(stale.text)).status_code == 303
    assert state(office, booked) == "moved"
    assert "لا أحد منتظر خارج ساعات العمل" in aide.get("/office/hours").text
    assert admin.get("/office/hours").status_code == 404
