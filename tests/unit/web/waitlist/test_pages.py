"""The waitlist as desks meet it: wishes changed with or without the turn, an earlier day beside the booking."""

from datetime import timedelta

from queueing.appointments import service as appointments
from queueing.appointments.models import Appointment
from queueing.waitlist.models import Waiting
from reception.petitions.models import Petition
from tests.unit.web.conftest import Cast
from tests.unit.web.office.conftest import Office, Send, office, send

__all__ = ["office", "send"]


def test_broader_wishes_keep_the_turn_and_others_do_not(office: Office, cast: Cast, send: Send) -> None:
    aide, petition = cast("aide"), office.petition(801)
    page = f"/waitlist/{petition}"
    wishes = {"kind": "video", "centre": office.ministry.centres["central"].id, "official": "", "class": "regular"}
    assert send(aide, f"{page}/join", page=page, **wishes).status_code == 303
    began = office.one(Waiting, Waiting.petition_id == petition).joined_at
    assert 'action="' + page + '/change"' in aide.get(page).text
    assert send(aide, f"{page}/change", page=page, **wishes | {"kind": "", "centre": ""}).status_code == 303
    assert "الدور كما هو" in aide.get(page).text
    assert office.one(Waiting, Waiting.petition_id == petition).joined_at == began
    assert send(aide, f"{page}/change", page=page, **wishes | {"kind": "audience"}).status_code == 303
    assert "يُحسب الانتظار من اليوم" in aide.get(page).text
    row = office.one(Waiting, Waiting.petition_id == petition)
    assert row.joined_at > began and row.kind == "audience"
    wrong = send(aide, f"{page}/change", page=page, **wishes | {"latest": "2020-01-01"})
    assert wrong.status_code == 422 and 'id="f-latest-error"' in wrong.text
    assert office.one(Waiting, Waiting.petition_id == petition).kind == "audience", "the old wishes stand"


def test_who_is_booked_may_wait_for_an_earlier_day(office: Office, cast: Cast, send: Send) -> None:
    aide, petition = cast("aide"), office.petition(802)
    page = f"/waitlist/{petition}"
    assert send(aide, f"{page}/earlier", page=page).status_code in (403, 409), "there is nothing to give back"
    slot, *_ = office.slots(33, kind="audience")
    with office.db.write() as session:
        who = session.get_one(Petition, petition).visitor_id
        has = appointments.book(
            session, slot_id=slot, visitor_id=who, petition_id=petition, by="aide", now=office.now
        ).id
    assert "Wait for an earlier day" in aide.get(f"{page}?lang=en").text
    assert send(aide, f"{page}/earlier", page=page).status_code == 303
    row = office.one(Waiting, Waiting.petition_id == petition)
    assert row.for_earlier and row.kind == "audience" and timedelta() <= row.joined_at - office.now
    assert "لديه موعد ويرجو يومًا أقرب" in aide.get("/waitlist?lang=ar").text
    assert office.one(Appointment, Appointment.id == has).state == "booked"


def test_on_the_telephone_the_line_has_no_names_before_a_caller_is_checked(
    office: Office, cast: Cast, send: Send
) -> None:
    aide, petition = cast("aide"), office.petition(803)
    page = f"/waitlist/{petition}"
    wishes = {"kind": "audience", "centre": "", "official": "", "class": "regular"}
    assert send(aide, f"{page}/join", page=page, **wishes).status_code == 303
    with office.db.read() as session:
        name = session.get_one(Petition, petition).visitor.name
    assert name in aide.get("/waitlist?lang=en").text
    told = cast("hotline").get("/waitlist?lang=en").text
    assert "Shown once the caller is checked" in told and name not in told and petition not in told
