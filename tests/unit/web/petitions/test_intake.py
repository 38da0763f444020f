from collections.abc import Callable

import pytest
from sqlalchemy import select

from core.audit import AuditEntry
from reception.files.models import Attachment
from reception.petitions import catalogue
from reception.petitions.models import Petition, PetitionDraft, UrgentProposal
from reception.visitors.models import Visitor
from tests.unit.reception.conftest import identity
from tests.unit.web.petitions.conftest import Browser, Desk, draft_of

PAGE = "/intake"


@pytest.fixture
def form(desk: Desk) -> dict[str, str]:
    return {
        "identity_number": identity(7),
        "name": "نورة عبد الله القحطاني",
        "phone": "٠٥٠١٢٣٤٥٦٧",
        "language": "ar",
        "section": "women",
        "type": desk.do(lambda s: catalogue.by_code(s, "retribution").id),
        "papers_later": "1",
        "subject": "التماس في قضية قصاص",
        "body": "ألتمس النظر في قضية أخي قبل موعد التنفيذ.",
    }


def opened(browser: Browser) -> str:
    return draft_of(browser.get(PAGE).text)


def refused(browser: Browser, data: dict[str, str], **more: object) -> str:
    """The page that a wrong form leads to."""
    answer = browser.send_form(PAGE, data, **more)
    assert answer.status_code == 303 and "check=1" in answer.headers["location"], answer.text
    return browser.get(answer.headers["location"]).text


def one(desk: Desk, model: type):
    return desk.do(lambda s: s.scalars(select(model)).one())


def count(desk: Desk, model: type) -> int:
    return desk.do(lambda s: len(s.scalars(select(model)).all()))


def test_a_filled_form_becomes_a_routed_petition_with_a_receipt(desk: Desk, form: dict[str, str]) -> None:
    browser = desk.as_("receptionist")
    answer = browser.send_form(PAGE, form | {"draft": opened(browser)})
    assert answer.status_code == 303
    petition = one(desk, Petition)
    assert answer.headers["location"] == f"/intake/done/{petition.id}"
    receipt = browser.get(answer.headers["location"]).text
    assert petition.case_number in receipt and petition.follow_code in receipt
    assert "Sent to Rights and cases" in receipt
    assert count(desk, PetitionDraft) == 0


def test_sent_twice_it_is_entered_once(desk: Desk, form: dict[str, str]) -> None:
    browser = desk.as_("receptionist")
    sent = form | {"draft": opened(browser), "once": "same-key"}
    places = {browser.send_form(PAGE, sent).headers["location"] for _ in range(2)}
    assert len(places) == 1 and count(desk, Petition) == 1


def test_a_wrong_form_says_all_that_is_wrong_and_keeps_what_was_typed(desk: Desk, form: dict[str, str]) -> None:
    browser = desk.as_("receptionist")
    wrong = form | {"draft": opened(browser), "identity_number": "1234567890", "phone": "12", "type": "", "subject": ""}
    page = refused(browser, wrong)
    for words in ("A digit is wrong", "A mobile number looks like", "Choose the type first", "Write in a few words"):
        assert words in page
    assert form["name"] in page and form["body"] in page and "1234567890" in page
    assert count(desk, Petition) == 0 and count(desk, Visitor) == 0


def test_papers_outlive_a_wrong_form_and_go_with_the_right_one(desk: Desk, form: dict[str, str], photo: bytes) -> None:
    browser = desk.as_("receptionist")
    draft = opened(browser)
    files = {"papers": ("بطاقة.jpg", photo, "image/jpeg")}
    page = refused(browser, form | {"draft": draft, "subject": ""}, files=files)
    assert "بطاقة.jpg" in page and "Checked and kept" in page
    reloaded = browser.get(f"{PAGE}?draft={draft}").text
    assert "بطاقة.jpg" in reloaded and form["body"] in reloaded
    assert browser.send_form(PAGE, form | {"draft": draft}).status_code == 303
    assert one(desk, Attachment).petition_id == one(desk, Petition).id


def test_a_bad_paper_is_named_and_the_good_one_beside_it_kept(desk: Desk, form: dict[str, str], photo: bytes) -> None:
    browser = desk.as_("receptionist")
    files = [("papers", ("good.jpg", photo)), ("papers", ("evil.jpg", b"MZ\x90\0" * 40)), ("papers", ("none.pdf", b""))]
    answer = browser.send_form("/intake/papers", {"draft": opened(browser)}, files=files)
    assert answer.status_code == 200
    assert "evil.jpg” is a program" in answer.text and "none.pdf” is empty" in answer.text
    assert one(desk, Attachment).name == "good.jpg"


def test_a_paper_can_be_taken_back_by_its_owner_only(desk: Desk, photo: bytes) -> None:
    browser = desk.as_("receptionist")
    draft = opened(browser)
    browser.send_form("/intake/papers", {"draft": draft}, files={"papers": ("a.jpg", photo)})
    file = one(desk, Attachment).id
    stranger = desk.as_("far-receptionist")
    assert stranger.send_form("/intake/papers/remove", {"draft": draft, "file": file}).status_code == 404
    assert browser.send_form("/intake/papers/remove", {"draft": draft, "file": file}).status_code == 303
    assert count(desk, Attachment) == 0


def test_a_draft_is_kept_and_nobody_else_reads_it(desk: Desk) -> None:
    browser = desk.as_("receptionist")
    draft = opened(browser)
    assert browser.send_form("/intake/draft", {"draft": draft, "body": "SECRET-DRAFT"}).status_code == 204
    assert "SECRET-DRAFT" in browser.get(f"{PAGE}?draft={draft}").text
    other = desk.as_("far-receptionist")
    assert "SECRET-DRAFT" not in other.get(f"{PAGE}?draft={draft}").text
    assert other.send_form("/intake/draft", {"draft": draft, "body": "mine"}).status_code == 404
    browser.send_form("/intake/discard", {"draft": draft})
    assert "SECRET-DRAFT" not in browser.get(f"{PAGE}?draft={draft}").text


def test_a_known_visitor_is_found_and_the_reading_is_audited(desk: Desk, enter: Callable[..., str]) -> None:
    enter()
    browser = desk.as_("receptionist")
    answer = browser.send_form("/intake/visitor", {"draft": opened(browser), "q": "0501234567"}).json()
    assert [person["name"] for person in answer["found"]] == ["سالم بن أحمد الحربي"]
    assert "Objection to a violation" in answer["html"]
    kinds = desk.do(lambda s: {(e.action, e.subject_kind) for e in s.scalars(select(AuditEntry))})
    assert ("read", "visitor") in kinds


def test_earlier_cases_of_another_centre_are_not_shown_with_the_visitor(desk: Desk, enter: Callable[..., str]) -> None:
    enter()
    browser = desk.as_("far-receptionist")
    answer = browser.send_form("/intake/visitor", {"draft": opened(browser), "q": "0501234567"}).json()
    assert answer["found"] and "Objection to a violation" not in answer["html"]


def test_without_scripts_looking_up_fills_the_form_and_loses_nothing(desk: Desk, enter: Callable[..., str]) -> None:
    enter()
    browser = desk.as_("receptionist")
    data = {"draft": opened(browser), "identity_number": "٠٥٠١٢٣٤٥٦٧", "body": "written before looking up"}
    answer = browser.send_form("/intake/lookup", data)
    page = browser.get(answer.headers["location"]).text
    assert "سالم بن أحمد الحربي" in page and "written before looking up" in page


def test_urgency_is_a_proposal_with_a_reason(desk: Desk, form: dict[str, str]) -> None:
    browser = desk.as_("receptionist")
    data = form | {"draft": opened(browser), "urgent": "1"}
    assert "Write a few words" in refused(browser, data)
    assert browser.send_form(PAGE, data | {"urgent_reason": "التنفيذ بعد أسبوع"}).status_code == 303
    assert one(desk, Petition).urgency == "normal"
    assert one(desk, UrgentProposal).agreed is None


@pytest.mark.parametrize(
    "who",
    ["verifier", "manager", "officer", "official", "aide", "hotline", "attendant", "interpreter", "admin", "nobody"],
)
def test_the_desk_is_for_receptionists(desk: Desk, form: dict[str, str], who: str) -> None:
    browser = desk.as_(who)
    assert browser.get(PAGE).status_code == 404
    assert browser.send_form(PAGE, form | {"draft": "0" * 26}).status_code == 404
    assert count(desk, Petition) == 0


def test_a_form_of_another_site_is_refused(desk: Desk, form: dict[str, str]) -> None:
    browser = desk.as_("receptionist")
    draft = opened(browser)
    assert browser.post(PAGE, data=form | {"draft": draft}).status_code == 403
    assert (
        browser.send_form(PAGE, form | {"draft": draft}, headers={"origin": "https://evil.example"}).status_code == 403
    )
    assert count(desk, Petition) == 0


def test_the_way_back_from_the_receipt_asks_for_no_second_sending(desk: Desk, form: dict[str, str]) -> None:
    browser = desk.as_("receptionist")
    draft = opened(browser)
    refused(browser, form | {"draft": draft, "subject": ""})
    assert browser.send_form(PAGE, form | {"draft": draft}).status_code == 303
    back = browser.get(f"{PAGE}?draft={draft}&check=1")
    assert (back.status_code, back.headers["location"]) == (303, PAGE)


def test_a_search_without_a_hit_names_the_type_as_it_is_called(desk: Desk) -> None:
    page = desk.as_("receptionist").get(PAGE).text
    name = page.split("Choose “")[1].split("”")[0]
    assert f"<span>{name}</span>" in page
