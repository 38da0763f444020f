"""The hotline's console: nothing before the check, complaints on their way, and a telephone that opens the page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.calendar import wall_clock
from reception.centres.models import Centre
from reception.hotline import service as hotline
from reception.hotline.models import CallBack, Concern, PhoneCall
from reception.petitions.models import Petition
from tests.unit.web.petitions.conftest import Browser, Desk
from web.telephony.routes import secret_of
from web.topics import topics_of

Enter = Callable[..., str]
NAME = "سالم بن أحمد الحربي"


def said(desk: Desk, petition_id: str) -> dict[str, str]:
    visitor = desk.do(lambda s: s.get_one(Petition, petition_id).visitor)
    return {"identity": visitor.identity_number[-4:], "called": visitor.phone[-4:]}


def test_before_the_check_a_case_shows_its_number_and_nothing_else(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    case = desk.do(lambda s: s.get_one(Petition, petition_id))
    page = desk.as_("hotline").get(f"/hotline/cases/{petition_id}").text
    assert case.case_number in page
    right = said(desk, petition_id)
    for secret in (NAME, "Traffic", "SECRET-BODY", case.subject, right["identity"], right["called"], "Read out"):
        assert secret not in page, secret


def test_what_the_caller_knows_opens_it_for_this_agent_alone(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    agent = desk.as_("hotline")
    answer = agent.send_form(f"/hotline/cases/{petition_id}/check", said(desk, petition_id))
    assert answer.headers["location"] == f"/hotline/cases/{petition_id}"
    assert NAME in agent.get(f"/hotline/cases/{petition_id}").text
    agent.send_form(f"/hotline/cases/{petition_id}/call", {"asked": "Where is it?", "told": "With Traffic"})
    assert NAME not in agent.get(f"/hotline/cases/{petition_id}").text, "the next caller is somebody else"


def test_a_case_shown_again_for_an_empty_call_was_read(desk: Desk, enter: Enter) -> None:
    petition_id, agent = enter(), desk.as_("hotline")
    agent.send_form(f"/hotline/cases/{petition_id}/check", said(desk, petition_id))

    def reads() -> int:
        mine = (AuditEntry.subject_id == petition_id, AuditEntry.action == "read", AuditEntry.actor_name == "hotline")
        return len(desk.do(lambda s: s.scalars(select(AuditEntry).where(*mine)).all()))

    before = reads()
    answer = agent.send_form(f"/hotline/cases/{petition_id}/call", {"asked": ""})
    assert answer.status_code == 422 and NAME in answer.text
    assert reads() == before + 1


def test_wrong_answers_are_counted_and_then_nobody_guesses_on(desk: Desk, enter: Enter) -> None:
    petition_id, agent = enter(), desk.as_("hotline")
    right = said(desk, petition_id)
    for _ in range(3):
        agent.send_form(f"/hotline/cases/{petition_id}/check", {**right, "identity": "0000"})
    page = agent.get(f"/hotline/cases/{petition_id}").text
    assert "Too many wrong answers" in page and 'name="identity"' not in page and NAME not in page
    assert agent.send_form(f"/hotline/cases/{petition_id}/check", right).status_code == 409
    trail = desk.do(lambda s: s.scalars(select(AuditEntry).where(AuditEntry.action == "check caller")).all())
    assert [row.detail for row in trail] == [{"passed": False}] * 3
    assert agent.send_form(f"/hotline/cases/{petition_id}/check", {"identity": "", "called": ""}).status_code == 422


def test_a_call_back_is_promised_for_a_time_as_the_clock_here_shows_it(desk: Desk, enter: Enter) -> None:
    petition_id, agent = enter(), desk.as_("hotline")
    at = (datetime.now(UTC) + timedelta(days=1)).replace(second=0, microsecond=0)
    data = {"asked": "When?", "call_back": "1", "call_at": wall_clock(at, "Asia/Riyadh")}
    agent.send_form(f"/hotline/cases/{petition_id}/call", data)
    task = desk.do(lambda s: s.scalars(select(CallBack)).one())
    assert task.due_at == at
    for wrong in ("2020-01-01T10:00", "tomorrow", "2099-01-01T10:00"):
        refused = agent.send_form(f"/hotline/cases/{petition_id}/call", {**data, "call_at": wrong})
        assert refused.status_code == 422 and "When?" in refused.text
    assert len(desk.do(lambda s: s.scalars(select(CallBack)).all())) == 1


def test_a_call_back_is_given_up_with_a_reason(desk: Desk, enter: Enter) -> None:
    petition_id, agent = enter(), desk.as_("hotline")
    agent.send_form(f"/hotline/cases/{petition_id}/call", {"asked": "Call me", "call_back": "1"})
    task = desk.do(lambda s: s.scalars(select(CallBack)).one().id)
    assert agent.send_form(f"/hotline/call-backs/{task}/drop", {"outcome": " "}).status_code == 422
    agent.send_form(f"/hotline/call-backs/{task}/drop", {"outcome": "Came to the centre"})
    assert desk.do(lambda s: s.get_one(CallBack, task).state) == "dropped"


def test_whom_to_call_about_a_secret_case_is_for_its_centre_and_the_office(desk: Desk, enter: Enter) -> None:
    petition_id, agent, now = enter(), desk.as_("hotline"), datetime.now(UTC)
    agent.send_form(f"/hotline/cases/{petition_id}/call", {"asked": "Where is it?"})
    case = desk.do(lambda s: s.get_one(Petition, petition_id))
    assert case.case_number in agent.get("/hotline").text
    desk.do(lambda s: setattr(s.get_one(Petition, petition_id), "confidentiality", "secret"))
    about = {"visitor_id": case.visitor_id, "reason": "Its text did not arrive", "now": now}
    task, plain = (
        desk.do(lambda s, one=one: hotline.call_back(s, petition_id=one, **about).id) for one in (petition_id, None)
    )
    page = agent.get("/hotline").text
    assert f"task-{plain}" in page and f"task-{task}" not in page
    assert case.case_number not in page, "nor beside the call that was written down before"
    for who in ("hotline", "officer", "receptionist", "official"):
        for path in (
            f"/hotline/call-backs/{task}",
            f"/concerns/call-backs/{task}/drop",
            f"/concerns/call-backs/{task}",
        ):
            assert desk.as_(who).send_form(path, {"outcome": "Called"}).status_code == 404, (who, path)
    assert "Its text did not arrive" not in desk.as_("official").get("/concerns").text
    for who in ("manager", "aide"):
        page = desk.as_(who).get("/concerns").text
        assert f"task-{task}" in page and f"task-{plain}" not in page and case.case_number in page
    manager, path = desk.as_("manager"), f"/concerns/call-backs/{task}"
    refused = manager.send_form(path, {"reached": "yes"})
    assert refused.status_code == 422 and f"task-{task}" in refused.text
    assert manager.get(path).headers["location"] == "/concerns" == manager.get(f"{path}/drop").headers["location"]
    manager.send_form(path, {"reached": "no"})
    manager.send_form(path, {"reached": "yes", "outcome": "Told"})
    done = desk.do(lambda s: s.get_one(CallBack, task))
    assert (done.state, done.tries, done.outcome) == ("done", 2, "Told")
    assert f"task-{task}" not in manager.get("/concerns").text


def test_a_centre_that_is_not_the_cases_is_not_asked_to_call(desk: Desk, enter: Enter) -> None:
    petition_id, manager = enter(), desk.as_("manager")
    case = desk.do(lambda s: s.get_one(Petition, petition_id))
    task = desk.do(
        lambda s: (
            hotline.call_back(
                s, visitor_id=case.visitor_id, petition_id=case.id, reason="Call", now=datetime.now(UTC)
            ).id
        )
    )
    assert manager.send_form(f"/concerns/call-backs/{task}", {"outcome": "x"}).status_code == 404, "the hotline's"

    def elsewhere(session: Session) -> None:
        petition = session.get_one(Petition, petition_id)
        petition.confidentiality = "secret"
        petition.centre_id = session.scalars(select(Centre.id).where(Centre.code == "jeddah")).one()

    desk.do(elsewhere)
    assert f"task-{task}" not in manager.get("/concerns").text
    assert manager.send_form(f"/concerns/call-backs/{task}", {"outcome": "x"}).status_code == 404


def test_a_complaint_goes_to_the_manager_is_answered_and_told_by_phone(desk: Desk, enter: Enter) -> None:
    petition_id, agent = enter(), desk.as_("hotline")
    empty = agent.send_form(f"/hotline/cases/{petition_id}/concern", {"kind": "complaint", "about": "waiting"})
    assert empty.status_code == 422
    agent.send_form(
        f"/hotline/cases/{petition_id}/concern",
        {"kind": "complaint", "about": "waiting", "concern": "Three hours in the hall"},
    )
    concern = desk.do(lambda s: s.scalars(select(Concern)).one())
    manager = desk.as_("manager")
    assert "Three hours in the hall" in manager.get("/concerns").text
    assert manager.send_form(f"/concerns/{concern.id}/answer", {"answer": ""}).status_code == 422
    manager.send_form(f"/concerns/{concern.id}/answer", {"answer": "Two more counters"})
    assert desk.do(lambda s: s.get_one(Concern, concern.id).state) == "answered"
    assert "Two more counters" in agent.get("/hotline").text, "to be called and told"
    assert "Two more counters" in desk.as_("aide").get("/concerns?done=1").text
    again = manager.send_form(f"/concerns/{concern.id}/answer", {"answer": "More"})
    assert again.status_code == 409


def test_a_raised_case_is_the_offices_and_no_managers(desk: Desk, enter: Enter) -> None:
    petition_id = enter()
    desk.as_("hotline").send_form(
        f"/hotline/cases/{petition_id}/concern",
        {"kind": "escalation", "about": "delay", "concern": "Nobody answers"},
    )
    concern = desk.do(lambda s: s.scalars(select(Concern)).one())
    assert "Nobody answers" in desk.as_("aide").get("/concerns").text
    manager = desk.as_("manager")
    for verb in ("answer", "raise"):
        assert manager.send_form(f"/concerns/{concern.id}/{verb}", {"answer": "x"}).status_code == 409
    for outsider in ("receptionist", "officer", "admin"):
        browser = desk.as_(outsider)
        assert browser.get("/concerns").status_code == 404
        assert browser.get(f"/concerns/{concern.id}/answer").status_code == 404


def ring(browser: Browser, desk: Desk, *, secret: str | None = None, **fields: str) -> int:
    given = secret_of(desk.settings) if secret is None else secret
    told = {"event": "ringing", "call": "c1", "from": "0501234567", "agent": "hotline"} | fields
    headers = {"authorization": f"Bearer {given}"}
    return browser.post("/callbacks/telephony", data=told, headers=headers).status_code


def test_a_call_that_rings_opens_the_callers_page_and_goes_when_it_is_taken(desk: Desk, enter: Enter) -> None:
    petition_id, system, agent = enter(), desk.as_(None), desk.as_("hotline")
    assert ring(system, desk) == 200 == ring(system, desk)
    call = desk.do(lambda s: s.scalars(select(PhoneCall)).one())
    page = agent.get("/hotline").text
    assert "data-opens" in page and f"call={call.id}" in page
    opened = agent.get("/hotline", params={"q": call.number, "call": call.id})
    assert opened.headers["location"] == f"/hotline/cases/{petition_id}"
    assert "data-opens" not in agent.get("/hotline").text
    assert desk.do(lambda s: s.get_one(PhoneCall, call.id).taken_at) is not None


def test_a_call_that_ended_or_is_for_another_rings_here_no_more(desk: Desk, enter: Enter) -> None:
    system, agent = desk.as_(None), desk.as_("hotline")
    ring(system, desk)
    assert "data-opens" in agent.get("/hotline").text
    assert ring(system, desk, event="ended") == 200
    assert "data-opens" not in agent.get("/hotline").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"secret": "wrong"}, 403),
        ({"secret": ""}, 403),
        ({"agent": "receptionist"}, 422),
        ({"agent": "nobody"}, 422),
        ({"event": "exploded"}, 422),
        ({"call": ""}, 422),
    ],
)
def test_what_the_telephone_system_may_not_say_changes_nothing(desk: Desk, fields: dict[str, str], status: int) -> None:
    assert ring(desk.as_(None), desk, **fields) == status
    assert desk.do(lambda s: s.scalars(select(PhoneCall)).all()) == []


def test_a_ringing_call_is_hinted_to_its_agent_alone() -> None:
    topics = topics_of("reception.hotline.PhoneRang", {"phone_call_id": "c", "agent_id": "a"})
    assert "calls:a" in topics and not any(topic.startswith(("queue:", "petition:")) for topic in topics)
