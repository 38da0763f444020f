import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from core import clock
from core.audit import AuditEntry
from queueing.tickets import service
from queueing.tickets.models import Counter, ServicePoint, Ticket
from queueing.tickets.rules import Because
from reception.visitors import service as visitors
from tests.unit.web.queue.conftest import Place
from web.counter import words

TEMPLATES = Path(words.__file__).parents[1] / "templates"


def take(place: Place, **wishes: Any) -> Ticket:
    given = {"service_point_id": place.point_id, "section": "men", "language": "ar"} | wishes
    with place.db.write() as session:
        urgent = given.pop("urgent", False)
        ticket = service.issue(session, centre_id=place.centre_id, now=clock.now(), zone="Asia/Riyadh", **given)
        if urgent:
            service.propose_urgent(session, ticket.id, "one", reason="a retribution case", now=clock.now())
            service.agree_urgent(session, ticket.id, "another", now=clock.now())
        return ticket


def state(place: Place, ticket: Ticket) -> str:
    with place.db.read() as session:
        return session.get_one(Ticket, ticket.id).state


@pytest.fixture
def huda(place: Place, press: Any) -> TestClient:
    """A clerk at the first counter."""
    client = place.browser("huda")
    press(client, "/counter", "/counter/open", counter=place.counters[0])
    return client


def test_only_clerks_and_managers_of_a_centre_see_the_console(place: Place) -> None:
    assert place.browser("hotline").get("/counter").status_code == 404
    assert place.browser().get("/counter", follow_redirects=False).headers["location"].startswith("/sign-in")
    assert place.browser("mona").get("/counter").status_code == 200


def test_a_clerk_opens_a_counter_calls_serves_and_finishes(place: Place, press: Any, huda: TestClient) -> None:
    ticket = take(place)
    assert "A1" in press(huda, "/counter", "/counter/next").text
    assert state(place, ticket) == "called"
    press(huda, "/counter", f"/counter/tickets/{ticket.id}/start")
    assert f"/intake?ticket={ticket.id}" in huda.get("/counter").text
    press(huda, "/counter", f"/counter/tickets/{ticket.id}/finish")
    assert state(place, ticket) == "finished"


def test_finish_and_call_next_is_one_press(place: Place, press: Any, huda: TestClient) -> None:
    first, second = take(place), take(place)
    press(huda, "/counter", "/counter/next")
    press(huda, "/counter", f"/counter/tickets/{first.id}/start")
    press(huda, "/counter", "/counter/next")
    assert (state(place, first), state(place, second)) == ("finished", "called")


def test_a_double_click_on_call_next_calls_one(place: Place, huda: TestClient) -> None:
    take(place)
    waiting = take(place)
    html = huda.get("/counter").text
    form = re.search(r'action="/counter/next".*?</form>', html, re.DOTALL)
    assert form
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form.group()))
    for _ in range(2):
        assert huda.post("/counter/next", data=fields).status_code == 200
    assert state(place, waiting) == "waiting"


def test_a_refusal_is_a_sentence_on_the_console(place: Place, press: Any, huda: TestClient) -> None:
    ticket = take(place)
    stale = huda.get("/counter?lang=en").text
    press(huda, "/counter", "/counter/next")
    take(place)
    fields = dict(re.findall(r'name="(csrf|once)" value="([^"]*)"', stale[stale.index('action="/counter/next"') :]))
    answer = huda.post("/counter/next", data=fields | {"once": "another tab"}, follow_redirects=False)
    shown = huda.get("/counter?lang=en").text
    assert answer.status_code == 303 and "A1" in shown and 'class="toast toast--danger"' in shown
    assert state(place, ticket) == "called"


def test_a_clerk_of_another_centre_reaches_no_ticket_and_no_counter(place: Place, press: Any) -> None:
    ticket = take(place)
    outsider = place.browser("outsider")
    html = outsider.get("/counter").text
    csrf = re.search(r'name="csrf" content="([^"]+)"', html)
    assert csrf and "A1" not in html
    assert outsider.get(f"/counter/tickets/{ticket.id}").status_code == 404
    for address in ("/counter/open", f"/counter/tickets/{ticket.id}/cancel"):
        answer = outsider.post(address, data={"csrf": csrf.group(1), "counter": place.counters[0]})
        assert answer.status_code == 404, address
    assert state(place, ticket) == "waiting"


def test_a_clerk_touches_only_the_visitor_at_the_own_counter(place: Place, press: Any, huda: TestClient) -> None:
    ticket = take(place)
    press(huda, "/counter", "/counter/next")
    salem = place.browser("salem")
    press(salem, "/counter", "/counter/open", counter=place.counters[1])
    csrf = re.search(r'name="csrf" content="([^"]+)"', salem.get("/counter").text)
    assert csrf
    for verb in ("start", "return", "cancel", "park", "no-show"):
        salem.post(f"/counter/tickets/{ticket.id}/{verb}", data={"csrf": csrf.group(1), "reason": "papers"})
        assert state(place, ticket) == "called", verb


def test_setting_aside_keeps_the_reason_and_the_place(place: Place, press: Any, huda: TestClient) -> None:
    ticket = take(place)
    press(huda, "/counter", "/counter/next")
    page = press(huda, "/counter", f"/counter/tickets/{ticket.id}/park", reason="papers")
    assert state(place, ticket) == "parked" and "يحضر ورقة" in page.text
    press(huda, "/counter", f"/counter/tickets/{ticket.id}/resume")
    assert state(place, ticket) == "serving"


def test_why_next_is_told_before_and_after_the_call(place: Place, press: Any, huda: TestClient) -> None:
    take(place)
    urgent = take(place, urgent=True)
    why = "A2 before A1: an urgent case comes first."
    assert why in huda.get("/counter?lang=en").text
    press(huda, "/counter", "/counter/next")
    assert why in huda.get(f"/counter/tickets/{urgent.id}?lang=en").text


def test_reading_a_tickets_story_leaves_a_trace(place: Place, huda: TestClient) -> None:
    ticket = take(place)
    huda.get(f"/counter/tickets/{ticket.id}")
    with place.db.read() as session:
        trace = session.scalars(select(AuditEntry).where(AuditEntry.subject_id == ticket.id)).one()
        assert (trace.action, trace.actor_name) == ("read", "huda")


def test_a_visitor_for_whom_no_counter_is_open_is_pointed_out(place: Place, huda: TestClient) -> None:
    with place.db.write() as session:
        session.get_one(Counter, place.counters[0]).sections = ["women"]
    take(place)
    assert "waits for a counter that is not open" in huda.get("/counter?lang=en").text


def test_a_manager_may_close_a_forgotten_counter_and_a_colleague_may_not(
    place: Place, press: Any, huda: TestClient
) -> None:
    salem = place.browser("salem")
    csrf = re.search(r'name="csrf" content="([^"]+)"', salem.get("/counter").text)
    assert csrf
    salem.post("/counter/close", data={"csrf": csrf.group(1), "counter": place.counters[0]})
    with place.db.read() as session:
        assert session.get_one(Counter, place.counters[0]).open
    press(place.browser("mona"), "/counter", "/counter/close")
    with place.db.read() as session:
        assert not session.get_one(Counter, place.counters[0]).open


def test_a_call_for_help_is_answered_once(place: Place, press: Any, huda: TestClient) -> None:
    press(place.browser(), "/kiosk/riyadh?lang=en", "/kiosk/riyadh/help")
    assert "asks for help" in huda.get("/counter?lang=en").text
    press(huda, "/counter", "/counter/help")
    assert "asks for help" not in huda.get("/counter?lang=en").text


def test_the_hall_shows_the_last_call_with_its_mark_and_the_ones_before(
    place: Place, press: Any, huda: TestClient
) -> None:
    for _ in range(2):
        take(place)
    hall = place.browser()
    assert "call__number" not in hall.get("/hall/riyadh").text
    for _ in range(2):
        press(huda, "/counter", "/counter/next")
        called = re.search(r'/counter/tickets/(\w+)/start"', huda.get("/counter").text)
        if called:
            press(huda, "/counter", f"/counter/tickets/{called.group(1)}/start")
    html = hall.get("/hall/riyadh?lang=en").text
    last = re.search(r'data-call="(\w{26})".*?call__number"><bdi dir="ltr">(\w+)<', html, re.DOTALL)
    before = re.search(r'before__call.*?data-call="(\w{26})".*?<bdi dir="ltr">(\w+)<', html, re.DOTALL)
    assert last and before and (last.group(2), before.group(2)) == ("A2", "A1")
    assert last.group(1) > before.group(1)  # the display tells news by this order


def at_the_counter(place: Place, press: Any, huda: TestClient) -> Ticket:
    """A visitor being served at a counter whose clerk then goes home."""
    ticket = take(place)
    press(huda, "/counter", "/counter/next")
    press(huda, "/counter", f"/counter/tickets/{ticket.id}/start")
    return ticket


@pytest.mark.parametrize(("way", "after"), [("finish", "finished"), ("return", "waiting")])
def test_a_manager_releases_a_counter_that_was_left_with_a_visitor(
    place: Place, press: Any, huda: TestClient, way: str, after: str
) -> None:
    ticket = at_the_counter(place, press, huda)
    mona = place.browser("mona")
    assert "/counter/release" in mona.get("/counter").text
    answer = press(mona, "/counter/seats", "/counter/release", way=way)
    assert answer.status_code == 200 and state(place, ticket) == after
    with place.db.read() as session:
        counter = session.get_one(Counter, place.counters[0])
        row = session.scalars(select(AuditEntry).where(AuditEntry.action == "release")).one()
    assert (counter.open, counter.staff_id) == (False, None)
    assert (row.subject_id, row.detail["ticket"], row.detail["way"]) == (counter.id, "A1", way)


def test_nobody_but_the_manager_releases_a_counter(place: Place, press: Any, huda: TestClient) -> None:
    ticket = at_the_counter(place, press, huda)
    salem = place.browser("salem")
    token = re.search(r'name="csrf" value="([^"]+)"', salem.get("/counter").text)
    assert token
    form = {"csrf": token.group(1), "counter": place.counters[0], "ticket": ticket.id, "way": "finish"}
    assert salem.post("/counter/release", data=form).status_code == 404
    assert salem.get("/counter/seats").status_code == 404
    assert state(place, ticket) == "serving"


def test_a_release_that_has_seen_another_visitor_is_refused(place: Place, press: Any, huda: TestClient) -> None:
    first, second = at_the_counter(place, press, huda), take(place)
    mona = place.browser("mona")
    page = mona.get("/counter/seats").text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token
    press(huda, "/counter", "/counter/next")
    form = {"csrf": token.group(1), "counter": place.counters[0], "ticket": first.id, "way": "return"}
    mona.post("/counter/release", data=form)
    assert (state(place, first), state(place, second)) == ("finished", "called")


def token(client: TestClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/counter").text)
    assert found
    return found.group(1)


def english(client: TestClient) -> str:
    return client.get("/counter?lang=en").text


def big(html: str) -> str:
    """What the large button says."""
    found = re.search(r'class="act__label">(.*?)</span>\s*<span class="act__about">(.*?)</span>', html, re.DOTALL)
    assert found
    return f"{found.group(1)} | {found.group(2)}".replace("\u2066", "").replace("\u2069", "")


def point(place: Place, code: str, *, usual_after: str | None = None) -> str:
    with place.db.write() as session:
        row = session.scalars(select(ServicePoint).where(ServicePoint.code == code)).one()
        if usual_after:
            session.get_one(ServicePoint, usual_after).then = [row.id]
        return row.id


def test_the_large_button_says_what_it_will_do(place: Place, press: Any, huda: TestClient) -> None:
    assert big(english(huda)) == "Call next | as soon as somebody waits"
    first, _ = take(place, visitor_class="elderly"), take(place)
    assert big(english(huda)).startswith("Call A1 | Elderly · waiting")
    press(huda, "/counter", "/counter/next")
    assert big(english(huda)).startswith("Start: A1 has come |")
    press(huda, "/counter", f"/counter/tickets/{first.id}/start")
    assert big(english(huda)).startswith("Finish and call A2 |")
    press(huda, "/counter", "/counter/next")
    second = re.search(r'/counter/tickets/(\w+)/start"', english(huda))
    assert second
    press(huda, "/counter", f"/counter/tickets/{second.group(1)}/start")
    assert big(english(huda)) == "Finish A2 | Nobody is waiting for this counter"


def test_a_press_can_be_taken_back_from_the_strip(place: Place, press: Any, huda: TestClient) -> None:
    ticket = take(place)
    press(huda, "/counter", "/counter/next")
    assert "was called" in english(huda)
    press(huda, "/counter", "/counter/undo")
    assert state(place, ticket) == "waiting" and "/counter/undo" not in english(huda)


def test_finish_and_call_is_taken_back_as_one(place: Place, press: Any, huda: TestClient) -> None:
    first, second = take(place), take(place)
    press(huda, "/counter", "/counter/next")
    press(huda, "/counter", f"/counter/tickets/{first.id}/start")
    press(huda, "/counter", "/counter/next")
    assert "is finished, \u2066A2\u2069 was called" in english(huda)
    press(huda, "/counter", "/counter/undo")
    assert (state(place, first), state(place, second)) == ("serving", "waiting")


def test_a_stale_page_takes_back_nothing_else(place: Place, press: Any, huda: TestClient) -> None:
    ticket = take(place)
    press(huda, "/counter", "/counter/next")
    seen = re.search(r'name="seen" value="([^"]+)"', english(huda))
    press(huda, "/counter", f"/counter/tickets/{ticket.id}/start")
    assert seen
    answer = press(huda, "/counter?lang=en", "/counter/undo", seen=seen.group(1))
    assert state(place, ticket) == "serving" and answer.status_code == 200
    assert "toast--danger" in answer.text


def test_who_was_named_but_taken_meanwhile_is_said_and_the_turn_kept(
    place: Place, press: Any, huda: TestClient
) -> None:
    take(place)
    mine = take(place)
    stale = english(huda)
    salem = place.browser("salem")
    press(salem, "/counter", "/counter/open", counter=place.counters[1])
    press(salem, "/counter", "/counter/next")
    form = stale[stale.index('action="/counter/next"') :]
    fields = dict(re.findall(r'name="(csrf|once|expected)" value="([^"]*)"', form)[:3])
    huda.post("/counter/next?lang=en", data=fields, follow_redirects=False)
    shown = english(huda)
    assert state(place, mine) == "called" and "not of \u2066A1\u2069: \u2066A2\u2069 was called" in shown


def test_on_to_the_usual_next_point_is_one_press_and_the_way_is_told_there(
    place: Place, press: Any, huda: TestClient
) -> None:
    ticket = take(place)
    onward = point(place, "ask", usual_after=place.point_id)
    press(huda, "/counter", "/counter/next")
    press(huda, "/counter", f"/counter/tickets/{ticket.id}/start")
    assert "Done: on to Inquiry" in english(huda)
    press(huda, "/counter", f"/counter/tickets/{ticket.id}/forward")
    with place.db.read() as session:
        row = session.get_one(Ticket, ticket.id)
        assert (row.state, row.service_point_id, row.stage, row.label) == ("waiting", onward, 1, "A1")
    press(huda, "/counter", "/counter/next")
    shown = english(huda)
    assert "Point 2 of the visit: Inquiry." in shown and "Was at New petition from" in shown


def test_a_wrong_line_is_another_choice_than_going_on(place: Place, press: Any, huda: TestClient) -> None:
    ticket = take(place)
    other = point(place, "ask")
    press(huda, "/counter", "/counter/next")
    assert f"/counter/tickets/{ticket.id}/forward" not in re.findall(
        r'action="([^"]+)"', english(huda).split("sheets")[0]
    )
    page = huda.get(f"/counter/tickets/{ticket.id}/transfer?lang=en")
    assert "It was the wrong line" in page.text and other in page.text
    press(huda, f"/counter/tickets/{ticket.id}/transfer", f"/counter/tickets/{ticket.id}/transfer", service=other)
    with place.db.read() as session:
        row = session.get_one(Ticket, ticket.id)
        assert (row.state, row.service_point_id, row.stage) == ("waiting", other, 0)


def test_absence_is_possible_only_after_the_written_rule(place: Place, press: Any, huda: TestClient) -> None:
    ticket = take(place)
    press(huda, "/counter", "/counter/next")
    shown = english(huda)
    assert "or after 2 more calls" in shown and f"/{ticket.id}/no-show" not in shown
    with place.db.write() as session:
        row = session.get_one(Ticket, ticket.id)
        row.recalls, row.called_at = 2, clock.now() - timedelta(seconds=30)
    assert "called 3 times" in english(huda)
    press(huda, "/counter", f"/counter/tickets/{ticket.id}/no-show")
    assert state(place, ticket) == "no_show"


def test_a_called_visitor_may_give_up_the_turn_and_a_served_one_goes_back_in_line(
    place: Place, press: Any, huda: TestClient
) -> None:
    gone, back = take(place), take(place)
    press(huda, "/counter", "/counter/next")
    press(huda, "/counter", f"/counter/tickets/{gone.id}/cancel")
    press(huda, "/counter", "/counter/next")
    press(huda, "/counter", f"/counter/tickets/{back.id}/start")
    press(huda, "/counter", f"/counter/tickets/{back.id}/return")
    assert (state(place, gone), state(place, back)) == ("cancelled", "waiting")


def test_urgent_takes_two_people_and_both_see_it(place: Place, press: Any, huda: TestClient) -> None:
    take(place)
    ticket = take(place)
    story = f"/counter/tickets/{ticket.id}"
    press(huda, story, f"{story}/urgent", reason="a flight in an hour")
    assert f"{story}/urgent/agree" not in english(huda) and "waits for a second person" in english(huda)
    token = re.search(r'name="csrf" value="([^"]+)"', english(huda))
    assert token
    huda.post(f"{story}/urgent/agree", data={"csrf": token.group(1)})
    with place.db.read() as session:
        assert not session.get_one(Ticket, ticket.id).urgent
    mona = place.browser("mona")  # at no counter
    assert "asks to put \u2066A2\u2069 before all others" in english(mona)
    press(mona, "/counter", f"{story}/urgent/agree")
    with place.db.read() as session:
        assert session.get_one(Ticket, ticket.id).urgent
    assert big(english(huda)).startswith("Call A2 | Urgent")
    assert "Urgent: agreed by huda and mona" in huda.get(f"{story}?lang=en").text


def test_a_counter_is_left_with_a_visitor_only_by_saying_what_becomes_of_the_visitor(
    place: Place, press: Any, huda: TestClient
) -> None:
    ticket = at_the_counter(place, press, huda)
    assert 'action="/counter/close"' not in english(huda)
    press(huda, "/counter/leave", "/counter/release", way="return")
    assert state(place, ticket) == "waiting"
    with place.db.read() as session:
        counter = session.get_one(Counter, place.counters[0])
        assert (counter.open, counter.staff_id) == (False, None)


def test_who_lost_the_counter_meanwhile_is_told_and_nothing_is_called(
    place: Place, press: Any, huda: TestClient
) -> None:
    ticket = take(place)
    stale = english(huda)
    press(place.browser("mona"), "/counter", "/counter/close")
    fields = dict(re.findall(r'name="(csrf|once)" value="([^"]*)"', stale[stale.index('action="/counter/next"') :])[:2])
    answer = huda.post("/counter/next", data=fields)
    assert answer.status_code == 200 and "toast--danger" in answer.text and state(place, ticket) == "waiting"


def test_a_known_visitor_is_shown_with_earlier_visits_and_read_once_for_each_call(
    place: Place, press: Any, huda: TestClient
) -> None:
    with place.db.write() as session:
        known = visitors.register(
            session, identity_number="1000000503", name="سالم العتيبي", phone="0500000051", language="ar",
            sign_language=False, now=clock.now(),
        ).id  # fmt: skip
    take(place, visitor_id=known)
    press(huda, "/counter", "/counter/next")
    assert "سالم العتيبي" in english(huda) and "First visit" in english(huda)
    with place.db.read() as session:
        read = select(AuditEntry).where(AuditEntry.subject_id == known, AuditEntry.action == "read")
        rows = session.scalars(read).all()
    assert [(row.action, row.detail["at"]) for row in rows] == [("read", "counter")]


def test_with_the_same_wait_in_words_a_need_explains_the_order() -> None:
    ctx: Any = SimpleNamespace(lang="en", _=str, ngettext=lambda one, many, n: one if n == 1 else many)
    faster = Because("faster_rate", "A2", "A1", waited=0.2, rate=2, than_waited=0.3)
    said = words.because(ctx, faster)
    assert said == "A2 before A1: with the same wait, each minute counts 2 times, not 1."
    longer = words.because(ctx, Because("longest", "A1", "A2", waited=3.4, than_waited=3.1))
    assert longer == "A1 before A2: waited a little longer."
    assert "(4 minutes against 3 minutes)" in words.because(
        ctx, Because("longest", "A1", "A2", waited=4, than_waited=3)
    )


def test_booking_shares_its_key_with_no_other_verb_of_the_turn() -> None:
    turn = (TEMPLATES / "counter/turn.html").read_text()
    (booking,) = re.findall(r'press = "(\w)"', turn)
    others = re.findall(r'(?:shortcut=|", )"(\w)"', turn)
    assert {"b", "t", "p", "e"} <= set(others) and booking not in others


def test_calling_again_too_soon_is_no_alarm(place: Place, press: Any, huda: TestClient) -> None:
    ticket = take(place)
    press(huda, "/counter", "/counter/next")
    answer = press(huda, "/counter?lang=en", f"/counter/tickets/{ticket.id}/recall")
    assert "toast--wait" in answer.text and "toast--danger" not in answer.text


def test_the_five_that_come_next_are_told_with_why_and_the_rest_is_folded(place: Place, huda: TestClient) -> None:
    for _ in range(8):
        take(place)
    shown = english(huda)
    assert "3 more in this line" in shown and "A4 before A5: waited a little longer." in shown


def test_a_break_is_two_presses_and_its_end_one(place: Place, press: Any, huda: TestClient) -> None:
    ticket = take(place)
    assert 'action="/counter/break"' in english(huda)
    page = press(huda, "/counter?lang=en", "/counter/break", minutes="15").text
    assert "On a break until" in english(huda) and "Nobody is called" in english(huda) and page
    assert big(english(huda)).startswith("I am back |")
    assert "is on a break" in huda.post("/counter/next?lang=en", data={"csrf": token(huda)}).text
    with place.db.read() as session:
        counter = session.get_one(Counter, place.counters[0])
        assert counter.back_at and timedelta(minutes=14) < counter.back_at - clock.now() <= timedelta(minutes=16)
        assert counter.back_at.second == counter.back_at.microsecond == 0, "a time that a person would say"
        assert session.get_one(Ticket, ticket.id).state == "waiting"
    assert "back at" in place.browser("mona").get("/counter?lang=en").text, "the manager sees it among the counters"
    with place.db.write() as session:
        session.get_one(Counter, place.counters[0]).back_at = clock.now() - timedelta(minutes=4)
    assert "You meant to be back at" in english(huda) and "4 minutes ago" in english(huda)
    press(huda, "/counter", "/counter/back")
    assert big(english(huda)).startswith(f"Call {ticket.label}")


@pytest.mark.parametrize("typed", ["soon", "25:10", "٩:٧٥", ""])
def test_a_return_that_is_no_time_is_said_plainly(place: Place, huda: TestClient, typed: str) -> None:
    answer = huda.post("/counter/break?lang=ar", data={"csrf": token(huda), "back_at": typed})
    assert "اكتب الوقت هكذا: ١٠:٣٠" in answer.text
    with place.db.read() as session:
        assert session.get_one(Counter, place.counters[0]).back_at is None


def test_a_break_is_said_to_those_who_wait_for_that_counter(place: Place, press: Any, huda: TestClient) -> None:
    ticket = take(place)
    press(huda, "/counter", "/counter/break", minutes="30")
    phone = place.browser().get(f"/t/{ticket.code}?lang=en").text
    assert "The counter for this is back at" in phone and "30 to 35 minutes" in phone, "the forecast knows it"
    hall = place.browser().get("/hall/riyadh?lang=en").text
    assert "Counter 1 is back at" in hall and "Please keep your ticket" in hall, "beside what stands there anyhow"
