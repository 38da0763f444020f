"""The visitor's own page: what is asked and answered, behind the last four digits of the phone."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core import clock
from messaging.models import Dispatch, Message
from messaging.numbers.models import NumberCode
from reception.files.models import Attachment
from reception.follow.models import FollowDoor, Satisfaction
from reception.follow.rules import OPEN_FOR, TRIES
from reception.notify import petitions as texts
from reception.parties import service as parties
from reception.parties.models import PetitionParty
from reception.parties.rules import AGENT, Power
from reception.parties.service import Person
from reception.petitions import events, queries, service, verification
from reception.petitions.models import Petition
from reception.visitors import service as visitors
from tests.unit.reception.conftest import identity
from tests.unit.web.petitions.conftest import Browser, Desk
from web.appointment.guesses import MOST
from web.follow import asking
from web.follow import opened as opened_here
from web.follow.asking import case_number

Enter = Callable[..., str]
DIGITS = "4567"
QUESTION, ANSWER = "SECRET-QUESTION: which car was it?", "SECRET-ANSWER: the fine is lifted."


@pytest.fixture(autouse=True)
def nobody_has_asked() -> None:
    asking.guesses.forget()


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


def test_a_reply_written_for_longer_than_the_page_is_open_is_kept_and_sent_with_the_digits(
    desk: Desk, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    petition_id = enter()
    address = ask(desk, petition_id)
    browser = opened(desk, address)
    later = datetime.now(UTC) + OPEN_FOR + timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    page = browser.post(f"{address}/reply", data={"reply": "The white one.", "once": "k1"})
    assert page.status_code == 422 and 'name="digits"' in page.text
    assert "The white one.</textarea>" in page.text and QUESTION not in page.text
    page = browser.post(f"{address}/reply", data={"reply": "The white one.", "digits": "", "once": "k2"})
    assert page.status_code == 422 and "Please fill this in." in page.text
    page = browser.post(f"{address}/reply", data={"reply": "The white one.", "digits": "0000", "once": "k3"})
    assert "These are not the last four digits" in page.text and "The white one.</textarea>" in page.text
    assert desk.do(lambda s: s.get_one(FollowDoor, petition_id).wrong) == 1
    sent = browser.post(f"{address}/reply", data={"reply": "The white one.", "digits": "٤٥٦٧", "once": "k4"})
    assert sent.headers["location"] == address and petition(desk, petition_id).state == "in_progress"
    assert [n.text for n in desk.do(lambda s: queries.notes(s, petition_id)) if n.kind == "reply"] == ["The white one."]


def test_a_reply_with_guessed_digits_pauses_as_any_door_does(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    address = ask(desk, petition_id)
    browser = desk.as_(None)
    for _ in range(TRIES):
        page = browser.post(f"{address}/reply", data={"reply": "I guess", "digits": "0000"})
    assert "Too many wrong tries" in page.text and "I guess</textarea>" in page.text
    browser.post(f"{address}/reply", data={"reply": "I guess", "digits": DIGITS})
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


# ── With a code by text ──────────────────────────────────────────────


def code_sent(desk: Desk) -> str:
    """The digits that are on their way: only the sending has them."""
    return desk.do(lambda s: re.search(r"\d{6}", s.scalars(select(Dispatch)).all()[-1].body)[0])


def asked_for(desk: Desk, petition_id: str, phone: str = "٠٥٠١٢٣٤٥٦٧") -> Browser:
    browser = desk.as_(None)
    number = petition(desk, petition_id).case_number
    answer = browser.post("/follow", data={"case": number.replace("-", ""), "phone": phone})
    assert (answer.status_code, answer.headers["location"]) == (303, "/follow/code")
    return browser


def entered(desk: Desk, petition_id: str) -> tuple[Browser, str]:
    browser = asked_for(desk, petition_id)
    answer = browser.post("/follow/code", data={"code": code_sent(desk)})
    return browser, answer.headers["location"]


def test_the_code_opens_the_words_and_the_way_for_papers(desk: Desk, enter: Enter, photo: bytes) -> None:
    petition_id = enter()
    address = ask(desk, petition_id)
    browser, place = entered(desk, petition_id)
    assert place == address
    page = browser.get(place).text
    assert QUESTION in page and f"{address}/papers" in page
    files = [("papers", ("صك.jpg", photo)), ("papers", ("evil.pdf", b"MZ\x90\0" * 40))]
    assert browser.post(f"{address}/papers", files=files).status_code == 303
    kept = desk.do(lambda s: s.scalars(select(Attachment)).one())
    assert (kept.petition_id, kept.uploaded_by, kept.name) == (petition_id, "", "صك.jpg")
    shown = browser.get(address).text
    assert "evil.pdf” is a program" in shown and "A paper was added" in shown
    assert f"/cases/{petition_id}/files/{kept.id}" in desk.as_("officer").get(f"/cases/{petition_id}").text


def test_a_stranger_learns_nothing_from_asking(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    right, wrong = asked_for(desk, petition_id), asked_for(desk, petition_id, "0559999999")
    assert desk.do(lambda s: len(s.scalars(select(Message)).all())) == 1
    again = asked_for(desk, petition_id)  # too soon for a second code: said to nobody
    pages = [browser.get("/follow/code").text for browser in (right, again)]
    assert "is on its way" in pages[0] and pages[0].count("<p") == pages[1].count("<p")
    assert wrong.get("/follow/code").text.count("<p") == pages[0].count("<p")
    answer = wrong.post("/follow/code", data={"code": code_sent(desk)})
    assert answer.headers["location"] == "/follow/code?wrong=1"


def test_asks_are_counted_alike_whether_the_two_belong_together_or_not(desk: Desk, enter: Enter) -> None:
    """20 strangers' asks, then one more: a number that stands in the case is refused as one that doesn't."""
    number = petition(desk, enter()).case_number

    def ask(phone: str, n: int) -> tuple[int, str]:
        browser = Browser(desk.app, follow_redirects=False, client=(f"2001:db8::{n:x}", 1))
        answer = browser.post("/follow", data={"case": number, "phone": phone})
        return answer.status_code, re.sub(r'name="once" value="[^"]*"', "", answer.text).replace(phone, "")

    assert [ask("0501234567" if n % 2 else "0559999999", n)[0] for n in range(MOST)] == [303] * MOST
    right, wrong = ask("0501234567", 100), ask("0559999999", 101)
    assert right == wrong and right[0] == 429
    beside = Browser(desk.app, follow_redirects=False, client=("2001:db8:0:1::1", 1))
    assert beside.post("/follow", data={"case": number, "phone": "0501234567"}).status_code == 303


def test_a_wrong_code_is_told_alike_whether_there_is_one_or_not(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    right, wrong = asked_for(desk, petition_id), asked_for(desk, petition_id, "0559999999")
    code = f"{(int(code_sent(desk)) + 1) % 10**6:06d}"
    told = [[b.post("/follow/code", data={"code": code}).headers["location"] for _ in range(7)] for b in (right, wrong)]
    assert told[0] == told[1] and len(set(told[0])) == 1
    assert "was tried too often, or its time is over" in right.get(told[0][0]).text


def test_a_code_is_tried_five_times_at_most(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    browser = asked_for(desk, petition_id)
    code = code_sent(desk)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    places = [browser.post("/follow/code", data={"code": wrong}).headers["location"] for _ in range(5)]
    assert set(places) == {"/follow/code?wrong=1"}
    assert browser.post("/follow/code", data={"code": code}).headers["location"] == "/follow/code?wrong=1", "spent"


def test_papers_are_taken_from_no_device_without_the_code(desk: Desk, enter: Enter, photo: bytes) -> None:
    address = ask(desk, enter())
    browser = opened(desk, address)  # the four digits alone
    answer = browser.post(f"{address}/papers", files={"papers": ("a.jpg", photo)})
    assert answer.headers["location"] == "/follow"
    big = browser.post(f"{address}/papers", files={"papers": ("a.jpg", b"x" * (3 << 20))})
    assert big.status_code == 413
    assert desk.do(lambda s: s.scalars(select(Attachment)).all()) == []


def test_an_expired_cookie_that_a_browser_kept_lets_no_papers_in(
    desk: Desk, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    petition_id = enter()
    address = ask(desk, petition_id)
    browser, _ = entered(desk.with_(upload_limit=2 << 20), petition_id)
    kept = {name: browser.cookies[name] for name in (opened_here.COOKIE, opened_here.FILES_COOKIE)}
    big = {"papers": ("a.jpg", b"x" * (3 << 20))}  # more than a form without papers may have
    assert browser.post(f"{address}/papers", files=big).status_code == 303
    later = clock.now() + OPEN_FOR
    monkeypatch.setattr(clock, "now", lambda: later)
    for name, value in kept.items():
        browser.cookies.delete(name)
        browser.cookies.set(name, value)
    assert browser.post(f"{address}/papers", files=big).status_code == 413


def test_one_who_stands_beside_may_follow_and_an_agent_until_the_power_ends(desk: Desk, enter: Enter) -> None:
    petition_id = enter()

    def put(session: Session, until: date) -> None:
        now = datetime.now(UTC)
        agent = visitors.register(
            session, identity_number=identity(77), name="Agent Person", phone="0559999999", now=now
        )
        person = Person(agent, AGENT, power=Power("wakala", "12", until), proof_id=None)
        parties.add(session, session.get_one(Petition, petition_id), [person], now=now)

    desk.do(lambda s: put(s, date(2070, 1, 1)))
    asked_for(desk, petition_id, "0559999999")
    assert desk.do(lambda s: s.scalars(select(Message)).one().to_number) == "+966559999999"
    desk.do(lambda s: setattr(s.scalars(select(PetitionParty)).one(), "valid_until", date(2020, 1, 1)))
    desk.do(lambda s: s.execute(delete(NumberCode)))
    asked_for(desk, petition_id, "0559999999")
    assert desk.do(lambda s: len(s.scalars(select(Message)).all())) == 1


def test_a_visitor_says_once_how_it_was(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    address = ask(desk, petition_id)
    now = datetime.now(UTC)
    desk.do(lambda s: service.visitor_replied(s, petition_id, reply="Here", staff_id=None, now=now))
    desk.do(lambda s: verification.verify(s, petition_id, staff_id=desk.ids["verifier"], now=now))
    assert "How was it?" not in opened(desk, address).get(address).text, "not before the end"
    desk.do(lambda s: service.answer(s, petition_id, text="Granted", staff_id=desk.ids["officer"], now=now))
    browser = opened(desk, address)
    assert "How was it?" in browser.get(address).text
    browser.post(f"{address}/how", data={"score": "9"})
    browser.post(f"{address}/how", data={"score": "4", "words": "Quick\u202e"})
    browser.post(f"{address}/how", data={"score": "1"})
    said = desk.do(lambda s: s.scalars(select(Satisfaction)).one())
    assert (said.score, said.words, said.department_id is not None) == (4, "Quick", True)
    assert "Thank you for telling us" in browser.get(address).text
    nobody = desk.as_(None).post(f"{address}/how", data={"score": "1"})
    assert nobody.status_code == 303 and desk.do(lambda s: len(s.scalars(select(Satisfaction)).all())) == 1


@pytest.mark.parametrize(
    ("typed", "number"),
    [("48-000123", "48-000123"), ("٤٨-٠٠٠١٢٣", "48-000123"), ("48000123", "48-000123"), ("48-123", "48-000123"),
     ("\u200e48–000123", "48-000123"), ("123", ""), ("48-0001234", ""), ("'; DROP", "")],
)  # fmt: skip
def test_a_case_number_is_understood_as_people_type_it(typed: str, number: str) -> None:
    assert case_number(typed) == number
