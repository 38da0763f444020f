"""Two presses at the counter or on the line; what is held, let go, moved and cancelled, and by whom."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import clock
from core.audit import AuditEntry
from core.calendar import local_day
from core.settings import Settings
from messaging.models import Message
from queueing.appointments import resources
from queueing.appointments.models import Appointment, Slot
from reception.petitions.models import Petition
from tests.unit.web.conftest import Cast
from tests.unit.web.office.conftest import ZONE, Office, Send
from web.booking import wishes as booking_wishes


def here(petition: str, verb: str = "") -> str:
    return f"/booking/{petition}" + (f"/{verb}" if verb else "")


def of(office: Office, petition: str, state: str) -> Appointment:
    found: Appointment = office.one(Appointment, Appointment.petition_id == petition, Appointment.state == state)
    return found


def checked(office: Office, cast: Cast, send: Send, petition: str) -> None:
    """The caller on the line has shown to be the visitor."""
    with office.db.read() as session:
        visitor = session.get_one(Petition, petition).visitor
        said = {"identity": visitor.identity_number[-4:], "called": visitor.phone[-4:]}
    send(cast("hotline"), f"/hotline/cases/{petition}/check", page="/hotline", **said)


def previewed(html: str) -> str:
    found = re.search(r"<blockquote[^>]*>(.*?)</blockquote>", html, re.S)
    assert found
    return unescape(found[1])


def test_two_presses_book_the_first_that_fits_and_the_text_is_the_one_shown(
    office: Office, cast: Cast, send: Send
) -> None:
    from web.wiring import make_worker

    petition, slots = office.petition(101), office.slots(8)
    clerk = cast("receptionist")
    assert f'action="/booking/{petition}/first"' in clerk.get(f"/cases/{petition}").text
    held_at = send(clerk, here(petition, "first"), page="/intake").headers["location"]
    page = clerk.get(held_at).text
    held = of(office, petition, "held")
    assert held.slot_id == slots[0] and "data-hold-until" in page and held.code in page
    answer = send(clerk, here(petition, "book"), page=held_at, appointment=held.id)
    assert answer.headers["location"] == here(petition)
    booked = of(office, petition, "booked")
    assert (booked.id, booked.slot_id) == (held.id, slots[0])
    make_worker(
        Settings(sms_provider="null", data_dir=str(office.db.engine.url.database).rpartition("/")[0]), office.db
    ).drain()
    told = office.one(Message, Message.subject_id == petition, Message.template == "appointment_video")
    assert told.body == previewed(page)
    assert told.body in unescape(clerk.get(here(petition)).text)


def test_leaving_the_page_gives_the_place_back(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(102), office.slots(9)
    clerk = cast("receptionist")
    held_at = send(clerk, here(petition, "first"), page="/intake").headers["location"]
    held = of(office, petition, "held")
    send(clerk, here(petition, "release"), page=held_at, appointment=held.id)
    assert of(office, petition, "expired").id == held.id
    assert office.one(Slot, Slot.id == held.slot_id).taken == 0
    assert "held__left" not in clerk.get(held_at).text
    assert office.count(Message, Message.subject_id == petition, Message.template.startswith("appointment")) == 0
    assert slots


def test_a_hold_whose_time_is_over_is_explained_and_nothing_is_booked(office: Office, cast: Cast, send: Send) -> None:
    petition = office.petition(103)
    office.slots(10)
    clerk = cast("receptionist")
    held_at = send(clerk, here(petition, "first"), page="/intake").headers["location"]
    held = of(office, petition, "held")
    with office.db.write() as session:
        session.execute(
            update(Appointment).where(Appointment.id == held.id).values(held_until=clock.now() - timedelta(seconds=1))
        )
    refused = send(clerk, here(petition, "book"), page=held_at, appointment=held.id)
    assert refused.status_code == 409 and "لم يُحجز شيء" in refused.text
    assert office.count(Appointment, Appointment.petition_id == petition, Appointment.state == "booked") == 0
    again = clerk.get(f"{held_at}&over=1").text
    assert "حُفظ هذا الوقت خمس دقائق" in again and f'action="/booking/{petition}/hold"' in again


def test_wishes_choose_the_part_of_the_day_the_kind_and_the_interpreter(office: Office, cast: Cast, send: Send) -> None:
    petition = office.petition(104)
    office.slots(11, hour=10)
    later = office.slots(11, hour=14)
    clerk, since = cast("receptionist"), local_day(office.now, ZONE) + timedelta(days=11)
    wishes = {"wished": "1", "part": "afternoon", "since": since.isoformat(), "kind": "video", "signs": "1"}
    held_at = send(clerk, here(petition, "first"), page="/intake", **wishes).headers["location"]
    held = of(office, petition, "held")
    assert held.slot_id == later[0] and held.interpreter_id == office.ministry.people["interpreter"].id
    assert 'value="afternoon" selected' in clerk.get(held_at).text
    other = send(clerk, here(petition, "hold"), page=held_at, slot=later[1], **wishes)
    assert (
        of(office, petition, "held").slot_id == later[1]
        and urlencode({"part": "afternoon"}) in other.headers["location"]
    )
    none = send(clerk, here(petition, "first"), page=held_at, wished="1", kind="audience", since="2070-01-01")
    assert "لا يوجد وقت مناسب" in clerk.get(none.headers["location"]).text
    assert office.count(Appointment, Appointment.petition_id == petition, Appointment.state == "held") == 0


def test_the_first_that_fits_is_asked_for_again_and_days_are_locked_in_order(
    office: Office, cast: Cast, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else two who go from one day to another, each the other way, would wait for each other."""
    petition, rival, soon, late = office.petition(112), office.petition(113), office.slots(31), office.slots(32)
    clerk, since = cast("receptionist"), str(local_day(office.now, ZONE) + timedelta(days=31))
    wishes = {"wished": "1", "kind": "video", "since": since}
    held_at = send(clerk, here(petition, "hold"), page="/intake", slot=late[0], **wishes).headers["location"]
    given, lock, locked = of(office, petition, "held"), resources.lock, set[date]()

    def in_order(session: Session, touched: Iterable[date]) -> None:
        new = set(touched) - locked
        assert not new or not locked or min(new) > max(locked)
        locked.update(new)
        lock(session, new | locked)

    with monkeypatch.context() as patched:
        patched.setattr(resources, "lock", in_order)
        send(clerk, here(petition, "first"), page=held_at, **wishes)
    assert given.slot_id == late[0] and of(office, petition, "held").slot_id == soon[0] and len(locked) == 2
    send(clerk, here(petition, "first"), page=held_at, **wishes)
    assert of(office, petition, "held").slot_id == soon[0], "its own place is as good as any"
    with monkeypatch.context() as patched:
        patched.setattr(booking_wishes, "fitting", lambda *_, **__: [both[1], both[2]])
        with office.db.read() as session:
            both = [session.get_one(Slot, id_) for id_ in soon]
        send(cast("aide"), "/office/book", petition=rival, slot=soon[1])
        send(clerk, here(petition, "first"), page=held_at, **wishes | {"part": "afternoon"})
    assert of(office, petition, "held").slot_id == soon[2], "taken in that very moment: the next"


def test_two_who_arrange_the_same_appointment_see_each_other(office: Office, cast: Cast, send: Send) -> None:
    petition = office.petition(105)
    office.slots(12)
    mine, other = cast("receptionist"), cast("hotline")
    held_at = send(mine, here(petition, "first"), page="/intake").headers["location"]
    first = of(office, petition, "held")
    unchecked = send(other, here(petition, "first"), page="/hotline", take_over="1")
    assert unchecked.status_code == 409 and of(office, petition, "held").id == first.id
    checked(office, cast, send, petition)
    refused = send(other, here(petition, "first"), page="/hotline")
    assert refused.status_code == 409 and "سارة النموذجية" in refused.text
    assert of(office, petition, "held").id == first.id
    send(other, here(petition, "first"), page="/hotline", take_over="1")
    theirs = of(office, petition, "held")
    assert theirs.booked_by == office.ministry.people["hotline"].id
    for verb, appointment in (("book", first.id), ("book", theirs.id), ("release", theirs.id)):
        send(mine, here(petition, verb), page=held_at, appointment=appointment)
    assert of(office, petition, "held").id == theirs.id


def test_the_hotline_moves_and_cancels_with_a_reason(office: Office, cast: Cast, send: Send) -> None:
    petition, slots = office.petition(106), office.slots(13)
    agent = cast("hotline")
    assert agent.get(here(petition)).status_code == 409, "nobody has said yet who is calling"
    checked(office, cast, send, petition)
    send(
        agent,
        here(petition, "first"),
        page="/hotline",
        wished="1",
        since=str(local_day(office.now, ZONE) + timedelta(days=13)),
    )
    send(agent, here(petition, "book"), page="/hotline", appointment=of(office, petition, "held").id)
    old = of(office, petition, "booked")
    page = agent.get(here(petition, "move")).text
    assert "تغيّر موعدكم" in page and f'value="{old.slot_id}"' not in page
    without = send(agent, here(petition, "move"), page="/hotline", appointment=old.id, slot=slots[1])
    assert without.status_code == 422 and of(office, petition, "booked").id == old.id
    send(agent, here(petition, "move"), page="/hotline", appointment=old.id, slot=slots[1], reason="سفر")
    new = of(office, petition, "booked")
    assert (new.slot_id, new.code, of(office, petition, "moved").reason) == (slots[1], old.code, "سفر")
    stale = send(agent, here(petition, "move"), page="/hotline", appointment=old.id, slot=slots[2], reason="سفر")
    assert stale.status_code == 409 and of(office, petition, "booked").id == new.id
    assert send(agent, here(petition, "cancel"), page="/hotline", appointment=new.id, reason=" ").status_code == 422
    send(agent, here(petition, "cancel"), page="/hotline", appointment=new.id, reason="لا يستطيع الحضور")
    assert of(office, petition, "cancelled").reason == "لا يستطيع الحضور"
    with office.db.read() as session:
        done = set(session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == petition)))
    assert {"read", "book appointment", "move appointment", "cancel appointment"} <= done


def test_a_taken_time_is_said_and_the_old_state_stands(office: Office, cast: Cast, send: Send) -> None:
    mine, rival, slots = office.petition(107), office.petition(108), office.slots(14)
    clerk = cast("receptionist")
    send(cast("aide"), "/office/book", petition=rival, slot=slots[0])
    refused = send(clerk, here(mine, "hold"), page="/intake", slot=slots[0])
    assert refused.status_code == 409 and "حُجز هذا الوقت قبل لحظات" in refused.text
    assert office.count(Appointment, Appointment.petition_id == mine) == 0
    assert send(clerk, here(mine, "hold"), page="/intake", slot="nowhere").status_code == 409


def test_somebody_elses_appointment_is_not_found(office: Office, cast: Cast, send: Send) -> None:
    mine, theirs, slots = office.petition(109), office.petition(110), office.slots(15)
    send(cast("aide"), "/office/book", petition=theirs, slot=slots[0])
    booked = of(office, theirs, "booked")
    checked(office, cast, send, mine)
    for verb in ("book", "release", "move", "cancel"):
        answer = send(
            cast("hotline"), here(mine, verb), page="/hotline", appointment=booked.id, slot=slots[1], reason="x"
        )
        assert answer.status_code == 404, verb
    assert of(office, theirs, "booked").slot_id == slots[0]


def test_those_who_do_not_book_find_nothing(office: Office, cast: Cast, send: Send) -> None:
    petition = office.petition(111)
    for outsider in ("officer", "verifier", "attendant", "interpreter", "admin"):
        assert cast(outsider).get(here(petition)).status_code == 404
        assert send(cast(outsider), here(petition, "first"), page="/account/password").status_code == 404
    assert office.count(Appointment, Appointment.petition_id == petition) == 0
