"""A case that no department has is on somebody's list, with a clock, and can be sent on, completed or closed."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from core.errors import Mistake, Refused
from reception import access
from reception.deadlines import escalation
from reception.deadlines import service as deadlines
from reception.deadlines.rules import ANSWER, CHECK, MANAGER
from reception.petitions import queries, service, states, story, urgency, verification
from reception.petitions.models import Petition
from tests.unit.reception.conftest import Ministry
from tests.unit.reception.test_course import at_work, refuse, send_on

DAY = timedelta(days=1)


def by(ministry: Ministry, who: str) -> dict:
    return {"staff_id": ministry.id(who), "now": ministry.now}


def send_back(ministry: Ministry, petition: Petition, who: str = "officer") -> None:
    verification.send_back(ministry.session, petition.id, missing="صورة الرخصة", **by(ministry, who))


def complete(ministry: Ministry, petition: Petition) -> None:
    verification.complete(ministry.session, petition.id, note="أُضيفت", **by(ministry, "receptionist"))


def listed(ministry: Ministry, who: str = "verifier") -> list[Petition]:
    return queries.to_verify(ministry.session, ministry.staff[who])


def kinds(ministry: Ministry, petition: Petition) -> list[str]:
    return [step.kind for step in story.story(ministry.session, petition.id)]


# ── Refused ──────────────────────────────────────────────────────────


def test_a_verified_case_that_a_department_refuses_is_on_the_list_with_a_clock(ministry: Ministry) -> None:
    session, petition = ministry.session, ministry.petition()
    verification.verify(session, petition.id, **by(ministry, "verifier"))
    assert petition not in listed(ministry) and deadlines.one(session, petition.id, CHECK) is None
    refuse(ministry, petition, "officer")
    assert petition in listed(ministry)
    assert queries.at_the_centre(session, ministry.staff["manager"], shelf=queries.ASTRAY)[0] == [petition]
    assert "dispatch" in access.verbs(session, ministry.staff["verifier"], petition)
    check, whole = deadlines.one(session, petition.id, CHECK), deadlines.one(session, petition.id, ANSWER)
    assert whole.department_id is None, "whoever refused it is not reminded of its answer"
    assert escalation.recipients(session, petition, check, MANAGER) == [ministry.staff["manager"]]
    send_on(ministry, petition, "prisons", by="verifier")
    assert petition not in listed(ministry) and deadlines.one(session, petition.id, CHECK) is None
    assert whole.department_id == ministry.departments["prisons"].id


def test_a_check_that_is_still_to_be_made_goes_on_when_it_is_sent_on(ministry: Ministry) -> None:
    petition = ministry.petition()
    begun = deadlines.one(ministry.session, petition.id, CHECK)
    refuse(ministry, petition, "officer")
    send_on(ministry, petition, "prisons", by="verifier")
    assert deadlines.running(ministry.session, petition.id, CHECK) == [begun]


def test_what_no_rule_sent_stays_on_the_list_after_its_check(ministry: Ministry) -> None:
    from reception.petitions.models import RoutingRule

    ministry.session.query(RoutingRule).update({"active": False})
    petition = ministry.petition()
    verification.verify(ministry.session, petition.id, **by(ministry, "verifier"))
    assert petition in listed(ministry)
    assert deadlines.one(ministry.session, petition.id, CHECK) is not None


def test_the_lists_of_a_centre_are_its_own(ministry: Ministry) -> None:
    here, there = ministry.petition(), ministry.petition(centre_id=ministry.jeddah.id)
    for petition in (here, there):
        refuse(ministry, petition, "officer")
    urgency.propose(
        ministry.session,
        ministry.petition("retribution", centre_id=ministry.jeddah.id).id,
        reason="؟",
        staff_id=ministry.id("far-receptionist"),
        now=ministry.now,
    )
    assert listed(ministry) == [here]
    for shelf in queries.AT_THE_CENTRE:
        found = queries.at_the_centre(ministry.session, ministry.staff["receptionist"], shelf=shelf)[0]
        assert found == ([here] if shelf == queries.ASTRAY else [])


@pytest.mark.parametrize("shelf", queries.AT_THE_CENTRE)
def test_the_lists_read_no_settled_case(ministry: Ministry, shelf: str) -> None:
    """By the index of where cases lie, not through all that the centre ever took in."""
    session, seen = ministry.session, []

    def note(conn, cursor, statement, parameters, context, many) -> None:
        seen.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    listed(ministry)
    queries.at_the_centre(session, ministry.staff["manager"], shelf=shelf)
    event.remove(session.get_bind(), "before_cursor_execute", note)
    asked = [one for one in seen if "FROM petition " in one[0] or "FROM petition\n" in one[0]]
    assert len(asked) == 3
    for statement, parameters in asked:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        reads = [row[3] for row in plan if " petition " in row[3]]
        assert reads == ["SEARCH petition USING INDEX ix_petition_lies (centre_id=? AND state=?)"], statement


# ── Returned ─────────────────────────────────────────────────────────


def test_returned_cases_are_listed_the_latest_first_page_by_page(ministry: Ministry) -> None:
    cases = [ministry.petition() for _ in range(7)]
    for n, petition in enumerate(cases):
        verification.return_to_reception(
            ministry.session,
            petition.id,
            missing="صورة",
            staff_id=ministry.id("verifier"),
            now=ministry.now + n * DAY,
        )
    staff = ministry.staff["receptionist"]
    first, count, pages = queries.at_the_centre(ministry.session, staff, size=5)
    second, _, _ = queries.at_the_centre(ministry.session, staff, page=2, size=5)
    assert (count, pages) == (7, 2)
    assert first + second == cases[::-1]
    assert queries.at_the_centre(ministry.session, staff, page=99, size=5)[0] == second


@pytest.mark.parametrize("state", [states.RETURNED, states.RECEIVED])
def test_the_manager_closes_what_no_department_has(ministry: Ministry, state: str) -> None:
    session, petition, manager = ministry.session, ministry.petition(), ministry.staff["manager"]
    assert "close" not in access.verbs(session, manager, petition), "the department has it"
    send_back(ministry, petition) if state == states.RETURNED else refuse(ministry, petition, "officer")
    assert petition.state == state
    for who in ("receptionist", "verifier", "officer", "far-receptionist"):
        assert "close" not in access.verbs(session, ministry.staff[who], petition)
    access.require(session, manager, petition.id, "close")
    service.close(session, petition.id, reason="no_reply", **by(ministry, "manager"))
    assert (petition.state, petition.asked_at) == (states.CLOSED, None)
    assert not deadlines.running(session, petition.id)


def test_what_was_closed_while_it_was_returned_is_checked_when_it_is_taken_up_again(ministry: Ministry) -> None:
    session, petition = ministry.session, ministry.petition()
    send_back(ministry, petition)
    service.close(session, petition.id, reason="no_reply", **by(ministry, "manager"))
    service.reopen(session, petition.id, reason="أحضر الورقة", **by(ministry, "manager"))
    assert (petition.state, petition.verification) == (states.ROUTED, states.PENDING)
    assert petition.department is ministry.departments["traffic"], "none had it: the rules say where it goes"
    assert petition in listed(ministry) and deadlines.one(session, petition.id, CHECK) is not None


# ── Where it goes afterwards ─────────────────────────────────────────


def test_a_completed_case_goes_back_to_the_department_that_asked(ministry: Ministry) -> None:
    petition = at_work(ministry)
    send_on(ministry, petition, "prisons")
    send_back(ministry, petition, "far-officer")
    complete(ministry, petition)
    assert petition.department is ministry.departments["prisons"]
    last = story.story(ministry.session, petition.id)[-1]
    assert (last.kind, last.note("en")) == ("routed", "It had the case when it was returned")


@pytest.mark.parametrize("meanwhile", ["reclassified", "closed down"])
def test_the_rules_decide_again_where_that_department_no_longer_fits(ministry: Ministry, meanwhile: str) -> None:
    petition = at_work(ministry)
    send_on(ministry, petition, "civil")
    send_back(ministry, petition)
    if meanwhile == "closed down":
        ministry.departments["civil"].active = False
    else:
        kind = ministry.type("release").id
        verification.reclassify(ministry.session, petition.id, type_id=kind, **by(ministry, "verifier"))
    complete(ministry, petition)
    assert petition.department is ministry.departments["prisons" if meanwhile == "reclassified" else "traffic"]


def test_a_case_agreed_to_be_urgent_while_it_was_returned_goes_up(ministry: Ministry) -> None:
    petition = ministry.petition("retribution", urgency="urgent", urgent_reason="غدًا")
    home = petition.department
    send_back(ministry, petition)
    urgency.agree(ministry.session, petition.id, **by(ministry, "manager"))
    complete(ministry, petition)
    assert petition.department.is_office and not home.is_office


def test_what_was_refused_before_it_was_returned_is_not_sent_to_the_refuser_again(ministry: Ministry) -> None:
    petition = ministry.petition()
    refuse(ministry, petition, "officer")
    verification.return_to_reception(ministry.session, petition.id, missing="صورة", **by(ministry, "verifier"))
    complete(ministry, petition)
    assert (petition.state, petition.department) == (states.RECEIVED, None)
    assert petition in listed(ministry)
    assert deadlines.one(ministry.session, petition.id, ANSWER).department_id is None


def test_a_corrected_type_moves_the_case_only_where_the_rules_name_another_department(ministry: Ministry) -> None:
    petition = at_work(ministry)
    send_on(ministry, petition, "office")
    before = kinds(ministry, petition)
    kind = next(
        leaf
        for leaf in _leaves(ministry)
        if leaf.id != petition.type_id and _target(ministry, leaf.code) is ministry.departments["traffic"]
    )
    verification.reclassify(ministry.session, petition.id, type_id=kind.id, **by(ministry, "verifier"))
    assert petition.department.is_office and kinds(ministry, petition) == [*before, "reclassified"]
    verification.reclassify(
        ministry.session, petition.id, type_id=ministry.type("release").id, **by(ministry, "verifier")
    )
    assert petition.department is ministry.departments["prisons"]


def _leaves(ministry: Ministry) -> list:
    from reception.petitions import catalogue

    return [leaf for branch in catalogue.tree(ministry.session) for leaf in branch.leaves()]


def _target(ministry: Ministry, code: str):
    return ministry.petition(code).department


def test_what_one_department_decided_is_not_the_next_ones_outcome(ministry: Ministry) -> None:
    session = ministry.session
    for way in ("sent on", "sent back"):
        petition = at_work(ministry)
        service.decide(session, petition.id, outcome="granted", reason="له حق", **by(ministry, "officer"))
        send_on(ministry, petition, "prisons") if way == "sent on" else send_back(ministry, petition)
        assert petition.outcome is None, way


# ── Departments that take nothing new ────────────────────────────────


def test_a_case_is_not_sent_to_a_department_that_was_closed_down(ministry: Ministry) -> None:
    petition = at_work(ministry)
    ministry.departments["prisons"].active = False
    with pytest.raises(Mistake, match="Choose the department"):
        send_on(ministry, petition, "prisons")


def test_what_a_department_had_that_is_closed_down_goes_elsewhere_when_taken_up_again(ministry: Ministry) -> None:
    session = ministry.session
    petition, astray = at_work(ministry), at_work(ministry)
    send_on(ministry, petition, "civil")
    for case in (petition, astray):
        service.close(session, case.id, reason="settled", **by(ministry, "officer"))
    ministry.departments["civil"].active = False
    service.reopen(session, petition.id, reason="جديد", **by(ministry, "manager"))
    assert (petition.department, petition.state) == (ministry.departments["traffic"], states.ROUTED)
    assert deadlines.one(session, petition.id, CHECK) is None, "it was verified"
    ministry.departments["traffic"].active = False
    service.reopen(session, astray.id, reason="جديد", **by(ministry, "manager"))
    assert (astray.department, astray.state) == (None, states.RECEIVED)
    assert astray in listed(ministry)
    assert deadlines.one(session, astray.id, CHECK) is not None


def test_an_unverified_case_is_checked_by_the_clock_when_it_is_taken_up_again(ministry: Ministry) -> None:
    session, petition = ministry.session, ministry.petition()
    service.close(session, petition.id, reason="withdrawn", **by(ministry, "officer"))
    assert deadlines.one(session, petition.id, CHECK) is None
    service.reopen(session, petition.id, reason="عاد", **by(ministry, "manager"))
    assert petition.state == states.REOPENED
    assert deadlines.one(session, petition.id, CHECK) is not None


# ── A proposal that nobody could decide ──────────────────────────────


def test_a_proposal_falls_with_a_type_that_has_no_urgent_lane(ministry: Ministry) -> None:
    session = ministry.session
    petition = ministry.petition("retribution", urgency="urgent", urgent_reason="غدًا")
    kind = ministry.type("violation")
    assert not kind.urgent_lane
    verification.reclassify(session, petition.id, type_id=kind.id, **by(ministry, "verifier"))
    assert urgency.pending(session, petition.id) is None
    fallen = next(s for s in story.story(session, petition.id) if s.kind == "urgent_declined")
    assert fallen.note("en") == "This type has no urgent lane." and fallen.note("ar")
    verification.verify(session, petition.id, **by(ministry, "verifier"))
    assert petition not in listed(ministry)


def test_a_proposal_can_be_declined_after_its_type_lost_the_lane(ministry: Ministry) -> None:
    session = ministry.session
    petition = ministry.petition("retribution", urgency="urgent", urgent_reason="غدًا")
    petition.type.urgent_lane = False
    verifier = ministry.staff["verifier"]
    assert access.verbs(session, verifier, petition) & {"agree_urgent", "decline_urgent"} == {"decline_urgent"}
    with pytest.raises(Refused):
        access.require(session, ministry.staff["receptionist"], petition.id, "decline_urgent")
    access.require(session, verifier, petition.id, "decline_urgent")
    urgency.decline(session, petition.id, reason="لم يعد له مسار", **by(ministry, "verifier"))
    assert urgency.pending(session, petition.id) is None
