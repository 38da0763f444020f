"""The visitor's own page: what is asked and answered, behind the last four digits of the phone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from messaging.models import Message
from reception.follow.models import FollowDoor
from reception.follow.rules import TRIES
from reception.notify import petitions as texts
from reception.petitions import events, queries, service, verification
from reception.petitions.models import Petition
from tests.unit.web.petitions.conftest import Browser, Desk

Enter = Callable[..., str]
DIGITS = "4567"
QUESTION, ANSWER = "SECRET-QUESTION: which car was it?", "SECRET-ANSWER: the fine is lifted."


def petition(desk: Desk, petition_id: str) -> Petition:
    return desk.do(lambda s: s.get_one(Petition, petition_id))


def at_work(desk: Desk, petition_id: str) -> None:
    by = {"staff_id": desk.ids["officer"], "now": datetime.now(UTC)}
    desk.do(lambda s: service.acknowledge(s, petition_id, **by))


def ask(desk: Desk, petition_id: str) -> str:
    """Returns the page's address."""
    at_work(desk, petition_id)
    by = {"staff_id": desk.ids["officer"], "now": datetime.now(UTC)}
    desk.do(lambda s: service.ask_visitor(s, petition_id, question=QUESTION, **by))
    return f"/p/{petition(desk, petition_id).follow_code}"


def answer(desk: Desk, petition_id: str) -> str:
    at_work(desk, petition_id)
    now = datetime.now(UTC)
    desk.do(lambda s: verification.verify(s, petition_id, staff_id=desk.ids["verifier"], now=now))
    desk.do(lambda s: service.answer(s, petition_id, text=ANSWER, staff_id=desk.ids["officer"], now=now))
    return f"/p/{petition(desk, petition_id).follow_code}"


def opened(desk: Desk, address: str, digits: str = DIGITS) -> Browser:
    browser = desk.as_(None)
    assert browser.post(f"{address}/open", data={"digits": digits}).status_code == 303
    return browser


def test_a_question_is_read_and_answered_on_the_visitors_page(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    address = ask(desk, petition_id)
    assert QUESTION not in desk.as_(None).get(address).text
    browser = opened(desk, address)
    assert QUESTION in browser.get(address).text
    sent = {"reply": "The white one.", "once": "k1"}
    for _ in range(2):  # a double tap writes one reply
        assert browser.post(f"{address}/reply", data=sent).headers["location"] == address
    found = petition(desk, petition_id)
    notes = desk.do(lambda s: [n for n in queries.notes(s, petition_id) if n.kind == "reply"])
    assert found.state == "in_progress" and [(n.text, n.staff_id) for n in notes] == [("The white one.", None)]
    assert "The white one." in desk.as_("officer").get(f"/cases/{petition_id}").text
    assert "SECRET-QUESTION" not in browser.get(address).text


def test_the_answer_is_read_behind_the_digits(desk: Desk, enter: Enter) -> None:
    address = answer(desk, enter())
    assert ANSWER not in desk.as_(None).get(address).text
    assert ANSWER in opened(desk, address, "٤٥٦٧").get(address).text


def test_a_reply_without_the_digits_is_not_taken(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    address = ask(desk, petition_id)
    desk.as_(None).post(f"{address}/reply", data={"reply": "I am somebody else"})
    assert petition(desk, petition_id).state == "waiting_visitor"


@pytest.mark.parametrize("cookie", ["", "x", "9999999999.00", "9999999999", "."])
def test_no_made_up_cookie_opens_the_page(desk: Desk, enter: Enter, cookie: str) -> None:
    address = ask(desk, enter())
    browser = desk.as_(None)
    browser.cookies.set("majlis_follow", cookie)
    page = browser.get(address)
    assert page.status_code == 200 and QUESTION not in page.text


def test_one_petitions_cookie_does_not_open_another(desk: Desk, enter: Enter) -> None:
    first, second = ask(desk, enter()), ask(desk, enter())
    browser = opened(desk, first)
    other = desk.as_(None)
    other.cookies.set("majlis_follow", browser.cookies["majlis_follow"])
    assert QUESTION not in other.get(second).text


def test_a_few_wrong_tries_then_a_pause_in_which_the_right_digits_open_nothing(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    address = ask(desk, petition_id)
    for _ in range(TRIES):
        browser = opened(desk, address, "0000")
    assert "Too many wrong tries" in browser.get(address).text
    assert QUESTION not in opened(desk, address).get(address).text
    past = datetime.now(UTC) - timedelta(seconds=1)
    desk.do(lambda s: setattr(s.get_one(FollowDoor, petition_id), "paused_until", past))
    assert QUESTION in opened(desk, address).get(address).text
    assert desk.do(lambda s: s.get_one(FollowDoor, petition_id).wrong) == 0


def test_a_wrong_try_is_told_plainly(desk: Desk, enter: Enter) -> None:
    address = ask(desk, enter())
    browser = desk.as_(None)
    back = browser.post(f"{address}/open", data={"digits": "12"}).headers["location"].split("#")[0]
    assert "These are not the last four digits" in browser.get(back).text


def test_a_confidential_case_says_at_your_centre_and_opens_for_no_digits(desk: Desk, enter: Enter) -> None:
    petition_id = enter("retribution")
    by = {"staff_id": desk.ids["aide"], "now": datetime.now(UTC)}
    desk.do(lambda s: service.acknowledge(s, petition_id, **by))
    desk.do(lambda s: service.ask_visitor(s, petition_id, question=QUESTION, **by))
    address = f"/p/{petition(desk, petition_id).follow_code}"
    page = opened(desk, address).get(address).text
    main = page.split("<main")[1].split("</main>")[0]
    assert QUESTION not in page and "told to you alone, at Riyadh" in main
    assert "hotline" not in main and f"{address}/open" not in page


@pytest.mark.parametrize(("code", "where"), [("violation", "/p/"), ("retribution", "centre")])
def test_the_texts_say_where_to_read_it(desk: Desk, enter: Enter, code: str, where: str) -> None:
    petition_id = enter(code)
    found = petition(desk, petition_id)
    ids = {"petition_id": petition_id, "visitor_id": found.visitor_id, "department_id": found.department_id or ""}
    now = datetime.now(UTC)
    desk.do(lambda s: setattr(s.get_one(Petition, petition_id).visitor, "language", "en"))
    desk.do(lambda s: texts.text_visitor_asked(s, events.VisitorAsked(**ids), now=now, settings=desk.settings))
    desk.do(lambda s: texts.text_petition_answered(s, events.PetitionAnswered(**ids), now=now, settings=desk.settings))
    bodies = desk.do(lambda s: [m.body for m in s.scalars(select(Message))])
    assert len(bodies) == 2 and all(where in body for body in bodies)
    assert all(("/p/" in body) == (where == "/p/") for body in bodies)
