import re
from datetime import date, datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image
from starlette.testclient import TestClient

from core.audit import AuditEntry
from core.calendar import local_day
from queueing.appointments import service
from queueing.appointments.models import Appointment, Slot
from reception.directives import service as directives
from reception.directives.models import Directive
from reception.dossier.models import DossierReceipt
from reception.parties.models import PetitionParty
from reception.petitions.models import Petition
from reception.visitors import service as visitors
from tests.unit.web.conftest import Cast
from video.meetings import service as meetings
from web.demo.meeting import FARED
from web.office.week import proposed
from web.wiring import make_worker

from .conftest import ZONE, Office, Send


@pytest.fixture(scope="module")
def booked(office: Office) -> Appointment:
    """An appointment in two days, its meeting made by the worker."""
    petition, slots = office.petition(1, "عبدالرحمن بن سعد الثاني"), office.slots()
    with office.db.write() as session:
        service.book(
            session,
            slot_id=slots[0],
            visitor_id=session.get_one(Petition, petition).visitor_id,
            petition_id=petition,
            by="aide",
            now=office.now,
        )
    from core.settings import Settings

    make_worker(Settings(sms_provider="null"), office.db).drain()
    return office.one(Appointment, Appointment.petition_id == petition)


COUNTS = ("packets_in", "bytes_in", "packets_out", "bytes_out")
PAGES = ["/office", "/office/calendar", "/office/directives", "/office/directives?show=done", "/messages"]


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("address", PAGES)
def test_pages_say_something_when_there_is_nothing(cast: Cast, address: str, language: str) -> None:
    mark = "&" if "?" in address else "?"
    answer = cast("aide").get(f"{address}{mark}lang={language}")
    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.text


def test_the_calendar_shows_the_week_of_an_appointment(office: Office, cast: Cast, booked: Appointment) -> None:
    day = local_day(booked.slot.starts_at, ZONE)
    page = cast("aide").get(f"/office/calendar?week={day}&slot={booked.slot_id}").text
    assert "عبدالرحمن بن سعد الثاني" in page
    assert f"/office/appointments/{booked.id}" in page
    assert "<meter" not in page and 'max="100"' in page
    assert cast("minister").get(f"/office/calendar?week={day}").text.count("<bdi>عبدالرحمن بن سعد الثاني</bdi>") == 1
    assert cast("aide").get("/office/calendar?week=nonsense").status_code == 200


def test_a_free_slot_can_be_given_to_a_waiting_petition_at_once(
    office: Office, cast: Cast, booked: Appointment
) -> None:
    waiting = office.petition(2, "هدى بنت ناصر الثالثة")
    day = local_day(booked.slot.starts_at, ZONE)
    free = next(slot for slot in _slots(office) if not slot.taken)
    page = cast("aide").get(f"/office/calendar?week={day}&slot={free.id}").text
    link = f"/office/book?petition={waiting}&amp;slot={free.id}"
    assert link in page
    assert f'value="{free.id}" data-shows="text-{free.id}" checked' in cast("aide").get(link.replace("&amp;", "&")).text


def _slots(office: Office) -> list[Slot]:
    with office.db.read() as session:
        rows = list(session.query(Slot).order_by(Slot.starts_at))
        session.expunge_all()
        return rows


def session_form(office: Office, **more: str) -> dict[str, str]:
    day = local_day(office.now, ZONE) + timedelta(days=9)
    return {
        "kind": "audience", "place_ar": "مجلس الوزير", "place_en": "Minister's hall", "day": str(day), "start": "10:00",
        "end": "11:00", "minutes": "15", "pause": "0", "capacity": "٢", "reserved_urgent": "١", "weeks": "4", **more,
    }  # fmt: skip


def test_a_session_is_added_for_four_weeks_all_or_nothing(office: Office, cast: Cast, send: Send) -> None:
    before = len(_slots(office))
    answer = send(cast("aide"), "/office/calendar/sessions", **session_form(office))
    assert answer.status_code == 303
    rows = _slots(office)
    assert len(rows) == before + 16
    assert {row.capacity for row in rows if row.kind == "audience"} == {2}
    assert sum(row.reserved_urgent for row in rows) == 4

    again = send(cast("aide"), "/office/calendar/sessions", **session_form(office, weeks="8", start="10:30"))
    assert again.status_code == 422 and "data-dialog-now" in again.text
    assert len(_slots(office)) == before + 16


@pytest.mark.parametrize(
    "wrong", [{"day": ""}, {"start": "x"}, {"minutes": "7"}, {"kind": "tea"}, {"kind": "video"}, {"capacity": "99"}]
)
def test_a_wrong_session_stays_in_its_dialog(office: Office, cast: Cast, send: Send, wrong: dict[str, str]) -> None:
    before = len(_slots(office))
    answer = send(cast("aide"), "/office/calendar/sessions", **session_form(office, **wrong))
    assert answer.status_code == 422 and "field__error" in answer.text
    assert len(_slots(office)) == before


def test_the_address_of_a_refused_session_leads_to_the_calendar(cast: Cast) -> None:
    answer = cast("aide").get("/office/calendar/sessions", headers={"x-fragment": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/office/calendar")


@pytest.mark.parametrize(
    ("clock", "offered"),
    [
        ((27, 8, 20), (27, 10, 12)),  # before the session's usual hour
        ((27, 13, 5), (27, 14, 16)),
        ((27, 22, 30), (28, 10, 12)),  # nothing of today is left
        ((24, 9, 0), (25, 10, 12)),  # the week lies ahead
    ],
)
def test_a_session_is_proposed_for_a_time_that_lies_ahead(
    clock: tuple[int, int, int], offered: tuple[int, int, int]
) -> None:
    days = [date(2026, 10, 25) + timedelta(days=n) for n in range(7)]
    day, begin, end = proposed(days, now=datetime(2026, 10, *clock))
    assert (day.day, begin.hour, end.hour) == offered


def test_a_slot_is_closed_and_offered_again(office: Office, cast: Cast, send: Send) -> None:
    slot = office.slots(12)[0]
    send(cast("aide"), f"/office/slots/{slot}/close")
    assert office.one(Slot, Slot.id == slot).state == "closed"
    send(cast("aide"), f"/office/slots/{slot}/reopen")
    assert office.one(Slot, Slot.id == slot).state == "open"


def test_an_audience_visitor_arrives_and_is_met_by_two_presses(office: Office, cast: Cast, send: Send) -> None:
    petition = office.petition(3)
    with office.db.write() as session:
        slot = Slot(
            official_id=office.ministry.people["minister"].id, kind="audience", place_ar="م", place_en="P",
            starts_at=office.now, ends_at=office.now + timedelta(minutes=20),
        )  # fmt: skip
        session.add(slot)
        session.flush()
        row = service.book(
            session, slot_id=slot.id, visitor_id="v", petition_id=petition, by="aide",
            now=office.now - timedelta(hours=1),
        )  # fmt: skip
        found = row.id
    assert f"/office/appointments/{found}/arrived" in cast("aide").get("/office").text
    send(cast("aide"), f"/office/appointments/{found}/arrived", back="today")
    assert f"/office/appointments/{found}/met" in cast("aide").get("/office").text
    answer = send(cast("aide"), f"/office/appointments/{found}/met", back="today")
    assert answer.headers["location"] == "/office"
    assert office.one(Appointment, Appointment.id == found).state == "met"


def test_the_day_sheet_lists_the_day_in_order(office: Office, cast: Cast, booked: Appointment) -> None:
    day = local_day(booked.slot.starts_at, ZONE)
    assert "عبدالرحمن بن سعد الثاني" in cast("aide").get(f"/office/day/{day}").text
    assert "عبدالرحمن بن سعد الثاني" not in cast("aide").get(f"/office/day/{day + timedelta(days=30)}").text
    assert cast("aide").get("/office/day/yesterday").status_code == 404


def test_opening_a_dossier_leaves_one_receipt_and_renewing_none(
    office: Office, cast: Cast, booked: Appointment
) -> None:
    minister: TestClient = cast("minister")
    mine = (
        DossierReceipt.petition_id == booked.petition_id,
        DossierReceipt.staff_id == office.ministry.people["minister"].id,
    )
    page = minister.get(f"/dossier/{booked.petition_id}")
    assert page.status_code == 200 and "أرجو من معاليكم" in page.text
    assert office.count(DossierReceipt, *mine) == 1
    minister.get(f"/dossier/{booked.petition_id}", headers={"x-fragment": "1"})
    assert office.count(DossierReceipt, *mine) == 1
    assert "سبق أن اطلعتم" in minister.get(f"/dossier/{booked.petition_id}").text
    assert office.count(DossierReceipt, *mine) == 2


def test_who_only_says_that_a_dossier_renews_itself_leaves_the_receipt_and_the_row(office: Office, cast: Cast) -> None:
    petition = office.petition(41)
    read = (AuditEntry.subject_id == petition, AuditEntry.action == "read", AuditEntry.actor_name == "aide")
    for times in (1, 2):
        assert cast("aide").get(f"/dossier/{petition}", headers={"x-fragment": "1"}).status_code == 200
        assert office.count(DossierReceipt, DossierReceipt.petition_id == petition) == 1
        assert office.count(AuditEntry, *read) == times


def test_the_dossier_leads_into_the_meeting(office: Office, cast: Cast, booked: Appointment) -> None:
    with office.db.read() as session:
        meeting = meetings.of_appointment(session, booked.id)
        assert meeting
        address = f"/meeting/{meeting.id}"
    assert address in cast("minister").get(f"/dossier/{booked.petition_id}").text
    assert address in cast("aide").get(f"/office/appointments/{booked.id}").text


@pytest.mark.parametrize("who", ["receptionist", "officer", "attendant", "interpreter", "hotline", "admin", None])
def test_an_outsider_gets_no_dossier_no_calendar_and_no_order(
    office: Office, cast: Cast, booked: Appointment, who: str | None
) -> None:
    for address in (
        f"/dossier/{booked.petition_id}",
        "/office/calendar",
        "/office/directives",
        "/office/day/2026-10-28",
    ):
        answer = cast(who).get(address)
        assert answer.status_code == (303 if who is None else 404)


def test_an_order_goes_from_the_mark_to_its_proof(office: Office, cast: Cast, booked: Appointment, send: Send) -> None:
    with office.db.write() as session:
        order = directives.mark(session, "meeting", booked.petition_id, 12.0, by="aide", now=office.now).id
    address = f"/office/directives/{order}"
    assert address in cast("aide").get("/office").text
    assert send(cast("aide"), f"{address}/write", text=" ").status_code == 422
    send(cast("aide"), f"{address}/write", text="يُنظر في الطلب خلال أسبوع.")
    assert f"{address}/sign" not in cast("aide").get(address).text
    assert send(cast("aide"), f"{address}/sign").status_code == 404
    shown = re.search(r'name="read" value="(\w+)"', cast("minister").get(address).text)
    assert shown
    send(cast("aide"), f"{address}/write", text="يُنظر في الطلب خلال شهر.")
    assert send(cast("minister"), f"{address}/sign", read=shown[1]).status_code == 422, "these words were not read"
    shown = re.search(r'name="read" value="(\w+)"', cast("minister").get(address).text)
    assert shown
    send(cast("minister"), f"{address}/sign", read=shown[1])
    assert office.one(Directive, Directive.id == order).state == "signed"
    department = office.ministry.departments["rights"].id
    assert send(cast("aide"), f"{address}/assign", department=department, due="").status_code == 422
    due = local_day(office.now, ZONE) + timedelta(days=7)
    send(cast("aide"), f"{address}/assign", department=department, due=str(due))
    send(cast("aide"), f"{address}/fulfil", proof="نُظر فيه بالقرار ٥.")
    assert office.one(Directive, Directive.id == order).state == "fulfilled"
    assert "نُظر فيه بالقرار ٥." in cast("aide").get(address).text
    assert address in cast("aide").get("/office/directives?show=done").text


def test_the_office_writes_an_order_given_where_nothing_was_recorded(
    office: Office, cast: Cast, booked: Appointment, send: Send
) -> None:
    minister = office.ministry.people["minister"].id
    case = office.one(Petition, Petition.id == booked.petition_id).case_number
    assert f"/office/directives/new?case={case}" in cast("aide").get(f"/dossier/{booked.petition_id}").text
    fields = {"case": case, "given_by": minister, "text": "تُصرف مساعدة عاجلة."}
    wrong: tuple[dict[str, str], ...] = ({"case": "48-999999"}, {"given_by": "aide"}, {"text": " "}, {"case": ""})
    for change in wrong:
        refused = send(cast("aide"), "/office/directives", **fields | change)
        assert refused.status_code == 422 and ("تُصرف" in refused.text or change == {"text": " "}), change
    made = send(cast("aide"), "/office/directives", **fields)
    address = made.headers["location"]
    assert made.status_code == 303 and "تُصرف مساعدة عاجلة." in cast("aide").get(address).text
    assert f"{address}/sign" not in cast("aide").get(address).text
    send(cast("minister"), f"{address}/sign", read=_read(cast, address))
    due = str(local_day(office.now, ZONE) + timedelta(days=7))
    send(cast("aide"), f"{address}/assign", department=office.ministry.departments["rights"].id, due=due)
    assert send(cast("aide"), f"{address}/report", progress=" ").status_code == 422
    send(cast("aide"), f"{address}/report", progress="صُرف نصفها.")
    for page in (address, "/office/directives", f"/dossier/{booked.petition_id}"):
        assert "صُرف نصفها." in cast("aide").get(page).text, page
    outsiders: tuple[str | None, ...] = ("receptionist", "officer", "hotline", "admin", None)
    for outsider in outsiders:
        browser = cast(outsider)
        assert browser.get("/office/directives/new").status_code == (303 if outsider is None else 404)


def test_a_department_reports_on_its_order_and_proves_it_with_a_paper(
    office: Office, cast: Cast, booked: Appointment, send: Send
) -> None:
    minister, now = office.ministry.people["minister"].id, office.now
    officer = office.ministry.people["officer"]
    with office.db.write() as session:
        order = directives.order(session, booked.petition_id, given_by=minister, text="نص", by=minister, now=now).id
        directives.sign(session, order, by=minister, now=now)
        due = {"due_at": now + timedelta(days=3), "by": minister, "now": now}
        directives.assign(session, order, department_id=officer.department_id, **due)
    browser, address = cast("officer"), f"/department/orders/{order}"
    send(browser, f"{address}/report", page="/department", progress="طُلبت الأوراق.")
    assert "طُلبت الأوراق." in browser.get("/department").text
    html = browser.get("/department").text
    csrf = re.search(r'name="csrf" (?:content|value)="([^"]+)"', html)
    assert csrf
    fields = {"csrf": csrf[1], "proof": "صُرفت."}
    refused = browser.post(address, data=fields, files={"paper": ("evil.exe", b"MZ" * 60)})
    assert refused.status_code == 422 and "evil.exe" in refused.text and "صُرفت." in refused.text
    assert office.one(Directive, Directive.id == order).state == "assigned"
    assert browser.post(address, data=fields, files={"paper": ("قرار.png", picture())}).status_code == 303
    kept = office.one(Directive, Directive.id == order)
    assert kept.state == "fulfilled" and kept.proof_file_id
    assert f"/files/{kept.proof_file_id}" in cast("aide").get(f"/office/directives/{order}").text
    for outsider in ("receptionist", "hotline", "interpreter"):
        assert send(cast(outsider), f"{address}/report", page="/account", progress="x").status_code == 404


def picture() -> bytes:
    made = BytesIO()
    Image.new("RGB", (8, 8), "white").save(made, "PNG")
    return made.getvalue()


def _read(cast: Cast, address: str) -> str:
    shown = re.search(r'name="read" value="(\w+)"', cast("minister").get(address).text)
    assert shown
    return shown[1]


def test_the_dossier_says_who_stands_beside_the_visitor_and_what_is_still_open(
    office: Office, cast: Cast, booked: Appointment
) -> None:
    petition, now = booked.petition_id, office.now
    with office.db.write() as session:
        agent = visitors.register(
            session, identity_number="1000000008", name="نايف بن فهد الوكيل", phone="0555555555", now=now
        )
        row = session.get_one(Petition, petition)
        session.add(
            PetitionParty(
                petition_id=petition, visitor_id=agent.id, role="agent", power="court", power_number="441",
                valid_until=local_day(now, ZONE) - timedelta(days=1), told=False, at=now,
            )
        )  # fmt: skip
        row.due_at = now - timedelta(days=1)
    page = cast("minister").get(f"/dossier/{petition}").text
    for words in ("نايف بن فهد الوكيل", "441", "انتهت وكالة", "تأخر الرد", "لم تُدقَّق الهوية", "ما لم يُنجز بعد"):
        assert words in page, words


def test_an_administrator_sees_deliveries_but_neither_numbers_nor_links(
    office: Office, cast: Cast, booked: Appointment
) -> None:
    aide, admin = cast("aide").get("/messages").text, cast("admin").get("/messages").text
    assert "+966500000001" in aide and "/p/" in aide
    assert "+966500000001" not in admin and "+966••••••••01"[:5] in admin
    with office.db.read() as session:
        code = session.get_one(Petition, booked.petition_id).follow_code
    assert code in aide and code not in admin
    assert cast("admin").get("/messages?q=nobody").text.count("/messages/") == admin.count("/messages/")


def test_a_manager_sees_the_texts_of_the_own_centres_cases(office: Office, cast: Cast, booked: Appointment) -> None:
    assert "+966500000001" in cast("manager").get("/messages").text
    for outsider in ("receptionist", "officer", "minister", "interpreter"):
        assert cast(outsider).get("/messages").status_code == 404


def test_a_text_is_found_and_its_life_told(office: Office, cast: Cast, booked: Appointment) -> None:
    from messaging.models import Message

    text = office.one(Message, Message.subject_id == booked.petition_id, Message.template == "appointment_video")
    found = cast("hotline").get("/messages?q=0500000001&template=appointment_video&state=sent").text
    assert f"/messages/{text.id}" in found
    assert f"/messages/{text.id}" not in cast("hotline").get("/messages?q=0599999999").text
    page = cast("hotline").get(f"/messages/{text.id}").text
    assert text.body in page
    assert cast("aide").get("/messages/nothing").status_code == 404


def test_the_page_of_an_appointment_says_how_the_connection_of_its_meeting_fared(
    office: Office, cast: Cast, booked: Appointment
) -> None:
    address = f"/office/appointments/{booked.id}"
    assert "كيف كان الاتصال" not in cast("aide").get(address).text
    with office.db.write() as session:
        meeting = meetings.of_appointment(session, booked.id)
        assert meeting
        visitor = next(one for one in meeting.participants if one.role == "visitor")
        figures = {"leg": "v/1", "seconds": 600.0, **FARED, "lost_in": 900, **dict.fromkeys(COUNTS, 9000)}
        meetings.keep_quality(session, meeting.id, visitor.id, began_at=office.now, figures=figures, now=office.now)
    page = cast("aide").get(address).text
    assert "كيف كان الاتصال" in page and "فُقد شيء من الصوت أو الصورة" in page
    assert f"/quality/meetings/{meeting.id}" in page
