import re
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from core import clock
from core.audit import AuditEntry
from queueing.tickets import service
from queueing.tickets.models import Counter, Ticket
from tests.unit.web.queue.conftest import Place


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
