from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.errors import Mistake, Refused
from core.events import OutboxEvent
from reception.petitions import catalogue, defaults, entries, rules, service, states, story, urgency, verification
from reception.petitions.models import PetitionType, Referral, RoutingRule
from reception.routing import rules as routing
from reception.routing.rules import Case
from tests.unit.reception.conftest import Ministry

HOUR = timedelta(hours=1)


def told(ministry: Ministry, petition_id: str) -> list[str]:
    return [step.kind for step in story.story(ministry.session, petition_id)]


def passed(ministry: Ministry, petition_id: str) -> None:
    verification.verify(ministry.session, petition_id, staff_id=ministry.id("verifier"), now=ministry.now)


def test_a_petition_is_numbered_by_the_hijri_year_and_counts_on(ministry: Ministry) -> None:
    numbers = [ministry.petition().case_number for _ in range(3)]
    assert numbers == ["48-000001", "48-000002", "48-000003"]


def test_the_case_year_turns_at_midnight_in_riyadh() -> None:
    last_evening = datetime(2026, 6, 15, 20, 59, tzinfo=UTC)  # 29 Dhu al-Hijjah 1447, 23:59
    assert rules.case_year(now=last_evening) == 1447
    assert rules.case_year(now=last_evening + timedelta(minutes=1)) == 1448


def test_it_is_routed_at_once_with_the_rule_named_in_its_story(ministry: Ministry) -> None:
    petition = ministry.petition("violation")
    assert petition.state == states.ROUTED
    assert petition.department is ministry.departments["traffic"]
    step = story.story(ministry.session, petition.id)[-1]
    assert step.note("ar") == "مرور: من اختصاص إدارة المرور"
    assert step.say(str, "en") == "Sent to Traffic"


def test_a_request_to_meet_goes_straight_up(ministry: Ministry) -> None:
    petition = ministry.petition("meet-video")
    assert petition.state == states.TO_OFFICE
    assert petition.department.is_office


def test_every_type_of_the_default_tree_has_a_rule_that_fits(ministry: Ministry) -> None:
    leaves = [leaf for root in catalogue.tree(ministry.session) for leaf in root.leaves()]
    assert len(leaves) > 20
    for leaf in leaves:
        case = Case(codes=tuple(catalogue.codes(ministry.session, leaf)), urgency=rules.NORMAL)
        rule = routing.route(case, [catalogue.as_rule(row) for row in ministry.session.query(RoutingRule)])
        assert rule is not None
        row = ministry.session.get_one(RoutingRule, rule.id)
        assert row.reason_ar and row.reason_en


def test_installing_the_defaults_again_changes_nothing(ministry: Ministry) -> None:
    before = (ministry.session.query(PetitionType).count(), ministry.session.query(RoutingRule).count())
    defaults.install(ministry.session, now=ministry.now)
    assert (ministry.session.query(PetitionType).count(), ministry.session.query(RoutingRule).count()) == before


def test_a_group_of_types_is_not_a_classification(ministry: Ministry) -> None:
    with pytest.raises(Mistake) as mistake:
        ministry.petition("rights")
    assert mistake.value.field == "type"


def test_without_a_rule_it_stays_at_reception_and_says_so(ministry: Ministry) -> None:
    ministry.session.query(RoutingRule).update({"active": False})
    petition = ministry.petition()
    assert petition.state == states.RECEIVED
    assert told(ministry, petition.id) == ["received", "unrouted"]


def test_the_whole_way_from_the_counter_to_the_answer(ministry: Ministry) -> None:
    session, now, officer = ministry.session, ministry.now, ministry.id("officer")
    petition = ministry.petition()
    service.acknowledge(session, petition.id, staff_id=officer, now=now + HOUR)
    service.begin(session, petition.id, staff_id=officer, now=now + 2 * HOUR)
    passed(ministry, petition.id)
    service.answer(session, petition.id, text="أُلغيت المخالفة.", staff_id=officer, now=now + 3 * HOUR)
    service.close(session, petition.id, reason="settled", staff_id=officer, now=now + 4 * HOUR)
    assert petition.state == states.CLOSED
    assert petition.settled_at == now + 4 * HOUR
    assert told(ministry, petition.id) == [
        "received", "routed", "acknowledged", "begun", "verified", "answered", "closed"
    ]  # fmt: skip
    names = [name.rsplit(".", 1)[1] for name in session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id))]
    assert names == [
        "VisitorRegistered", "PetitionReceived", "PetitionRouted", "PetitionAcknowledged", "WorkBegun",
        "PetitionVerified", "PetitionAnswered", "PetitionClosed",
    ]  # fmt: skip


def test_no_answer_leaves_before_verification_has_passed(ministry: Ministry) -> None:
    petition = ministry.petition()
    service.acknowledge(ministry.session, petition.id, staff_id=ministry.id("officer"), now=ministry.now)
    with pytest.raises(Refused, match="Verification"):
        service.answer(ministry.session, petition.id, text="نعم", staff_id=ministry.id("officer"), now=ministry.now)
    assert petition.state == states.ACKNOWLEDGED


def test_each_hand_over_has_a_sender_and_a_receiver(ministry: Ministry) -> None:
    petition = ministry.petition()
    officer, other = ministry.id("officer"), ministry.id("far-officer")
    service.acknowledge(ministry.session, petition.id, staff_id=officer, now=ministry.now)
    due = petition.due_at
    service.transfer(
        ministry.session,
        petition.id,
        department_id=ministry.departments["prisons"].id,
        reason="السائق موقوف لديهم",
        staff_id=officer,
        now=ministry.now + HOUR,
    )
    assert petition.state == states.ROUTED
    service.acknowledge(ministry.session, petition.id, staff_id=other, now=ministry.now + 2 * HOUR)
    first, second = ministry.session.scalars(select(Referral).order_by(Referral.sent_at))
    assert first.acknowledged_by == officer and first.ended_at == ministry.now + HOUR
    assert second.from_department_id == ministry.departments["traffic"].id
    assert second.acknowledged_by == other and second.ended_at is None
    assert petition.due_at == due, "a transfer starts the receiver's clock and keeps the total"


def test_a_transfer_needs_another_department_and_a_reason(ministry: Ministry) -> None:
    petition = ministry.petition()
    for department, reason in (("traffic", "سبب"), ("prisons", "  "), ("nowhere", "سبب")):
        target = ministry.departments.get(department)
        with pytest.raises(Mistake):
            service.transfer(
                ministry.session,
                petition.id,
                department_id=target.id if target else "-",
                reason=reason,
                staff_id=ministry.id("officer"),
                now=ministry.now,
            )
    assert petition.department is ministry.departments["traffic"]


def test_the_deadline_stands_still_while_the_visitor_is_asked(ministry: Ministry) -> None:
    petition = ministry.petition()
    officer, due = ministry.id("officer"), petition.due_at
    service.acknowledge(ministry.session, petition.id, staff_id=officer, now=ministry.now)
    service.ask_visitor(ministry.session, petition.id, question="نحتاج صورة الرخصة", staff_id=officer, now=ministry.now)
    service.visitor_replied(
        ministry.session,
        petition.id,
        reply="أحضر الصورة",
        staff_id=ministry.id("receptionist"),
        now=ministry.now + timedelta(days=3),
    )
    assert petition.state == states.IN_PROGRESS
    assert petition.due_at > due


def test_a_case_sent_on_while_the_visitor_is_asked_gets_its_waiting_time_back(ministry: Ministry) -> None:
    petition = ministry.petition()
    officer, due = ministry.id("officer"), petition.due_at
    service.acknowledge(ministry.session, petition.id, staff_id=officer, now=ministry.now)
    service.ask_visitor(ministry.session, petition.id, question="؟", staff_id=officer, now=ministry.now)
    service.transfer(
        ministry.session,
        petition.id,
        department_id=ministry.departments["prisons"].id,
        reason="لهم",
        staff_id=officer,
        now=ministry.now + timedelta(days=2),
    )
    assert petition.asked_at is None
    assert petition.due_at == due + timedelta(days=2), "two working days"


def test_a_reopened_case_must_be_confirmed_anew(ministry: Ministry) -> None:
    petition = ministry.petition()
    officer = ministry.id("officer")
    service.acknowledge(ministry.session, petition.id, staff_id=officer, now=ministry.now)
    service.close(ministry.session, petition.id, reason="withdrawn", staff_id=officer, now=ministry.now)
    service.reopen(
        ministry.session, petition.id, reason="عاد المراجع", staff_id=ministry.id("manager"), now=ministry.now + HOUR
    )
    assert petition.state == states.REOPENED
    assert petition.settled_at is None and petition.close_reason is None
    service.acknowledge(ministry.session, petition.id, staff_id=officer, now=ministry.now + 2 * HOUR)
    assert petition.state == states.ACKNOWLEDGED


def test_urgency_proposed_by_one_needs_a_second_person(ministry: Ministry) -> None:
    petition = ministry.petition("retribution", urgency="urgent", urgent_reason="التنفيذ بعد يومين")
    assert petition.urgency == rules.NORMAL
    assert petition.state == states.ROUTED
    with pytest.raises(Refused, match="second person"):
        urgency.agree(ministry.session, petition.id, staff_id=ministry.id("receptionist"), now=ministry.now)
    with pytest.raises(Refused):
        urgency.agree(ministry.session, petition.id, staff_id=ministry.id("far-receptionist"), now=ministry.now)
    urgency.agree(ministry.session, petition.id, staff_id=ministry.id("manager"), now=ministry.now + HOUR)
    assert petition.urgency == rules.URGENT
    assert petition.state == states.TO_OFFICE
    assert told(ministry, petition.id) == ["received", "routed", "urgent_proposed", "urgent_agreed", "sent_up"]


def test_declined_urgency_leaves_a_trace_and_changes_nothing_else(ministry: Ministry) -> None:
    petition = ministry.petition("retribution", urgency="urgent", urgent_reason="نرجو العجلة")
    due = petition.due_at
    urgency.decline(
        ministry.session, petition.id, reason="لا موعد قريب", staff_id=ministry.id("verifier"), now=ministry.now
    )
    assert (petition.urgency, petition.due_at) == (rules.NORMAL, due)
    assert told(ministry, petition.id)[-1] == "urgent_declined"
    assert urgency.pending(ministry.session, petition.id) is None


def test_the_urgent_lane_is_closed_to_other_types(ministry: Ministry) -> None:
    with pytest.raises(Mistake) as mistake:
        ministry.petition("violation", urgency="urgent", urgent_reason="أرجو العجلة")
    assert mistake.value.field == "urgency"


def test_nobody_verifies_what_he_took_himself(ministry: Ministry) -> None:
    petition = ministry.petition(staff_id=ministry.id("verifier"))
    with pytest.raises(Refused, match="colleague"):
        passed(ministry, petition.id)


def test_a_returned_petition_is_completed_verified_and_routed_anew(ministry: Ministry) -> None:
    petition = ministry.petition()
    due = petition.due_at
    verification.return_to_reception(
        ministry.session,
        petition.id,
        missing="صورة الهوية غير واضحة",
        staff_id=ministry.id("verifier"),
        now=ministry.now,
    )
    assert (petition.state, petition.department_id) == (states.RETURNED, None)
    verification.complete(
        ministry.session,
        petition.id,
        note="صورة جديدة",
        staff_id=ministry.id("receptionist"),
        now=ministry.now + timedelta(days=1),
    )
    assert (petition.state, petition.verification) == (states.ROUTED, states.PENDING)
    assert petition.department is ministry.departments["traffic"]
    assert petition.due_at > due
    passed(ministry, petition.id)


def test_a_corrected_type_sends_the_case_where_it_belongs(ministry: Ministry) -> None:
    petition = ministry.petition("violation")
    verification.reclassify(
        ministry.session,
        petition.id,
        type_id=ministry.type("release").id,
        staff_id=ministry.id("verifier"),
        now=ministry.now,
    )
    assert petition.department is ministry.departments["prisons"]
    assert told(ministry, petition.id) == ["received", "routed", "reclassified", "routed"]


def test_the_visitors_page_tells_no_names_and_nothing_anybody_wrote(ministry: Ministry) -> None:
    petition = ministry.petition()
    entries.add_note(
        ministry.session, petition.id, text="ملاحظة داخلية", staff_id=ministry.id("officer"), now=ministry.now
    )
    public = story.public_story(ministry.session, petition.id)
    assert [step.kind for step in public] == ["received", "routed"]
    for step in public:
        assert not step.text and not step.who("ar") and step.staff_id is None
        assert set(step.words("ar")) <= {"centre", "department"}
        assert step.say(str, "ar")


def test_every_step_can_be_said_in_both_languages(ministry: Ministry) -> None:
    words = dict.fromkeys(
        (
            "centre",
            "department",
            "from_department",
            "type",
            "old_type",
            "reason",
            "name",
            "case",
            "step",
            "whom",
            "due",
        ),
        "X",
    )
    for telling in story.TELLINGS.values():
        assert telling.staff.format(**words)
        if telling.visitor:
            assert telling.visitor.format(centre="X", department="X", case="X")


def test_all_states_have_names_and_groups_cover_the_table() -> None:
    assert set(states.NAMES) >= states.PETITION.states | states.VERIFICATION.states
    assert set(states.OPEN) | set(states.SETTLED) == states.PETITION.states
