from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from core.audit import AuditEntry
from core.staff.models import Staff, StaffRole
from reception.files import service as files
from reception.files.rules import inspect
from reception.hotline.models import CallerCheck
from reception.hotline.rules import CHECK_HOLDS
from reception.petitions import service, verification
from reception.petitions.models import Petition
from tests.unit.reception.conftest import CAST
from tests.unit.web.petitions.conftest import Browser, Desk
from web.cases.papers import store_of
from web.cases.verbs import VERBS

Enter = Callable[..., str]
SEES = {"receptionist", "verifier", "manager", "officer", "official", "aide"}
ASKS_FIRST = {"hotline"}  # who is calling; see the tests of the telephone below


def state(desk: Desk, petition_id: str) -> str:
    return desk.do(lambda s: s.get_one(Petition, petition_id).state)


def with_paper(desk: Desk, enter: Enter, photo: bytes, code: str = "violation") -> tuple[str, str]:
    def keep(session) -> str:
        return files.accept(
            session,
            store_of(desk.settings),
            inspect("صورة.jpg", photo, limit=1 << 20),
            staff_id=desk.ids["receptionist"],
            now=datetime.now(UTC),
        ).id

    paper = desk.do(keep)
    return enter(code, files=[paper]), paper


@pytest.mark.parametrize("who", sorted(CAST))
def test_the_case_opens_to_those_concerned_and_to_nobody_else(desk: Desk, enter: Enter, who: str) -> None:
    answer = desk.as_(who).get(f"/cases/{enter()}")
    assert answer.status_code == (200 if who in SEES else 303 if who in ASKS_FIRST else 404)
    assert ("SECRET-BODY" in answer.text) == (who in SEES)


def test_a_stranger_is_sent_to_sign_in(desk: Desk, enter: Enter) -> None:
    answer = desk.as_(None).get(f"/cases/{enter()}")
    assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")


def test_opening_a_case_is_audited_with_who_did_it(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    desk.as_("officer").get(f"/cases/{petition_id}")
    entries = desk.do(lambda s: s.scalars(select(AuditEntry).where(AuditEntry.subject_id == petition_id)).all())
    assert ("read", desk.ids["officer"]) in {(entry.action, entry.actor_id) for entry in entries}


def test_the_hotline_sees_where_a_confidential_case_stands_and_nothing_from_it(
    desk: Desk, enter: Enter, photo: bytes
) -> None:
    petition_id, paper = with_paper(desk, enter, photo, "retribution")
    hotline = desk.as_("hotline")
    caller_checked(desk, hotline, petition_id)
    for page in (f"/cases/{petition_id}", f"/hotline/cases/{petition_id}", "/hotline?q=0501234567&list=1"):
        html = hotline.get(page).text
        assert "48-" in html
        assert "SECRET-BODY" not in html and "صورة.jpg" not in html and "Objection to a violation" not in html
    assert hotline.get(f"/cases/{petition_id}/files/{paper}").status_code == 404


def caller_checked(desk: Desk, agent: Browser, petition_id: str) -> None:
    visitor = desk.do(lambda s: s.get_one(Petition, petition_id).visitor)
    right = {"identity": visitor.identity_number[-4:], "called": visitor.phone[-4:]}
    assert agent.send_form(f"/hotline/cases/{petition_id}/check", right).status_code == 303


def test_on_the_telephone_no_page_of_a_case_opens_before_the_caller_is_checked(
    desk: Desk, enter: Enter, photo: bytes
) -> None:
    petition_id, paper = with_paper(desk, enter, photo)
    agent, case = desk.as_("hotline"), f"/cases/{petition_id}"
    sent = agent.get(case)
    assert (sent.status_code, sent.headers["location"]) == (303, f"/hotline{case}"), "the page that asks who is calling"
    for page in (f"{case}/files/{paper}", f"{case}/files/{paper}/pages/1", f"/booking/{petition_id}",
                 f"/waitlist/{petition_id}", f"/phone/{petition_id}"):  # fmt: skip
        refused = agent.get(page)
        assert refused.status_code == 409 and "Check first who is calling" in refused.text, page
        assert "سالم" not in refused.text and "Objection" not in refused.text, page
    for verb, data in (("note", {"text": "x"}), ("reply", {"reply": "x"}), ("propose_urgent", {"urgent_reason": "x"})):
        assert agent.send_form(f"{case}/{verb}", data).status_code == 409, verb
    caller_checked(desk, agent, petition_id)
    assert "SECRET-BODY" in agent.get(case).text
    assert agent.get(f"{case}/files/{paper}").status_code == 200
    assert agent.send_form(f"{case}/note", {"text": "Asked for the road"}).status_code == 303


def test_the_check_of_one_caller_opens_neither_anothers_case_nor_any_after_the_call(desk: Desk, enter: Enter) -> None:
    mine, anothers, agent, colleague = enter(), enter(), desk.as_("hotline"), desk.as_("hotline")
    caller_checked(desk, agent, mine)
    assert agent.get(f"/cases/{mine}").status_code == 200
    assert agent.get(f"/cases/{anothers}").status_code == 303
    desk.do(lambda s: s.execute(update(CallerCheck).values(at=datetime.now(UTC) - CHECK_HOLDS)))
    assert agent.get(f"/cases/{mine}").status_code == 303, "a quarter of an hour later the caller is asked again"
    caller_checked(desk, agent, mine)
    agent.send_form(f"/hotline/cases/{mine}/call", {"asked": "Where is it?"})
    assert colleague.get(f"/cases/{mine}").status_code == 303, "the call is written down: the next caller is another"


def test_who_stands_before_the_visitor_asks_no_digits(desk: Desk, enter: Enter) -> None:
    """A receptionist who also answers the telephone sees the own centre's case, and no other one unasked."""
    petition_id = enter()
    for who in ("receptionist", "far-receptionist"):
        desk.do(lambda s, who=who: s.add(StaffRole(staff_id=desk.ids[who], role="hotline")))
    assert desk.as_("receptionist").get(f"/cases/{petition_id}").status_code == 200
    assert desk.as_("far-receptionist").get(f"/cases/{petition_id}").status_code == 303


def test_a_paper_is_served_harmlessly_and_the_reading_audited(desk: Desk, enter: Enter, photo: bytes) -> None:
    petition_id, paper = with_paper(desk, enter, photo)
    answer = desk.as_("officer").get(f"/cases/{petition_id}/files/{paper}")
    assert answer.status_code == 200 and answer.content.startswith(b"\xff\xd8")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("inline; filename*=UTF-8''%D8")
    assert "no-store" in answer.headers["cache-control"]
    assert desk.do(
        lambda s: s.scalar(select(AuditEntry).where(AuditEntry.subject_id == paper, AuditEntry.action == "read"))
    )


@pytest.mark.parametrize("who", sorted(set(CAST) - SEES - ASKS_FIRST))
def test_a_paper_is_closed_to_outsiders(desk: Desk, enter: Enter, photo: bytes, who: str) -> None:
    petition_id, paper = with_paper(desk, enter, photo)
    assert desk.as_(who).get(f"/cases/{petition_id}/files/{paper}").status_code == 404


def test_a_paper_is_not_found_under_another_case(desk: Desk, enter: Enter, photo: bytes) -> None:
    _, paper = with_paper(desk, enter, photo)
    assert desk.as_("officer").get(f"/cases/{enter()}/files/{paper}").status_code == 404


def test_the_officers_way_by_the_buttons_of_the_page(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    desk.do(lambda s: verification.verify(s, petition_id, staff_id=desk.ids["verifier"], now=datetime.now(UTC)))
    officer = desk.as_("officer")
    for verb, data, then in (
        ("acknowledge", {}, "acknowledged"),
        ("begin", {}, "in_progress"),
        ("ask", {"question": "Bring the licence"}, "waiting_visitor"),
        ("reply", {"reply": "Brought it"}, "in_progress"),
        ("answer", {"answer": "Cancelled"}, "answered"),
        ("close", {"close_reason": "settled"}, "closed"),
    ):
        assert f"/cases/{petition_id}/{verb}" in officer.get(f"/cases/{petition_id}").text
        answer = officer.send_form(f"/cases/{petition_id}/{verb}", data)
        assert (answer.status_code, state(desk, petition_id)) == (303, then), verb


def test_an_empty_dialog_comes_back_open_with_its_error_and_changes_nothing(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    answer = desk.as_("officer").send_form(f"/cases/{petition_id}/transfer", {"reason": "kept words"})
    assert answer.status_code == 422
    assert "kept words" in answer.text and "data-dialog-now" in answer.text
    assert state(desk, petition_id) == "routed"


@pytest.mark.parametrize("who", ["far-receptionist", "far-officer", "attendant", "interpreter", "admin", "nobody"])
def test_no_verb_is_open_to_outsiders(desk: Desk, enter: Enter, who: str) -> None:
    petition_id = enter("retribution")
    outsider = desk.as_(who)
    data = {"reason": "x", "text": "x", "missing": "x", "department": "x", "close_reason": "settled"}
    for verb in VERBS:
        assert outsider.send_form(f"/cases/{petition_id}/{verb}", data).status_code == 404, verb
    assert state(desk, petition_id) == "routed"


def test_every_verb_needs_a_leave_that_some_role_has() -> None:
    from reception.access import MAY

    granted = set().union(*MAY.values())
    assert set(VERBS) <= granted
    assert granted - set(VERBS) == {"paper", "book"}, "these have pages of their own"


def test_a_receptionist_cannot_do_an_officers_verb_on_a_case_she_sees(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    assert desk.as_("receptionist").send_form(f"/cases/{petition_id}/acknowledge").status_code == 409
    assert state(desk, petition_id) == "routed"


def test_papers_brought_later_join_the_case(desk: Desk, enter: Enter, photo: bytes) -> None:
    petition_id = enter()
    officer = desk.as_("officer")
    uploads = [("papers", ("late.jpg", photo)), ("papers", ("evil.exe", b"MZ" * 50))]
    answer = officer.send_form(f"/cases/{petition_id}/papers", files=uploads)
    page = officer.get(answer.headers["location"]).text
    assert "late.jpg" in page and "Paper added: late.jpg" in page and "evil.exe” is a program" in page


def test_after_a_verb_nobody_is_led_to_another_site(desk: Desk, enter: Enter) -> None:
    for back in ("//evil.example", "https://evil.example", "/\\evil.example"):
        petition_id = enter()
        answer = desk.as_("officer").send_form(f"/cases/{petition_id}/acknowledge", {"back": back})
        assert answer.headers["location"] == f"/cases/{petition_id}"


def test_what_a_person_wrote_is_shown_as_text_never_as_markup(desk: Desk, enter: Enter) -> None:
    petition_id = enter(subject="<img src=x onerror=alert(1)>", body="</p><script>alert(2)</script> more text")
    html = desk.as_("officer").get(f"/cases/{petition_id}").text
    assert "<script>alert" not in html and "<img src=x" not in html


def test_the_inbox_shows_only_what_lies_with_the_department(desk: Desk, enter: Enter) -> None:
    enter("violation")
    enter("release", subject="Of the prisons")
    page = desk.as_("officer").get("/department").text
    assert "Objection to a violation" in page and "Of the prisons" not in page
    assert "Of the prisons" in desk.as_("far-officer").get("/department").text


def test_the_inbox_is_searched_by_number_name_and_subject(desk: Desk, enter: Enter) -> None:
    enter("violation")
    officer = desk.as_("officer")
    for q, found in (
        ("48-000001", False),
        ("الحربي", True),
        ("objection", True),
        ("%", True),
        ("nothing like it", False),
    ):
        case = desk.do(lambda s: s.scalars(select(Petition.case_number)).one())
        wanted = case if q.startswith("48") else q
        page = officer.get("/department", params={"q": wanted}).text
        assert (f"/cases/{desk.do(lambda s: s.scalars(select(Petition.id)).one())}" in page) == (
            found or wanted == case
        ), q


def test_a_page_number_that_is_none_shows_the_first_page(desk: Desk, enter: Enter) -> None:
    enter()
    officer = desk.as_("officer")
    for page in ("0", "-1", "x", "²", "99999999999"):
        assert officer.get("/department", params={"page": page}).status_code == 200


def test_receipt_is_confirmed_from_the_list(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    assert desk.as_("officer").send_form(f"/department/{petition_id}/acknowledge").status_code == 303
    assert state(desk, petition_id) == "acknowledged"
    assert desk.as_("far-officer").send_form(f"/department/{petition_id}/acknowledge").status_code == 404


def test_the_case_page_of_every_state_renders_in_both_languages(desk: Desk, enter: Enter) -> None:
    petition_id = enter("retribution")
    aide = desk.as_("aide")
    now = datetime.now(UTC)
    courses = (
        lambda s: service.acknowledge(s, petition_id, staff_id=desk.ids["officer"], now=now),
        lambda s: service.ask_visitor(s, petition_id, question="?", staff_id=desk.ids["officer"], now=now),
        lambda s: verification.send_back(s, petition_id, missing="id", staff_id=desk.ids["officer"], now=now),
        lambda s: verification.complete(s, petition_id, note="done", staff_id=desk.ids["receptionist"], now=now),
        lambda s: service.close(s, petition_id, reason="withdrawn", staff_id=desk.ids["officer"], now=now),
        lambda s: service.reopen(s, petition_id, reason="came back", staff_id=desk.ids["manager"], now=now),
    )
    for course in courses:
        desk.do(course)
        for lang in ("ar", "en"):
            answer = aide.get(f"/cases/{petition_id}", params={"lang": lang})
            assert answer.status_code == 200, course
            assert "{" not in answer.text.split("<main")[1].split("</main>")[0], "a placeholder was left unfilled"


def test_who_answers_in_two_windows_loses_no_words_in_the_second(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    officer = desk.as_("officer")
    assert officer.send_form(f"/cases/{petition_id}/acknowledge").status_code == 303
    assert officer.send_form(f"/cases/{petition_id}/close", {"close_reason": "settled"}).status_code == 303
    again = officer.send_form(f"/cases/{petition_id}/ask", {"question": "My long and careful question"})
    assert again.status_code == 409 and "in another window" in again.text
    assert "My long and careful question" in again.text and "A colleague was faster" not in again.text


def test_what_is_late_is_one_press_away_and_says_where_it_stands(desk: Desk, enter: Enter) -> None:
    late, in_time = enter(subject="Left lying"), enter(subject="In its time")
    desk.do(lambda s: setattr(s.get(Petition, late), "due_at", datetime.now(UTC) - timedelta(days=2)))
    officer = desk.as_("officer")
    assert 'href="/department?shelf=late"' in officer.get("/department").text
    shelf = officer.get("/department?shelf=late").text
    assert f"/cases/{late}" in shelf and f"/cases/{in_time}" not in shelf
    case = officer.get(f"/cases/{late}").text
    assert 'href="/department?shelf=to-confirm"' in case, "back to where it lies"


def test_a_note_says_who_wrote_it(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    name = desk.do(lambda s: s.get_one(Staff, desk.ids["verifier"]).name_en)
    desk.as_("verifier").send_form(f"/cases/{petition_id}/note", {"text": "Rang twice."})
    notes = desk.as_("officer").get(f"/cases/{petition_id}").text.split('id="notes"')[1].split("</article>")[0]
    assert name in notes and "Rang twice." in notes
