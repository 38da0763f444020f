"""Who is calling, what becomes of a complaint, and calls that ring."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.errors import Mistake, NotFound, Refused
from reception.hotline import checks, concerns, rules, telephone
from reception.hotline.models import CallBack, CallerCheck, Concern
from tests.conftest import ZONE
from tests.unit.reception.conftest import CAST, Ministry


def check(
    ministry: Ministry, visitor: object, identity: str, called: str, *, who: str = "hotline", after: int = 0
) -> bool:
    return checks.check(
        ministry.session,
        visitor,  # type: ignore[arg-type]
        identity=identity,
        called=called,
        staff_id=ministry.id(who),
        now=ministry.now + timedelta(minutes=after),
    )


@pytest.mark.parametrize(
    ("identity", "called", "fits"),
    [
        ("5678", "4567", True),
        ("٥٦٧٨", " 45-67 ", True),  # as it is heard and typed
        ("5678", "4568", False),
        ("5679", "4567", False),
        ("", "", False),
        ("1012345678", "4567", False),  # the whole number is not asked for on the phone
        ("678", "567", False),
    ],
)
def test_both_ends_of_what_is_on_file_must_be_known(identity: str, called: str, fits: bool) -> None:
    assert rules.answers_fit("1012345678", "+966501234567", identity=identity, called=called) is fits


def test_a_check_holds_for_the_agents_own_call_and_not_for_ever(ministry: Ministry) -> None:
    visitor = ministry.visitor()
    assert check(ministry, visitor, visitor.identity_number[-4:], "4567")

    def holds(who: str, minutes: int) -> bool:
        now = ministry.now + timedelta(minutes=minutes)
        return checks.checked_at(ministry.session, visitor.id, staff_id=ministry.id(who), now=now) is not None

    assert holds("hotline", 14) and not holds("hotline", 15) and not holds("aide", 1)
    checks.end(ministry.session, staff_id=ministry.id("hotline"), now=ministry.now)
    assert not holds("hotline", 1), "the next caller is somebody else"


def test_nobody_guesses_on_not_even_with_another_agent(ministry: Ministry) -> None:
    visitor, right = ministry.visitor(), "4567"
    for n in range(rules.TRIES):
        assert not check(ministry, visitor, f"000{n}", right, who=("hotline", "aide")[n % 2])
    with pytest.raises(Refused):
        check(ministry, visitor, visitor.identity_number[-4:], right, after=14)
    assert check(ministry, visitor, visitor.identity_number[-4:], right, after=15)
    rows = ministry.session.scalars(select(CallerCheck)).all()
    assert [row.passed for row in rows].count(False) == rules.TRIES


def concern(ministry: Ministry, kind: str = rules.COMPLAINT, **more: object) -> Concern:
    values: dict = {"about": "waiting", "text": "انتظرت ثلاث ساعات", "staff_id": ministry.id("hotline"), "zone": ZONE}
    return concerns.raise_concern(ministry.session, kind=kind, now=ministry.now, **(values | more))


def test_a_complaint_about_a_centre_lies_with_its_manager_and_others_with_the_office(ministry: Ministry) -> None:
    about_centre = concern(ministry, petition_id=ministry.petition().id)
    of_nowhere = concern(ministry)
    raised = concern(ministry, rules.ESCALATION, petition_id=ministry.petition().id)
    assert [row.state for row in (about_centre, of_nowhere, raised)] == ["with_centre", "with_office", "with_office"]
    assert raised.due_at < about_centre.due_at


@pytest.mark.parametrize("who", sorted(CAST))
def test_who_sees_a_complaint_and_who_may_answer_it(ministry: Ministry, who: str) -> None:
    row, person = concern(ministry, petition_id=ministry.petition().id), ministry.staff[who]
    sees = who in {"manager", "official", "aide", "hotline"}
    assert (row in concerns.seen_by(ministry.session, person)) == sees
    if sees:
        assert concerns.concern_for(ministry.session, person, row.id) is row
    else:
        with pytest.raises(NotFound):
            concerns.concern_for(ministry.session, person, row.id)
    assert concerns.may_answer(person, row) == (who in {"manager", "official", "aide"})


def test_a_manager_sees_nothing_of_another_centre(ministry: Ministry) -> None:
    row = concern(ministry, centre_id=ministry.jeddah.id)
    assert concerns.seen_by(ministry.session, ministry.staff["manager"]) == []
    assert row.state == "with_centre"


def test_an_answer_ends_it_and_the_caller_is_called_once(ministry: Ministry) -> None:
    petition = ministry.petition()
    row = concern(ministry, petition_id=petition.id)
    concerns.answer(ministry.session, row.id, text="زدنا الشبابيك.", staff_id=ministry.id("manager"), now=ministry.now)
    task = ministry.session.scalars(select(CallBack)).one()
    assert (task.visitor_id, task.petition_id, task.reason) == (petition.visitor_id, petition.id, "زدنا الشبابيك.")
    with pytest.raises(Refused):
        concerns.answer(ministry.session, row.id, text="ثانية", staff_id=ministry.id("aide"), now=ministry.now)


def test_what_a_centre_leaves_lying_goes_to_the_office_by_itself(ministry: Ministry) -> None:
    row = concern(ministry, petition_id=ministry.petition().id)
    before = row.due_at - timedelta(minutes=1)
    assert concerns.escalate_overdue(ministry.session, now=before) == 0
    assert concerns.escalate_overdue(ministry.session, now=row.due_at) == 1
    assert row.state == "with_office" and row.due_at > before
    assert concerns.escalate_overdue(ministry.session, now=row.due_at) == 0
    assert not concerns.may_answer(ministry.staff["manager"], row)


def test_a_complaint_needs_words_and_a_subject(ministry: Ministry) -> None:
    for wrong in ({"text": "  "}, {"about": "nothing we know"}):
        with pytest.raises(Mistake):
            concern(ministry, **wrong)


def test_a_call_rings_once_moves_with_its_agent_and_ends(ministry: Ministry) -> None:
    session, now, agent = ministry.session, ministry.now, ministry.id("hotline")
    first = telephone.ring(session, external_id="c1", number="0501234567", agent="hotline", now=now)
    assert telephone.ring(session, external_id="c1", number="0501234567", agent="hotline", now=now) is first
    assert first.number == "+966501234567" and telephone.ringing(session, agent, now=now) is first
    assert telephone.ringing(session, agent, now=now + rules.RING_FOR) is None, "its end was never told"
    assert telephone.take(session, first.id, staff_id=ministry.id("aide"), now=now) is None
    telephone.take(session, first.id, staff_id=agent, now=now)
    assert telephone.ringing(session, agent, now=now) is None
    second = telephone.ring(session, external_id="c2", number="anonymous", agent="hotline", now=now)
    telephone.hang_up(session, external_id="c2", now=now)
    telephone.hang_up(session, external_id="never told", now=now)
    assert second.ended_at == now and telephone.ringing(session, agent, now=now) is None


@pytest.mark.parametrize("agent", ["receptionist", "nobody at all", ""])
def test_a_call_for_nobody_of_the_team_is_not_found(ministry: Ministry, agent: str) -> None:
    with pytest.raises(NotFound):
        telephone.ring(ministry.session, external_id="c", number="0501234567", agent=agent, now=ministry.now)


def test_a_promised_call_lies_ahead_and_not_too_far(ministry: Ministry) -> None:
    now = ministry.now
    assert rules.call_at(None, now=now) == now
    assert rules.call_at(now + timedelta(hours=2), now=now) == now + timedelta(hours=2)
    for wrong in (now - timedelta(hours=1), now + timedelta(days=15)):
        with pytest.raises(Mistake):
            rules.call_at(wrong, now=now)
