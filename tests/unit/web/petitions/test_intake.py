import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.db import new_id
from core.jobs import Job
from core.staff.models import Staff, StaffRole
from queueing.tickets.models import Counter, ServicePoint, Ticket
from reception.files import service as files
from reception.files.models import Attachment
from reception.files.rules import inspect
from reception.files.virus import Verdict
from reception.parties.models import PetitionParty
from reception.petitions import catalogue
from reception.petitions.models import Petition, PetitionDraft, UrgentProposal
from reception.visitors import service as visitors
from reception.visitors.models import Visitor
from tests.unit.reception.conftest import identity
from tests.unit.reception.test_reading import spoken
from tests.unit.web.petitions.conftest import Browser, Desk, draft_of
from web.cases import papers
from web.cases.papers import store_of
from web.scanning import ScannerAway, scan_handler

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


@pytest.mark.parametrize(
    ("typed", "said"),
    [("١٠٨٨٧٧٦٦٥٠", "swapped"), ("108877665", "ten digits"), ("1088776651", ""), ("0501234568", "")],
)
def test_a_misread_identity_number_is_said_when_it_is_looked_up(desk: Desk, typed: str, said: str) -> None:
    browser = desk.as_("receptionist")
    fields = {"draft": opened(browser), "q": typed}
    answer = browser.send_form("/intake/visitor?lang=en", fields).json()
    assert (said in answer["wrong"]) if said else answer["wrong"] == ""


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


# ── Others beside the visitor ────────────────────────────────────────

AGENT = {
    "acting": "1", "agent_identity_number": identity(8), "agent_name": "سعد بن فهد", "agent_phone": "0561112222",
    "agent_power": "wakala", "agent_number": "٤٥١", "agent_until": "2070-01-01", "told": "agent",
    "p1_identity_number": identity(9), "p1_name": "هند القحطاني", "p1_phone": "0557654321", "p1_relation": "sibling",
    "p1_told": "1",
}  # fmt: skip


def test_one_who_acts_brings_a_proof_and_others_ask_with_the_visitor(
    desk: Desk, form: dict[str, str], photo: bytes
) -> None:
    browser = desk.as_("receptionist")
    draft = opened(browser)
    sent = form | AGENT | {"draft": draft}
    page = refused(browser, sent)
    assert "Scan or add the document" in page and "سعد بن فهد" in page and "هند القحطاني" in page
    browser.send_form("/intake/papers", {"draft": draft}, files={"proof": ("وكالة.jpg", photo)})
    answer = browser.send_form(PAGE, sent)
    assert answer.headers["location"].startswith("/intake/done/"), answer.headers["location"]
    rows = desk.do(lambda s: [(p.role, p.visitor.name, p.told, p.proof_id) for p in s.scalars(select(PetitionParty))])
    proof = one(desk, Attachment)
    assert sorted(rows, key=str) == [
        ("agent", "سعد بن فهد", True, proof.id),
        ("petitioner", "هند القحطاني", True, None),
    ]
    receipt = browser.get(answer.headers["location"]).text
    assert "acts for the visitor" in receipt
    assert "+966561112222" in receipt and "+966501234567" not in receipt
    case = desk.as_("verifier").get(f"/verification/{one(desk, Petition).id}").text
    assert "سعد بن فهد" in case and "Proof of acting" in case


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"agent_until": "2020-01-01"}, "it lets nobody act any more"),
        ({"agent_identity_number": identity(7)}, "stands in the form already"),
        ({"p1_identity_number": "1234567890"}, "A digit is wrong"),
        ({"p1_phone": "12"}, "A mobile number looks like"),
    ],
)
def test_what_is_wrong_with_another_person_is_said_beside_them(
    desk: Desk, form: dict[str, str], wrong: dict[str, str], said: str
) -> None:
    browser = desk.as_("receptionist")
    assert said in refused(browser, form | AGENT | wrong | {"draft": opened(browser)})
    assert count(desk, Petition) == 0 and count(desk, Visitor) == 0


# ── What is on file already ──────────────────────────────────────────

ON_FILE = "هند بنت سعد العتيبي"


def known_before(desk: Desk, number: str) -> None:
    desk.do(lambda s: visitors.register(s, identity_number=number, name=ON_FILE, phone="0555555534", section="women",
                                        now=datetime.now(UTC)))  # fmt: skip


def on_file(desk: Desk, number: str) -> tuple[str, str]:
    return desk.do(
        lambda s: s.execute(select(Visitor.name, Visitor.phone).where(Visitor.identity_number == number)).one()
    )


def test_nobodys_own_details_are_changed_by_somebody_elses_form(desk: Desk, form: dict[str, str]) -> None:
    known_before(desk, identity(9))
    browser = desk.as_("receptionist")
    row = {"p1_identity_number": identity(9), "p1_name": "رجل آخر تماما", "p1_phone": "0599999999", "p1_told": "1"}
    page = refused(browser, form | row | {"draft": opened(browser)})
    assert f"on file for “\u2068{ON_FILE}\u2069”" in page and count(desk, Petition) == 0
    answer = browser.send_form(PAGE, form | row | {"p1_name": "هند العتيبي", "draft": opened(browser)})
    assert answer.headers["location"].startswith("/intake/done/")
    assert tuple(on_file(desk, identity(9))) == (ON_FILE, "+966555555534")
    assert "with the number \u2066+966•••••••34\u2069" in browser.get(answer.headers["location"]).text


def test_a_known_visitors_new_number_is_asked_about_once_more(desk: Desk, form: dict[str, str]) -> None:
    known_before(desk, form["identity_number"])
    browser = desk.as_("receptionist")
    sent = form | {"name": ON_FILE, "phone": "0599999999", "draft": opened(browser)}
    page = refused(browser, sent)
    assert "+966•••••••34" in page and "+966999999" not in page and "+966599999999" in page
    assert "0555555534" not in page and "+966555555534" not in page and form["body"] in page
    key = re.search(r'name="on_file" value="([0-9a-f]{16})"', page)[1]
    assert f'value="{key}" checked' not in page
    other = refused(browser, sent | {"phone": "0599999998", "on_file": key})
    assert "checked" not in re.search(r'name="on_file"[^>]*>', other)[0], "a tick is for what was shown"
    assert on_file(desk, form["identity_number"])[1] == "+966555555534" and count(desk, Petition) == 0
    assert browser.send_form(PAGE, sent | {"on_file": key}).headers["location"].startswith("/intake/done/")
    assert tuple(on_file(desk, form["identity_number"])) == (ON_FILE, "+966599999999")


# ── The same matter, open already ────────────────────────────────────


def test_the_same_matter_is_shown_before_it_is_entered_a_second_time(desk: Desk, form: dict[str, str]) -> None:
    browser = desk.as_("receptionist")
    browser.send_form(PAGE, form | {"draft": opened(browser)})
    first = one(desk, Petition)
    again = form | {"draft": opened(browser)}
    live = browser.send_form("/intake/alike", again).text
    assert first.case_number in live and "the same person" in live and "almost the same words" in live
    page = refused(browser, again)
    assert "There is an open petition like this one" in page and form["body"] in page and count(desk, Petition) == 1
    assert browser.send_form(PAGE, again | {"another": first.id}).status_code == 303
    assert count(desk, Petition) == 2


ELSEWHERE = "The same person has an open petition at another centre"


def test_of_another_centres_case_it_is_told_only_that_there_is_one(desk: Desk, form: dict[str, str]) -> None:
    desk.as_("receptionist").send_form(PAGE, form | {"draft": "a" * 26})
    first, far = one(desk, Petition), desk.as_("far-receptionist")
    for more in (
        {},
        {"type": desk.do(lambda s: catalogue.by_code(s, "violation").id), "subject": "آخر", "body": "آخر"},
    ):
        live = far.send_form("/intake/alike", form | more | {"draft": opened(far)}).text
        assert ELSEWHERE in live and "Riyadh" not in live and "the same type" not in live
        assert first.case_number not in live and first.id not in live and form["subject"] not in live
    again = form | {"draft": opened(far), "subject": "شيء آخر"}
    page = refused(far, again)
    assert ELSEWHERE in page and first.case_number not in page and count(desk, Petition) == 1
    tick = re.search(r'name="another" value="([^"]+)"( checked)?', page)
    assert tick and not tick[2]
    assert far.send_form(PAGE, again | {"another": tick[1]}).status_code == 303
    assert count(desk, Petition) == 2, "whoever stands there is asked, not turned away"


def test_a_tick_is_for_what_was_shown_and_for_nothing_else(desk: Desk, form: dict[str, str]) -> None:
    browser = desk.as_("receptionist")
    browser.send_form(PAGE, form | {"draft": opened(browser)})
    first = one(desk, Petition)
    page = refused(browser, form | {"draft": opened(browser), "another": "a" * 26})
    assert f'name="another" value="{first.id}">' in page, "what somebody else was asked stands for nobody else"
    wrong = refused(browser, form | {"draft": opened(browser), "another": first.id, "phone": "12"})
    assert f'name="another" value="{first.id}" checked>' in wrong, "what was answered need not be answered again"


def test_nobody_finds_out_a_secret_case_by_typing_a_number_and_a_type(desk: Desk, form: dict[str, str]) -> None:
    """Who is threatened may be threatened by somebody who works here."""
    secret = form | {"type": desk.do(lambda s: catalogue.by_code(s, "threat").id)}
    desk.as_("receptionist").send_form(PAGE, secret | {"draft": "a" * 26})
    mine = desk.as_("receptionist").send_form("/intake/alike", secret | {"draft": "b" * 26}).text
    assert one(desk, Petition).case_number in mine, "who took it in is shown it: it is not entered twice"
    desk.do(lambda s: setattr(s.scalars(select(Petition)).one(), "received_by", desk.ids["verifier"]))
    for who in ("receptionist", "far-receptionist"):
        assert 'class="alike"' not in desk.as_(who).send_form("/intake/alike", secret | {"draft": "b" * 26}).text


def test_what_looks_alike_is_written_down_as_read_once_for_a_look(desk: Desk, form: dict[str, str]) -> None:
    near, far = desk.as_("receptionist"), desk.as_("far-receptionist")
    near.send_form(PAGE, form | {"draft": opened(near)})
    first = one(desk, Petition).id
    for browser in (near, far):
        for body in ("ألتمس", form["body"]):
            assert 'class="alike"' in browser.send_form("/intake/alike", form | {"draft": "b" * 26, "body": body}).text
    rows = desk.do(lambda s: [(r.actor_id, r.action) for r in s.scalars(select(AuditEntry)) if r.subject_id == first
                              and r.detail.get("at") == "intake"])  # fmt: skip
    assert sorted(rows) == sorted([(desk.ids["receptionist"], "read"), (desk.ids["far-receptionist"], "find")])


# ── Papers of every kind ─────────────────────────────────────────────


def test_pages_from_the_camera_become_one_paper_and_a_note_can_be_heard(desk: Desk, photo: bytes) -> None:
    browser = desk.as_("receptionist")
    draft = opened(browser)
    pages = [("scan", ("مسح", photo)), ("scan", ("مسح", photo)), ("note", ("note", spoken("libopus", "webm")))]
    page = browser.send_form("/intake/papers", {"draft": draft}, files=pages).text
    assert "2 pages" in page and "Dictated note" in page
    kept = {p.kind: p for p in desk.do(lambda s: s.scalars(select(Attachment)).all())}
    assert (kept["paper"].media_type, kept["note"].media_type) == ("application/pdf", "audio/webm")
    heard = browser.get(f"/intake/papers/{kept['note'].id}")
    assert heard.headers["content-type"] == "audio/webm" and heard.content.startswith(b"\x1aE\xdf\xa3")
    assert browser.get(f"/intake/papers/{kept['paper'].id}/2").headers["content-type"] == "image/jpeg"
    other = desk.as_("far-receptionist")
    assert other.get(f"/intake/papers/{kept['note'].id}").status_code == 404
    assert other.get(f"/intake/papers/{kept['paper'].id}/1").status_code == 404


def test_an_infected_paper_is_refused_and_written_down_and_the_others_stay(
    desk: Desk, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scanner's own line is held in test_virus; here it is what becomes of its answers."""
    said = {photo: Verdict("clean"), b"%PDF-bad": Verdict("infected", "Eicar")}
    monkeypatch.setattr(papers.virus, "scan", lambda _address, data: said.get(data, Verdict("away", "timeout")))
    browser = desk.with_(clamd="unix:/nowhere").as_("receptionist")
    out = io.BytesIO()
    Image.new("RGB", (30, 40)).save(out, "PNG")
    files = [
        ("papers", ("good.jpg", photo)),
        ("papers", ("bad.pdf", b"%PDF-bad")),
        ("papers", ("later.png", out.getvalue())),
    ]
    page = browser.send_form("/intake/papers", {"draft": opened(browser)}, files=files).text
    assert "found something harmful in “bad.pdf”" in page and "not scanned yet" in page
    kept = {p.name: p.scan for p in desk.do(lambda s: s.scalars(select(Attachment)).all())}
    assert kept == {"good.jpg": "clean", "later.png": "waiting"}
    trail = desk.do(lambda s: [e.detail for e in s.scalars(select(AuditEntry)) if e.action == "infected"])
    assert trail == [{"name": "bad.pdf", "found": "Eicar"}]
    assert desk.do(lambda s: [j.kind for j in s.scalars(select(Job))]).count("papers.scan") == 1


def test_the_scanner_is_asked_again_until_it_answers(desk: Desk, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = desk.settings.model_copy(update={"clamd": "unix:/nowhere"})
    paper = inspect("a.jpg", photo, limit=1 << 20)
    now = datetime.now(UTC)
    file_id = desk.do(
        lambda s: (
            files.accept(
                s, store_of(settings), paper, staff_id=desk.ids["receptionist"], scan=files.WAITING, now=now
            ).id
        )
    )
    handler = scan_handler(settings, desk.db)
    with pytest.raises(ScannerAway):
        handler.act({"file_id": file_id})
    monkeypatch.setattr("web.scanning.virus.scan", lambda _address, _data: Verdict("infected", "Eicar"))
    found = handler.act({"file_id": file_id})
    desk.do(lambda s: handler.record(s, {"file_id": file_id}, found, now))
    assert one(desk, Attachment).locked
    assert desk.as_("receptionist").get(f"/intake/papers/{file_id}/1").status_code == 409


# ── Forms that are taken over ────────────────────────────────────────


def waiting_ticket(session: Session, ids: dict[str, str]) -> str:
    """A visitor being served by the first receptionist; a second one sits at the next counter."""
    first = session.get_one(Staff, ids["receptionist"])
    second = Staff(
        id=new_id(), username="second", password_hash="-", name_ar="زميلة", name_en="Second",
        centre_id=first.centre_id, role_rows=[StaffRole(role="receptionist")],
    )  # fmt: skip
    point = ServicePoint(
        id=new_id(), centre_id=first.centre_id, code="r", letter="A", name_ar="استقبال", name_en="R", sections=["men"]
    )
    counters = [
        Counter(
            id=new_id(), centre_id=first.centre_id, number=n, name_ar="شباك", name_en="Counter",
            service_point_ids=[point.id], sections=["men"], languages=["ar"], open=True, staff_id=person.id,
        )
        for n, person in ((1, first), (2, second))
    ]  # fmt: skip
    session.add_all([second, point])
    session.flush()
    session.add_all(counters)
    session.flush()
    now = datetime.now(UTC)
    ticket = Ticket(
        id=new_id(), centre_id=first.centre_id, day=now.date(), number=1, label="A001", service_point_id=point.id,
        section="men", language="ar", visitor_class="regular", state="serving", issued_at=now, ranked_from=now,
        eligible_at=now, expires_at=now + timedelta(hours=8), counter_id=counters[0].id,
    )  # fmt: skip
    session.add(ticket)
    session.flush()
    ids |= {"second": second.id, "counter-2": counters[1].id}
    return ticket.id


def test_whoever_serves_the_visitor_next_goes_on_with_the_form(desk: Desk, photo: bytes) -> None:
    first = desk.as_("receptionist")
    draft = opened(first)
    ticket = desk.do(lambda s: waiting_ticket(s, desk.ids))
    first.send_form("/intake/draft", {"draft": draft, "ticket": ticket, "body": "BEGUN-AT-THE-FIRST"})
    first.send_form("/intake/papers", {"draft": draft}, files={"papers": ("a.jpg", photo)})
    second = desk.as_("second")
    assert "BEGUN-AT-THE-FIRST" not in second.get(f"{PAGE}?ticket={ticket}").text
    assert second.send_form("/intake/take-over", {"ticket": ticket}).status_code == 404, "not served here yet"
    desk.do(lambda s: setattr(s.get_one(Ticket, ticket), "counter_id", desk.ids["counter-2"]))
    assert "begun at another counter" in second.get(f"{PAGE}?ticket={ticket}").text
    place = second.send_form("/intake/take-over", {"ticket": ticket}).headers["location"]
    page = second.get(place).text
    assert "BEGUN-AT-THE-FIRST" in page and "a.jpg" in page
    assert "BEGUN-AT-THE-FIRST" not in first.get(f"{PAGE}?draft={draft}").text


def test_ten_thousand_letters_of_both_directions_come_back_as_they_were_written(
    desk: Desk, form: dict[str, str]
) -> None:
    browser = desk.as_("receptionist")
    body = ("طلب رقم ABC-123 بتاريخ 2026/10/27 (urgent!) " * 240)[:10_000].strip()
    data = form | {"draft": opened(browser), "body": body + "\u202e", "phone": "+44 7700 900123"}
    assert browser.send_form(PAGE, data).status_code == 303
    petition = one(desk, Petition)
    assert petition.body == body and desk.do(lambda s: s.scalars(select(Visitor)).one().phone) == "+447700900123"
    long = form | {"draft": opened(browser), "body": "ا" * 12_001, "another": petition.id}
    assert "12,000" in refused(browser, long).replace("12000", "12,000")
