"""Pages of the course: opinions, decisions, a faster colleague, why a deadline falls when it does, who was told."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from reception.centres.models import Department
from reception.classifier import agreement, rules
from reception.classifier.models import Suggestion
from reception.deadlines import escalation
from reception.deadlines import service as deadlines
from reception.petitions import catalogue, service, verification
from reception.petitions.events import PetitionReceived, PetitionReclassified
from reception.petitions.models import Petition, PetitionType, RoutingRule
from tests.unit.reception.test_classifier import tiny
from tests.unit.web.petitions.conftest import Desk
from web.classifying.command import keep

Enter = Callable[..., str]


def department(desk: Desk, code: str) -> str:
    return desk.do(lambda s: s.query(Department).filter_by(code=code).one().id)


@pytest.fixture
def at_work(desk: Desk, enter: Enter) -> str:
    petition_id, now = enter(), datetime.now(UTC)
    desk.do(lambda s: service.acknowledge(s, petition_id, staff_id=desk.ids["officer"], now=now))
    desk.do(lambda s: verification.verify(s, petition_id, staff_id=desk.ids["verifier"], now=now))
    return petition_id


def test_departments_are_asked_answer_and_the_case_is_decided(desk: Desk, at_work: str) -> None:
    officer, asked = desk.as_("officer"), desk.as_("far-officer")
    data = {"departments": department(desk, "prisons"), "question": "Does anything stand against it?"}
    assert officer.send_form(f"/cases/{at_work}/ask_opinion", data).status_code == 303
    assert "Opinion asked" in officer.get(f"/cases/{at_work}").text
    assert officer.send_form(f"/cases/{at_work}/answer", {"answer": "Yes"}).status_code == 409
    assert "Does anything stand against it?" in asked.get("/department?shelf=opinions").text
    assert asked.send_form(f"/cases/{at_work}/give_opinion", {"text": "Nothing does."}).status_code == 303
    assert "No opinion is asked" in asked.get("/department?shelf=opinions").text
    assert "Nothing does." in officer.get(f"/cases/{at_work}").text
    wrong = officer.send_form(f"/cases/{at_work}/decide", {"outcome": "perhaps", "reason": "kept words"})
    assert wrong.status_code == 422 and "kept words" in wrong.text
    assert (
        officer.send_form(f"/cases/{at_work}/decide", {"outcome": "granted", "reason": "It is due"}).status_code == 303
    )
    page = officer.get(f"/cases/{at_work}").text
    assert "Decided, to be answered" in page and "Granted" in page
    assert "It is due" not in desk.as_("hotline").get(f"/p/{at_work}").text


def test_who_comes_second_sees_what_the_first_did_and_keeps_what_was_typed(desk: Desk, at_work: str) -> None:
    now = datetime.now(UTC)
    desk.do(lambda s: service.close(s, at_work, reason="settled", staff_id=desk.ids["aide"], now=now))
    answer = desk.as_("officer").send_form(f"/cases/{at_work}/answer", {"answer": "My long and careful answer"})
    assert answer.status_code == 409
    assert "A colleague was faster" in answer.text and "My long and careful answer" in answer.text
    assert "Closed: the matter is settled" in answer.text and "Aide" in answer.text


def test_an_outsider_is_told_nothing_by_trying_to_be_second(desk: Desk, at_work: str) -> None:
    for who in ("attendant", "interpreter", "admin", "nobody", "far-officer"):
        answer = desk.as_(who).send_form(f"/cases/{at_work}/answer", {"answer": "x"})
        assert answer.status_code == 404 and "Objection" not in answer.text, who


def test_the_deadline_says_why(desk: Desk, at_work: str) -> None:
    page = desk.as_("officer").get(f"/cases/{at_work}").text
    assert "Why then?" in page and "Weekly day of rest" in page and "The answer is due" in page


def test_what_one_was_told_is_there_until_noted_and_nobody_elses(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    later = desk.do(lambda s: deadlines.calendar(s).next_working(datetime.now(UTC) + timedelta(days=9)))
    for _ in range(12):  # a rung at a time; at night, or on a day of rest, nobody is told
        desk.do(lambda s: escalation.climb(s, now=later))
    officer, number = desk.as_("officer"), desk.do(lambda s: s.get_one(Petition, petition_id).case_number)
    assert number in officer.get("/late").text and "told of" in officer.get("/department").text
    assert number not in desk.as_("far-officer").get("/late").text
    assert desk.as_("receptionist").get("/late").status_code == 404
    theirs = desk.do(lambda s: escalation.of_staff(s, desk.ids["officer"])[0].id)
    assert desk.as_("manager").send_form(f"/late/{theirs}/seen").status_code == 404
    assert officer.send_form("/late/seen").status_code == 303
    assert "Nothing is late" in officer.get("/late").text


# ── Administration ───────────────────────────────────────────────────


def test_a_rule_is_tried_before_it_is_saved(desk: Desk, enter: Enter) -> None:
    enter()
    admin = desk.as_("admin")
    first = desk.do(lambda s: s.query(RoutingRule).order_by(RoutingRule.order).first().id)
    form = {
        "department": department(desk, "prisons"), "types": "violation", "reason_ar": "سبب", "reason_en": "Because",
        "active": "1", "before": first, "save": "1",
    }  # fmt: skip
    count = desk.do(lambda s: s.query(RoutingRule).count())
    tried = admin.send_form("/admin/routing/new", form)
    assert tried.status_code == 200 and "Tried on the last" in tried.text and "48-000001" in tried.text
    assert "SECRET-BODY" not in tried.text and "سالم" not in tried.text, "an administrator reads no case"
    assert desk.do(lambda s: s.query(RoutingRule).count()) == count
    mark = tried.text.split('name="tried" value="')[1].split('"')[0]
    other = admin.send_form("/admin/routing/new", form | {"tried": mark, "keywords": "سيارة"})
    assert other.status_code == 200 and desk.do(lambda s: s.query(RoutingRule).count()) == count, "not what was tried"
    assert admin.send_form("/admin/routing/new", form | {"tried": mark}).status_code == 303
    assert desk.do(lambda s: s.query(RoutingRule).count()) == count + 1
    assert "Because" in admin.get("/admin/routing").text


def test_rules_in_a_circle_are_refused_with_the_way_named(desk: Desk) -> None:
    admin = desk.as_("admin")
    there = {
        "department": department(desk, "prisons"), "from_department": department(desk, "traffic"),
        "reason_ar": "سبب", "reason_en": "x", "active": "1", "save": "1",
    }  # fmt: skip
    mark = admin.send_form("/admin/routing/new", there).text.split('name="tried" value="')[1].split('"')[0]
    assert admin.send_form("/admin/routing/new", there | {"tried": mark}).status_code == 303
    back = there | {"department": there["from_department"], "from_department": there["department"]}
    answer = admin.send_form("/admin/routing/new", back)
    assert answer.status_code == 422 and "lead in a circle" in answer.text and "Traffic → Prisons" in answer.text


def test_a_type_is_changed_on_its_page_and_its_versions_stand_there(desk: Desk) -> None:
    admin = desk.as_("admin")
    row = desk.do(lambda s: catalogue.by_code(s, "licence").id)
    form = {
        "version": "1", "name_ar": "رخصة", "name_en": "Licence", "days": "٤", "reopen_days": "10", "active": "1",
        "confidentiality": "confidential", "step_custody": "2", "parent": "",
        "paper-0-ar": "صورة", "paper-0-en": "Copy", "paper-0-required": "1",
        "field-0-ar": "رقم", "field-0-en": "Number", "field-0-kind": "number",
    }  # fmt: skip
    assert admin.send_form(f"/admin/types/{row}", form).status_code == 303
    kind = desk.do(lambda s: s.get_one(PetitionType, row))
    assert (kind.version, kind.days, kind.steps, kind.papers[0]["label_en"]) == (2, 4, {"custody": 2}, "Copy")
    page = admin.get(f"/admin/types/{row}").text
    assert "Version 2" in page and "Days to the answer" in page
    stale = admin.send_form(f"/admin/types/{row}", form | {"days": "9"})
    assert stale.status_code == 422 and "meanwhile" in stale.text
    bad = admin.send_form("/admin/types/new", form | {"code": "new-one", "paper-0-en": "", "days": "0"})
    assert bad.status_code == 422 and 'value="رخصة"' in bad.text
    assert admin.send_form("/admin/types/new", form | {"code": "new-one"}).status_code == 303
    assert "Copy" in admin.get("/admin/types").text


def test_the_ladder_and_the_heads_are_set_on_a_page(desk: Desk) -> None:
    admin, traffic = desk.as_("admin"), department(desk, "traffic")
    rung = {"custody-0-hours": "5", "custody-0-side": "before", "custody-0-whom": "office"}
    assert admin.send_form("/admin/deadlines/ladder/custody", rung).status_code == 303
    from reception.deadlines import service as deadlines

    assert desk.do(lambda s: deadlines.rungs(s, "custody")) == [(-5, "office")]
    assert admin.send_form("/admin/deadlines/ladder/custody", rung | {"custody-0-hours": "9999"}).status_code == 422
    assert admin.send_form("/admin/deadlines/heads", {f"head-{traffic}": desk.ids["officer"]}).status_code == 303
    assert desk.do(escalation.heads) == {traffic: desk.ids["officer"]}
    assert admin.send_form("/admin/deadlines/heads", {f"head-{traffic}": desk.ids["far-officer"]}).status_code == 422


@pytest.mark.parametrize("who", ["receptionist", "officer", "manager", "aide", "official", "hotline", "nobody", None])
def test_only_administrators_change_types_rules_and_ladders(desk: Desk, who: str | None) -> None:
    browser = desk.as_(who)
    for path in ("/admin/types", "/admin/types/new", "/admin/routing", "/admin/routing/new", "/admin/deadlines"):
        assert browser.get(path).status_code in (303, 404), path
        assert desk.as_(who).send_form(path, {"name_en": "x"}).status_code in (303, 403, 404, 405), path
    assert desk.do(lambda s: s.query(PetitionType).filter_by(name_en="x").count()) == 0


# ── Suggestion ───────────────────────────────────────────────────────


def test_intake_is_offered_likely_types_and_agreement_is_measured(desk: Desk, enter: Enter) -> None:
    receptionist = desk.as_("receptionist")
    words = {"subject": "مخالفة مرورية", "body": "سجلت علي مخالفة سرعة"}
    assert receptionist.send_form("/intake/suggest", words).json() == {"types": []}, "no model yet"
    keep(desk.settings.data_dir, rules.pack(tiny()))
    found = receptionist.send_form("/intake/suggest", words).json()["types"]
    assert found[0]["code"] == "violation" and found[0]["percent"] > 50
    assert found[0]["id"] == desk.do(lambda s: catalogue.by_code(s, "violation").id)
    assert receptionist.send_form("/intake/suggest", {"subject": "x"}).json() == {"types": []}
    assert desk.as_("officer").send_form("/intake/suggest", words).status_code == 404
    petition_id = enter("licence", **words)
    event = PetitionReceived(petition_id=petition_id, visitor_id="", centre_id="")
    now = datetime.now(UTC)
    desk.do(lambda s: agreement.weigh_suggestion(s, event, now=now, settings=desk.settings))
    row = desk.do(lambda s: s.get_one(Suggestion, petition_id))
    assert (row.first_code, row.chosen_code) == ("violation", "licence")
    right = desk.do(lambda s: catalogue.by_code(s, "violation").id)
    desk.do(lambda s: verification.reclassify(s, petition_id, type_id=right, staff_id=desk.ids["verifier"], now=now))
    corrected = PetitionReclassified(petition_id=petition_id, visitor_id="", department_id="")
    desk.do(lambda s: agreement.correct_suggestion(s, corrected, now=now, settings=desk.settings))
    measured = desk.do(lambda s: agreement.lately(s, now=now))
    assert (measured.all, measured.first, measured.shown) == (1, 1, 1)
    assert "1 of 1" in desk.as_("admin").get("/admin/types").text


def test_a_damaged_model_suggests_nothing(desk: Desk) -> None:
    data = bytearray(rules.pack(tiny()))
    data[len(data) // 2] ^= 1
    keep(desk.settings.data_dir, bytes(data))
    answer = desk.as_("receptionist").send_form("/intake/suggest", {"subject": "مخالفة مرورية", "body": "سرعة"})
    assert json.loads(answer.text) == {"types": []}
