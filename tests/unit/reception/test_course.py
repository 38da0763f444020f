"""The course of a petition between people: not accepted, opinions of several, decided, joined, taken up again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.errors import Mistake, NotFound, Refused
from core.events import OutboxEvent, decode
from core.settings import Settings
from messaging.models import Message
from reception import access
from reception.petitions import catalogue, kinds, opinions, rules, service, states, story, urgency, verification
from reception.petitions.models import Petition
from reception.reactions import REACTIONS
from tests.unit.reception.conftest import CAST, Ministry

DAY = timedelta(days=1)


def at_work(ministry: Ministry, code: str = "violation") -> Petition:
    petition = ministry.petition(code)
    service.acknowledge(ministry.session, petition.id, staff_id=ministry.id("officer"), now=ministry.now)
    service.begin(ministry.session, petition.id, staff_id=ministry.id("officer"), now=ministry.now)
    verification.verify(ministry.session, petition.id, staff_id=ministry.id("verifier"), now=ministry.now)
    return petition


def send_on(ministry: Ministry, petition: Petition, code: str, by: str = "officer") -> None:
    service.transfer(
        ministry.session,
        petition.id,
        department_id=ministry.departments[code].id,
        reason="من اختصاصهم",
        staff_id=ministry.id(by),
        now=ministry.now,
    )


def refuse(ministry: Ministry, petition: Petition, by: str) -> None:
    service.refuse(ministry.session, petition.id, reason="ليست لنا", staff_id=ministry.id(by), now=ministry.now)


# ── Hand-overs ───────────────────────────────────────────────────────


def test_what_the_receiver_does_not_accept_goes_back_to_the_sender_with_why(ministry: Ministry) -> None:
    petition = at_work(ministry)
    send_on(ministry, petition, "prisons")
    refuse(ministry, petition, "far-officer")
    assert (petition.department, petition.state) == (ministry.departments["traffic"], states.ROUTED)
    last = story.story(ministry.session, petition.id)[-1]
    assert (last.kind, last.note("ar")) == ("refused", "ليست لنا")


def test_two_departments_cannot_push_it_to_and_fro(ministry: Ministry) -> None:
    petition = at_work(ministry)
    send_on(ministry, petition, "prisons")
    refuse(ministry, petition, "far-officer")
    refuse(ministry, petition, "officer")
    assert (petition.department, petition.state) == (None, states.RECEIVED), "now a person decides"
    assert "dispatch" in access.verbs(ministry.session, ministry.staff["manager"], petition)


def test_what_a_rule_sent_and_nobody_wants_waits_for_a_person(ministry: Ministry) -> None:
    petition = ministry.petition("violation")
    refuse(ministry, petition, "officer")
    assert (petition.state, petition.department) == (states.RECEIVED, None)
    assert "dispatch" in access.verbs(ministry.session, ministry.staff["verifier"], petition)
    with pytest.raises(Refused):
        refuse(ministry, petition, "officer")


# ── Opinions ─────────────────────────────────────────────────────────


def ask(ministry: Ministry, petition: Petition, *codes: str) -> list:
    return opinions.ask(
        ministry.session,
        petition.id,
        department_ids=[ministry.departments[code].id for code in codes],
        question="ما رأيكم؟",
        staff_id=ministry.id("officer"),
        now=ministry.now,
    )


def test_the_decision_waits_for_every_opinion_that_was_asked(ministry: Ministry) -> None:
    session, petition = ministry.session, at_work(ministry)
    ask(ministry, petition, "prisons", "civil")
    officer = ministry.id("officer")
    decide = {"outcome": "granted", "reason": "له حق", "staff_id": officer, "now": ministry.now}
    with pytest.raises(Refused, match="awaited"):
        service.decide(session, petition.id, **decide)
    with pytest.raises(Refused, match="awaited"):
        service.answer(session, petition.id, text="نعم", staff_id=officer, now=ministry.now)
    assert not access.verbs(session, ministry.staff["officer"], petition) & {"decide", "answer"}
    opinions.give(
        session, petition.id, department_id=ministry.departments["prisons"].id, text="لا مانع",
        staff_id=ministry.id("far-officer"), now=ministry.now,
    )  # fmt: skip
    (left,) = opinions.awaited(session, petition.id)
    waive = {"reason": "لا حاجة", "staff_id": officer, "now": ministry.now}
    opinions.waive(session, petition.id, opinion_id=left.id, **waive)
    assert "decide" in access.verbs(session, ministry.staff["officer"], petition)
    service.decide(session, petition.id, **decide)
    assert (petition.state, petition.outcome) == (states.DECIDED, "granted")
    service.answer(session, petition.id, text="أُجيب طلبكم", staff_id=officer, now=ministry.now)
    assert [row.state for row in opinions.of_petition(session, petition.id)] == [states.GIVEN, states.WAIVED]


def test_only_whoever_is_asked_may_see_it_and_answer_and_only_once(ministry: Ministry) -> None:
    session, petition = ministry.session, at_work(ministry)
    asked = ministry.staff["far-officer"]
    assert not access.may_see(session, asked, petition)
    ask(ministry, petition, "prisons")
    assert access.verbs(session, asked, petition) & {"give_opinion", "decide", "answer", "acknowledge"} == {
        "give_opinion"
    }
    give = {"department_id": asked.department_id, "text": "رأي", "staff_id": asked.id, "now": ministry.now}
    opinions.give(session, petition.id, **give)
    with pytest.raises(Refused):
        opinions.give(session, petition.id, **give)
    assert "give_opinion" not in access.verbs(session, asked, petition)


@pytest.mark.parametrize("codes", [(), ("traffic",), ("prisons", "prisons-again")])
def test_whom_one_cannot_ask(ministry: Ministry, codes: tuple[str, ...]) -> None:
    petition = at_work(ministry)
    if "prisons-again" in codes:
        ask(ministry, petition, "prisons")
        codes = ("prisons",)
    with pytest.raises(Mistake) as mistake:
        ask(ministry, petition, *codes)
    assert mistake.value.field == "departments"


def test_an_opinion_nobody_needs_any_more_is_owed_by_nobody(ministry: Ministry) -> None:
    petition = at_work(ministry)
    (row,) = ask(ministry, petition, "prisons")
    service.close(ministry.session, petition.id, reason="withdrawn", staff_id=ministry.id("officer"), now=ministry.now)
    assert row.state == states.DROPPED
    assert opinions.asked_of(ministry.session, petition.id, row.department_id) is None


# ── Reopening, joining ───────────────────────────────────────────────


def test_it_is_taken_up_again_within_its_types_window_only(ministry: Ministry) -> None:
    session, petition = ministry.session, at_work(ministry)
    close = {"reason": "settled", "staff_id": ministry.id("officer"), "now": ministry.now}
    service.close(session, petition.id, **close)
    again = {"reason": "لم يُحل", "staff_id": ministry.id("manager")}
    with pytest.raises(Refused, match="30 days"):
        service.reopen(session, petition.id, now=ministry.now + 31 * DAY, **again)
    assert petition.state == states.CLOSED
    service.reopen(session, petition.id, now=ministry.now + 29 * DAY, **again)
    assert petition.state == states.REOPENED


def test_only_an_open_petition_of_the_same_visitor_can_be_joined_to(ministry: Ministry) -> None:
    session, visitor = ministry.session, ministry.visitor()
    mine, other, strangers = ministry.petition(visitor=visitor), ministry.petition(visitor=visitor), ministry.petition()
    by = {"staff_id": ministry.id("officer"), "now": ministry.now}
    for into in (strangers.case_number, mine.case_number, "48-999999", ""):
        with pytest.raises(Mistake) as mistake:
            service.merge(session, mine.id, into=into, **by)
        assert mistake.value.field == "into" and mine.state == states.ROUTED
    service.merge(session, mine.id, into=other.case_number, **by)
    with pytest.raises(Refused, match="joined"):
        service.reopen(session, mine.id, reason="؟", staff_id=ministry.id("manager"), now=ministry.now)
    public = story.public_story(session, mine.id)[-1]
    assert other.case_number in public.say(str, "ar")


# ── Types in versions ────────────────────────────────────────────────


def change(ministry: Ministry, code: str, **values: Any) -> None:
    row = ministry.type(code)
    given = {name: getattr(row, name) for name in kinds.KEPT} | values
    kinds.change(
        ministry.session, row.id, version=row.version, values=given, staff_id=ministry.id("admin"), now=ministry.now
    )


def test_a_petition_keeps_the_version_it_was_entered_under(ministry: Ministry) -> None:
    old = ministry.petition("violation")
    paper = {"label_ar": "صورة", "label_en": "Copy", "required": True}
    change(ministry, "violation", days=3, papers=[paper], confidentiality=rules.CONFIDENTIAL)
    new = ministry.petition("violation")
    assert (old.type_version, new.type_version) == (1, 2)
    terms = [catalogue.terms(ministry.session, one) for one in (old, new)]
    assert [(one.days, [paper["code"] for paper in one.papers]) for one in terms] == [(10, ["violation"]), (3, ["p1"])]
    assert (old.confidential, new.confidential) == (False, True)
    assert [row.version for row in kinds.versions(ministry.session, old.type_id)] == [2, 1]


def test_two_administrators_cannot_overwrite_each_other(ministry: Ministry) -> None:
    row = ministry.type("violation")
    given = {name: getattr(row, name) for name in kinds.KEPT}
    by = {"staff_id": ministry.id("admin"), "now": ministry.now}
    kinds.change(ministry.session, row.id, version=1, values=given | {"days": 4}, **by)
    with pytest.raises(Mistake, match="meanwhile"):
        kinds.change(ministry.session, row.id, version=1, values=given | {"days": 5}, **by)
    assert (row.days, row.version) == (4, 2)
    kinds.change(ministry.session, row.id, version=2, values=given | {"days": 4}, **by)
    assert row.version == 2, "nothing changed, so there is no new version"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name_ar": " "}, "name_ar"),
        ({"days": 0}, "days"),
        ({"confidentiality": "top"}, "confidentiality"),
        ({"papers": [{"label_ar": "صورة", "label_en": ""}]}, "papers"),
        ({"fields": [{"label_ar": "ن", "label_en": "k", "kind": "choice", "choices": ["one"]}]}, "fields"),
        ({"papers": [{"label_ar": "ص", "label_en": "c"}] * 13}, "papers"),
    ],
)
def test_a_type_that_cannot_be_is_refused(ministry: Ministry, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Mistake) as mistake:
        change(ministry, "violation", **wrong)
    assert mistake.value.field == field


def test_a_type_stands_neither_under_itself_nor_under_what_is_under_it(ministry: Ministry) -> None:
    for parent in ("traffic", "violation"):
        with pytest.raises(Mistake) as mistake:
            change(ministry, "traffic", parent_id=ministry.type(parent).id)
        assert mistake.value.field == "parent"


def test_a_types_own_questions_are_asked_and_read(ministry: Ministry) -> None:
    asked = [
        {"code": "n", "kind": "number", "required": True},
        {"code": "d", "kind": "date"},
        {"code": "c", "kind": "choice", "choices": ["نعم", "لا"]},
    ]
    assert kinds.answers(asked, {"n": "١٢ ٣", "d": "1448/5/16", "c": "نعم", "x": "?"}) == {
        "n": "123", "d": "2026-10-27", "c": "نعم",
    }  # fmt: skip
    for wrong, field in (({}, "n"), ({"n": "x"}, "n"), ({"n": "1", "d": "soon"}, "d"), ({"n": "1", "c": "ربما"}, "c")):
        with pytest.raises(Mistake) as mistake:
            kinds.answers(asked, wrong)
        assert mistake.value.field == f"detail_{field}"


# ── Confidentiality, proved by those who must not see ────────────────

OFFICE = {"official", "aide"}
SEES = {
    rules.OPEN_TO_STAFF: {"receptionist", "colleague", "verifier", "manager", "officer", "hotline"} | OFFICE,
    rules.CONFIDENTIAL: {"receptionist", "colleague", "verifier", "manager", "officer", "hotline"} | OFFICE,
    rules.SECRET: {"receptionist", "verifier", "manager", "officer"} | OFFICE,
}
READS = {level: who - ({"hotline"} if level != rules.OPEN_TO_STAFF else set()) for level, who in SEES.items()}


@pytest.mark.parametrize("level", SEES)
def test_who_sees_and_who_reads_a_case_of_each_level(ministry: Ministry, level: str) -> None:
    from core.db import new_id
    from core.staff.models import Staff, StaffRole

    session = ministry.session
    colleague = Staff(
        id=new_id(), username="colleague", password_hash="-", name_ar="زميلة", name_en="Colleague",
        centre_id=ministry.riyadh.id, role_rows=[StaffRole(role="receptionist")],
    )  # fmt: skip
    session.add(colleague)
    change(ministry, "violation", confidentiality=level)
    petition = ministry.petition("violation")
    session.flush()
    for who in [*CAST, "colleague"]:
        person = colleague if who == "colleague" else ministry.staff[who]
        assert access.may_see(session, person, petition) == (who in SEES[level]), (level, who)
        reads = access.may_see(session, person, petition) and access.may_read_text(person, petition)
        assert reads == (who in READS[level]), (level, who)
        if who not in SEES[level]:
            assert access.verbs(session, person, petition) == set()
            with pytest.raises(NotFound):
                access.require(session, person, petition.id, "note")
            assert petition not in session.scalars(access.visible(select(Petition), person)).all()


def test_a_department_that_had_a_secret_case_sees_it_no_more(ministry: Ministry) -> None:
    change(ministry, "violation", confidentiality=rules.SECRET)
    petition = at_work(ministry)
    (asked,) = ask(ministry, petition, "civil")
    send_on(ministry, petition, "prisons")
    assert not access.may_see(ministry.session, ministry.staff["officer"], petition)
    assert access.may_see(ministry.session, ministry.staff["far-officer"], petition)
    person = ministry.staff["officer"]
    person.department_id = asked.department_id
    assert access.may_see(ministry.session, person, petition), "while its opinion is asked"
    opinions.waive(
        ministry.session, petition.id, opinion_id=asked.id, reason="؟", staff_id=ministry.id("far-officer"),
        now=ministry.now,
    )  # fmt: skip
    assert not access.may_see(ministry.session, person, petition)


def test_the_hotline_does_not_find_a_secret_case(ministry: Ministry) -> None:
    from reception.hotline import service as hotline

    change(ministry, "violation", confidentiality=rules.SECRET)
    petition = ministry.petition("violation")
    for typed in (petition.case_number, petition.follow_code, petition.visitor.name):
        assert petition not in hotline.look_up(ministry.session, typed)[0], typed


# ── Every change that concerns the visitor is told ───────────────────

# A change of state that the visitor is not texted about, and why.
SILENT = {
    "refuse": "a matter between departments: where it goes instead is told as soon as it is sent there",
}


def verbs_of(ministry: Ministry) -> dict[str, tuple[Callable[[str], None], str]]:
    """For each verb of the state table how it is done, and the state of departure."""
    session, now = ministry.session, ministry.now
    officer, manager = (
        {"staff_id": ministry.id("officer"), "now": now},
        {"staff_id": ministry.id("manager"), "now": now},
    )
    checker = {"staff_id": ministry.id("verifier"), "now": now}
    prisons, office = ministry.departments["prisons"].id, ministry.departments["office"].id

    def take_back(petition_id: str) -> None:
        """Taken up again when the department that had it is no more."""
        ministry.departments["traffic"].active = False
        service.reopen(session, petition_id, reason="ل", **manager)
        assert service.get(session, petition_id).state == states.RECEIVED

    return {
        "acknowledge": (lambda p: service.acknowledge(session, p, **officer), "routed"),
        "begin": (lambda p: service.begin(session, p, **officer), "acknowledged"),
        "route": (lambda p: service.transfer(session, p, department_id=prisons, reason="ل", **officer), "begun"),
        "send_up": (lambda p: service.transfer(session, p, department_id=office, reason="ل", **officer), "begun"),
        "refuse": (lambda p: service.refuse(session, p, reason="ل", **officer), "routed"),
        "ask": (lambda p: service.ask_visitor(session, p, question="؟", **officer), "begun"),
        "reply": (lambda p: service.visitor_replied(session, p, reply="ل", **manager), "asked"),
        "decide": (lambda p: service.decide(session, p, outcome="granted", reason="ل", **officer), "begun"),
        "answer": (lambda p: service.answer(session, p, text="ل", **officer), "begun"),
        "return": (lambda p: verification.return_to_reception(session, p, missing="ل", **checker), "routed"),
        "complete": (lambda p: verification.complete(session, p, note="ل", **manager), "returned"),
        "close": (lambda p: service.close(session, p, reason="settled", **officer), "begun"),
        "reopen": (lambda p: service.reopen(session, p, reason="ل", **manager), "closed"),
        "take_back": (take_back, "closed"),
    }


def test_every_change_of_state_that_concerns_the_visitor_sends_its_text(ministry: Ministry) -> None:
    session, verbs = ministry.session, verbs_of(ministry)
    assert set(verbs) == {t.verb for t in states.PETITION.transitions}
    ways = {
        "routed": (), "acknowledged": ("acknowledge",), "begun": ("acknowledge", "begin"),
        "asked": ("acknowledge", "begin", "ask"), "returned": ("return",), "closed": ("acknowledge", "begin", "close"),
    }  # fmt: skip
    for verb, (act, departure) in verbs.items():
        petition = ministry.petition("violation")
        for step in ways[departure]:
            verbs[step][0](petition.id)
        if verb == "answer":
            verification.verify(session, petition.id, staff_id=ministry.id("verifier"), now=ministry.now)
        act(petition.id)
        session.flush()
        told = _react_to_the_last(ministry, petition)
        assert bool(told) == (verb not in SILENT), (verb, told)


def test_receiving_and_urgency_are_told_too(ministry: Ministry) -> None:
    petition = ministry.petition("retribution", urgency="urgent", urgent_reason="غدًا")
    assert "petition_received" in _react_to_the_last(ministry, petition, all_of_them=True)
    urgency.agree(ministry.session, petition.id, staff_id=ministry.id("manager"), now=ministry.now + DAY)
    assert "petition_urgent" in _react_to_the_last(ministry, petition, all_of_them=True)


def _react_to_the_last(ministry: Ministry, petition: Petition, *, all_of_them: bool = False) -> list[str]:
    """The texts that follow from what happened last to this petition (or from all of it)."""
    session = ministry.session
    session.flush()
    by_name = {f"{event.__module__.removesuffix('.events')}.{event.__qualname__}": event for event in REACTIONS}
    rows = [
        row
        for row in session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))
        if row.payload.get("petition_id") == petition.id and row.name.startswith("reception.petitions.")
    ]
    before = set(session.scalars(select(Message.id)))
    for row in rows if all_of_them else rows[-1:]:
        if (event := by_name.get(row.name)) is not None:
            for reaction in REACTIONS[event]:
                if "text" in reaction.__name__:
                    reaction(session, decode(event, row.payload), now=ministry.now, settings=Settings())
    session.flush()
    return [m.template for m in session.scalars(select(Message)) if m.id not in before]
