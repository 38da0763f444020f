import pytest
from sqlalchemy import select

from core.errors import NotFound, Refused
from reception import access
from reception.petitions import service, urgency, verification
from reception.petitions.models import Petition
from tests.unit.reception.conftest import CAST, Ministry

SEES = {"receptionist", "verifier", "manager", "officer", "official", "aide", "hotline"}


@pytest.mark.parametrize("who", sorted(CAST))
def test_who_sees_a_case_and_who_never_does(ministry: Ministry, who: str) -> None:
    petition = ministry.petition("violation")
    staff = ministry.staff[who]
    listed = ministry.session.scalars(access.visible(select(Petition), staff)).all()
    assert access.may_see(ministry.session, staff, petition) == (who in SEES)
    assert access.may_see_petition(ministry.session, staff, petition.id) == (who in SEES)
    assert (petition in listed) == (who in SEES)
    if who not in SEES:
        assert access.verbs(ministry.session, staff, petition) == set()
        with pytest.raises(NotFound):
            access.petition_for(ministry.session, staff, petition.id)
        with pytest.raises(NotFound):
            access.require(ministry.session, staff, petition.id, "note")


@pytest.mark.parametrize("who", sorted(CAST))
def test_what_is_hidden_is_exactly_what_is_not_visible(ministry: Ministry, who: str) -> None:
    """Also of a case that lies with no department: where a comparison is neither true nor false."""
    nowhere = ministry.petition("violation")
    nowhere.department_id = None
    every = {ministry.petition(code).id for code in ("violation", "retribution", "threat")} | {nowhere.id}
    ministry.session.flush()
    staff = ministry.staff[who]
    seen = set(ministry.session.scalars(access.visible(select(Petition.id), staff)))
    hidden = set(ministry.session.scalars(access.hidden(select(Petition.id), staff)))
    assert seen | hidden == every and not seen & hidden


def test_nobody_signed_in_sees_nothing(ministry: Ministry) -> None:
    petition = ministry.petition()
    assert not access.may_see(ministry.session, None, petition)
    assert not access.may_see_petition(ministry.session, None, petition.id)


def test_a_closed_account_sees_nothing(ministry: Ministry) -> None:
    petition = ministry.petition()
    ministry.staff["aide"].active = False
    assert not access.may_see(ministry.session, ministry.staff["aide"], petition)


def test_a_department_that_had_the_case_still_sees_it_but_acts_no_more(ministry: Ministry) -> None:
    petition = ministry.petition("violation")
    officer = ministry.staff["officer"]
    service.acknowledge(ministry.session, petition.id, staff_id=officer.id, now=ministry.now)
    service.transfer(
        ministry.session,
        petition.id,
        department_id=ministry.departments["prisons"].id,
        reason="لهم",
        staff_id=officer.id,
        now=ministry.now,
    )
    assert access.may_see(ministry.session, officer, petition)
    assert not access.verbs(ministry.session, officer, petition) & {"acknowledge", "transfer", "answer", "close"}
    assert "acknowledge" in access.verbs(ministry.session, ministry.staff["far-officer"], petition)
    with pytest.raises(Refused):
        access.require(ministry.session, officer, petition.id, "acknowledge")


def test_staff_bound_to_nowhere_sees_nothing_of_a_centre(ministry: Ministry) -> None:
    petition = ministry.petition()
    for who in ("receptionist", "officer"):
        staff = ministry.staff[who]
        staff.centre_id = staff.department_id = None
        assert not access.may_see(ministry.session, staff, petition)


def test_the_text_of_a_confidential_case_is_not_for_the_hotline(ministry: Ministry) -> None:
    secret, plain = ministry.petition("retribution"), ministry.petition("violation")
    hotline = ministry.staff["hotline"]
    assert access.may_see(ministry.session, hotline, secret)
    assert not access.may_read_text(hotline, secret)
    assert access.may_read_text(hotline, plain)
    assert access.may_read_text(ministry.staff["official"], secret)


def test_verbs_follow_the_state(ministry: Ministry) -> None:
    petition = ministry.petition("violation")
    officer = ministry.staff["officer"]
    assert {"acknowledge", "transfer", "close"} <= access.verbs(ministry.session, officer, petition)
    assert not {"begin", "answer", "ask"} & access.verbs(ministry.session, officer, petition)
    service.acknowledge(ministry.session, petition.id, staff_id=officer.id, now=ministry.now)
    assert "answer" not in access.verbs(ministry.session, officer, petition), "verification has not passed"
    verification.verify(ministry.session, petition.id, staff_id=ministry.id("verifier"), now=ministry.now)
    assert {"begin", "answer", "ask"} <= access.verbs(ministry.session, officer, petition)


def test_only_a_second_person_is_offered_to_agree(ministry: Ministry) -> None:
    petition = ministry.petition("retribution")
    manager, verifier = ministry.staff["manager"], ministry.staff["verifier"]
    assert "agree_urgent" not in access.verbs(ministry.session, verifier, petition)
    urgency.propose(ministry.session, petition.id, reason="عاجل", staff_id=manager.id, now=ministry.now)
    assert "agree_urgent" in access.verbs(ministry.session, verifier, petition)
    assert "agree_urgent" not in access.verbs(ministry.session, manager, petition)


def test_the_one_who_took_it_is_not_offered_to_verify(ministry: Ministry) -> None:
    petition = ministry.petition(staff_id=ministry.id("verifier"))
    assert not {"verify", "return"} & access.verbs(ministry.session, ministry.staff["verifier"], petition)
