from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from reception.hotline import service as hotline
from reception.hotline.models import CallBack, HotlineCall
from reception.petitions import catalogue, service, urgency, verification
from reception.petitions.models import Petition, PetitionType
from tests.unit.web.petitions.conftest import Desk
from web.hotline.routes import to_say

Enter = Callable[..., str]


def petition(desk: Desk, petition_id: str) -> Petition:
    return desk.do(lambda s: s.get_one(Petition, petition_id))


# ── Verification ─────────────────────────────────────────────────────


def test_the_oldest_unchecked_case_lies_open_on_the_desk(desk: Desk, enter: Enter) -> None:
    enter(subject="The older one")
    enter(subject="The younger one")
    page = desk.as_("verifier").get("/verification").text
    assert "The younger one" in page
    assert "The older one" in page.split('id="verify-title"')[1][:400]


def test_passing_and_returning_from_the_desk(desk: Desk, enter: Enter) -> None:
    first, second = enter(), enter()
    verifier = desk.as_("verifier")
    assert verifier.send_form(f"/verification/{first}", {"decision": "pass"}).status_code == 303
    assert petition(desk, first).verification == "passed"
    data = {"decision": "return", "wrong": "identity", "missing": "The photo is not hers"}
    assert verifier.send_form(f"/verification/{second}", data).status_code == 303
    assert petition(desk, second).state == "returned"
    assert "Objection to a violation" in desk.as_("receptionist").get("/intake").text.split("To be completed")[1]


def test_a_return_says_what_is_wrong_and_what_is_missing(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    answer = desk.as_("verifier").send_form(f"/verification/{petition_id}", {"decision": "return"})
    assert answer.status_code == 422
    assert "Say what is wrong" in answer.text and petition(desk, petition_id).state == "routed"


def test_a_type_corrected_at_the_desk_sends_the_case_on(desk: Desk, enter: Enter) -> None:
    petition_id = enter("violation")
    right = desk.do(lambda s: catalogue.by_code(s, "release").id)
    desk.as_("verifier").send_form(f"/verification/{petition_id}", {"decision": "pass", "type": right})
    found = desk.do(
        lambda s: (s.get_one(Petition, petition_id).department.code, s.get_one(Petition, petition_id).verification)
    )
    assert found == ("prisons", "passed")


def test_nobody_passes_what_he_took_himself_even_by_a_direct_post(desk: Desk, enter: Enter) -> None:
    petition_id = enter(by="verifier")
    assert desk.as_("verifier").send_form(f"/verification/{petition_id}", {"decision": "pass"}).status_code == 409
    assert petition(desk, petition_id).verification == "pending"


def test_the_second_person_agrees_at_the_verification_desk(desk: Desk, enter: Enter) -> None:
    petition_id = enter("retribution", urgency="urgent", urgent_reason="Next week")
    verifier = desk.as_("verifier")
    desk_of_it = f"/verification/{petition_id}"
    page = verifier.get(desk_of_it).text
    assert f"/cases/{petition_id}/agree_urgent" in page and f'name="back" value="{desk_of_it}"' in page
    answer = verifier.send_form(f"/cases/{petition_id}/agree_urgent", {"back": desk_of_it})
    assert answer.headers["location"] == desk_of_it
    assert petition(desk, petition_id).urgency == "urgent"
    assert verifier.get(desk_of_it).status_code == 200


def test_the_proposer_is_not_offered_to_agree(desk: Desk, enter: Enter) -> None:
    petition_id = enter("retribution")
    now = datetime.now(UTC)
    desk.do(lambda s: urgency.propose(s, petition_id, reason="x", staff_id=desk.ids["manager"], now=now))
    manager = desk.as_("manager")
    assert "agree_urgent" not in manager.get(f"/cases/{petition_id}").text
    assert manager.send_form(f"/cases/{petition_id}/agree_urgent").status_code == 409


def test_the_desk_of_another_centre_is_empty(desk: Desk, enter: Enter) -> None:
    enter()
    desk.do(lambda s: setattr(s.get_one(type_of_staff(), desk.ids["verifier"]), "centre_id", "elsewhere"))
    assert "Nothing waits for verification" in desk.as_("verifier").get("/verification").text


def type_of_staff() -> type:
    from core.staff.models import Staff

    return Staff


# ── Hotline ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("q", ["0501234567", "٠٥٠١٢٣٤٥٦٧", "سالم الحربى", "+966 50 123 4567"])
def test_whatever_the_caller_knows_leads_straight_to_the_case(desk: Desk, enter: Enter, q: str) -> None:
    petition_id = enter()
    answer = desk.as_("hotline").get("/hotline", params={"q": q})
    assert answer.headers["location"] == f"/hotline/cases/{petition_id}"


def checked(desk: Desk, petition_id: str) -> str:
    """The case's page for an agent whose caller has shown to be the visitor."""
    visitor, agent = desk.do(lambda s: s.get_one(Petition, petition_id).visitor), desk.as_("hotline")
    said = {"identity": visitor.identity_number[-4:], "called": visitor.phone[-4:]}
    agent.send_form(f"/hotline/cases/{petition_id}/check", said)
    return agent.get(f"/hotline/cases/{petition_id}").text


def test_the_case_is_read_out_in_plain_words(desk: Desk, enter: Enter) -> None:
    page = checked(desk, enter())
    assert "Your petition was sent to Traffic. It has not confirmed receipt yet." in page


def test_every_state_can_be_read_out() -> None:
    from reception.petitions.states import PETITION
    from web.follow.routes import STATION
    from web.hotline.routes import TO_READ_OUT

    assert set(TO_READ_OUT) == set(STATION) == PETITION.states


def settle(desk: Desk, petition_id: str, text: str, by: str = "officer") -> None:
    now = datetime.now(UTC)
    desk.do(lambda s: service.acknowledge(s, petition_id, staff_id=desk.ids[by], now=now))
    desk.do(lambda s: verification.verify(s, petition_id, staff_id=desk.ids["verifier"], now=now))
    desk.do(lambda s: service.answer(s, petition_id, text=text, staff_id=desk.ids[by], now=now))


def test_an_answer_is_read_out_word_for_word(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    settle(desk, petition_id, "SECRET-ANSWER: the fine is lifted.")
    page = checked(desk, petition_id)
    assert "SECRET-ANSWER" in page.split('id="words"')[1].split("</section>")[0]


def test_the_answer_of_a_confidential_case_is_told_at_the_centre_only(desk: Desk, enter: Enter) -> None:
    petition_id = enter("retribution")
    settle(desk, petition_id, "SECRET-ANSWER", by="aide")
    page = checked(desk, petition_id)
    assert "SECRET-ANSWER" not in page and "The answer is given to you at Riyadh" in page


@pytest.mark.parametrize(
    ("state", "kinds", "said"),
    [
        (
            "acknowledged",
            ["received", "routed", "acknowledged", "appointment", "meeting"],
            "meeting about the petition",
        ),
        ("acknowledged", ["acknowledged", "meeting", "directive", "note"], "it is being carried out"),
        (
            "acknowledged",
            ["acknowledged", "meeting", "directive", "fulfilled"],
            "petition was carried out",
        ),
        ("in_progress", ["acknowledged", "meeting", "begun", "called"], "is working on your petition"),
        ("waiting_visitor", ["begun", "asked", "directive"], "needs something more"),
        ("answered", ["meeting", "answered"], "has answered"),
    ],
)
def test_the_latest_step_decides_what_is_read_out(state: str, kinds: list[str], said: str) -> None:
    found = Petition(state=state, type=PetitionType(confidentiality="open"))
    assert said in to_say(found, kinds)


def test_a_call_is_written_down_and_the_wish_to_be_called_back_too(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    caller = desk.as_("hotline")
    assert caller.send_form(f"/hotline/cases/{petition_id}/call", {"asked": " "}).status_code == 422
    data = {"asked": "When is the answer?", "told": "In two weeks", "call_back": "1"}
    assert caller.send_form(f"/hotline/cases/{petition_id}/call", data).status_code == 303
    call = desk.do(lambda s: s.scalars(select(HotlineCall)).one())
    task = desk.do(lambda s: s.scalars(select(CallBack)).one())
    assert (call.told, task.petition_id) == ("In two weeks", petition_id)
    assert "When is the answer?" in caller.get("/hotline").text


def test_a_call_back_ends_with_its_outcome(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    visitor = petition(desk, petition_id).visitor_id
    task = desk.do(
        lambda s: hotline.call_back(s, visitor_id=visitor, reason="No text arrived", now=datetime.now(UTC)).id
    )
    caller = desk.as_("hotline")
    assert caller.send_form(f"/hotline/call-backs/{task}", {"reached": "yes", "outcome": ""}).status_code == 422
    caller.send_form(f"/hotline/call-backs/{task}", {"reached": "no"})
    caller.send_form(f"/hotline/call-backs/{task}", {"reached": "yes", "outcome": "Told her"})
    done = desk.do(lambda s: s.get_one(CallBack, task))
    assert (done.state, done.tries, done.outcome) == ("done", 2, "Told her")


def test_the_address_of_a_refused_form_leads_to_its_page(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    case = desk.as_("officer").get(f"/cases/{petition_id}/transfer")
    call = desk.as_("hotline").get(f"/hotline/cases/{petition_id}/call")
    assert (case.status_code, case.headers["location"]) == (303, f"/cases/{petition_id}")
    assert (call.status_code, call.headers["location"]) == (303, f"/hotline/cases/{petition_id}")
    assert desk.as_("officer").get(f"/cases/{petition_id}/nothing").status_code == 404


@pytest.mark.parametrize("who", ["receptionist", "officer", "admin", "attendant", "nobody"])
def test_the_hotline_is_for_its_team(desk: Desk, enter: Enter, who: str) -> None:
    petition_id = enter()
    browser = desk.as_(who)
    for path in ("/hotline", "/hotline?q=0501234567", f"/hotline/cases/{petition_id}"):
        assert browser.get(path).status_code == 404


# ── The visitor's own page ───────────────────────────────────────────


def test_the_page_of_the_receipt_tells_the_way_and_nothing_personal(desk: Desk, enter: Enter) -> None:
    found = petition(desk, enter())
    answer = desk.as_(None).get(f"/p/{found.follow_code}")
    assert answer.status_code == 200 and found.case_number in answer.text
    assert "It was sent to Traffic." in answer.text
    for secret in ("الحربي", "0501234567", "966501234567", "SECRET-BODY", "Objection", "Receptionist", found.id):
        assert secret not in answer.text
    assert "noindex" in answer.headers["x-robots-tag"] and 'content="noindex' in answer.text


def test_arabic_comes_first_on_the_visitors_page(desk: Desk, enter: Enter) -> None:
    browser = desk.as_(None)
    browser.cookies.clear()
    page = browser.get(f"/p/{petition(desk, enter()).follow_code}").text
    assert 'lang="ar" dir="rtl"' in page and "طلبك" in page


@pytest.mark.parametrize("code", ["nothing", "0" * 10, "%25", "'"])
def test_an_unknown_code_finds_nothing(desk: Desk, code: str) -> None:
    assert desk.as_(None).get(f"/p/{code}").status_code == 404
