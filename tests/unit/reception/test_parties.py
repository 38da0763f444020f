"""Who stands behind a petition beside the first one: who may act, until when, who is told, who may follow."""

from datetime import date, timedelta

import pytest

from core.errors import Mistake
from messaging.models import Message
from reception.notify.texts import tell
from reception.parties import rules, service
from reception.parties.service import Person
from tests.unit.reception.conftest import Ministry

TODAY = date(2026, 10, 27)


def power(**more: object) -> rules.Power:
    given = {"kind": "wakala", "number": "451", "until": "2027-01-01", "today": TODAY, "proof": True} | more
    return rules.power(given.pop("kind"), given.pop("number"), given.pop("until"), **given)


def test_a_power_of_attorney_has_a_number_an_end_and_a_paper() -> None:
    assert power() == rules.Power("wakala", "451", date(2027, 1, 1))
    assert power(kind="guardian", number="", until="") == rules.Power("guardian", "", None)
    assert power(until="٢٠٢٦-١٠-٢٧").until == TODAY, "the last day counts"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "friendship"}, "agent_power"),
        ({"number": " \u200f "}, "agent_number"),
        ({"until": "2026-10-26"}, "agent_until"),
        ({"until": ""}, "agent_until"),
        ({"until": "tomorrow"}, "agent_until"),
        ({"until": "2999-01-01"}, "agent_until"),
        ({"until": "0001-01-01"}, "agent_until"),
        ({"proof": False}, "agent_proof"),
    ],
)
def test_what_lets_nobody_act_is_refused_where_it_is_wrong(wrong: dict, field: str) -> None:
    with pytest.raises(Mistake) as mistake:
        power(**wrong)
    assert mistake.value.field == field


def test_what_one_is_to_the_other_is_known_from_both_sides() -> None:
    assert [rules.turned(one) for one in ("child", "parent", "spouse", "other", "")] == [
        "parent", "child", "spouse", "", "",
    ]  # fmt: skip


@pytest.fixture
def texts(ministry: Ministry):
    """The numbers that hear of a petition."""

    def told(petition) -> list[str]:
        session = ministry.session
        tell(
            session, petition, "petition_to_office", lambda _: {"case": petition.case_number}, key="k", now=ministry.now
        )
        tell(
            session, petition, "petition_to_office", lambda _: {"case": petition.case_number}, key="k", now=ministry.now
        )
        return sorted(row.to_number for row in session.query(Message).filter_by(subject_id=petition.id))

    return told


def test_everybody_who_is_told_gets_one_text_for_each_number(ministry: Ministry, texts) -> None:
    petition = ministry.petition()
    people = [
        Person(ministry.visitor("هند السالم", "0550000001"), rules.PETITIONER, relation="spouse"),
        Person(ministry.visitor("Silent Person", "0550000002"), rules.PETITIONER, told=False),
        Person(ministry.visitor("Shares Phone", "0501234567"), rules.PETITIONER),
        Person(ministry.visitor("Agent Person", "0550000003"), rules.AGENT, power=power()),
    ]
    service.add(ministry.session, petition, people, now=ministry.now)
    assert texts(petition) == ["+966501234567", "+966550000001", "+966550000003"]
    assert [kin.visitor.name for kin in service.household(ministry.session, petition.visitor_id)] == ["هند السالم"]
    back = service.household(ministry.session, people[0].visitor.id)
    assert [(kin.visitor_id, kin.relation) for kin in back] == [(petition.visitor_id, "spouse")]


def test_the_texts_go_to_the_agent_alone_until_the_power_ends(ministry: Ministry, texts) -> None:
    petition = ministry.petition()
    agent = Person(ministry.visitor("Agent Person", "0550000003"), rules.AGENT, power=power())
    with pytest.raises(Mistake, match="Somebody must get the texts"):
        service.silence_principal(ministry.session, petition, now=ministry.now)
    service.add(ministry.session, petition, [agent], now=ministry.now)
    service.silence_principal(ministry.session, petition, now=ministry.now)
    assert texts(petition) == ["+966550000003"]
    later = ministry.now + timedelta(days=90)
    assert [v.phone for v in service.told(ministry.session, petition, now=later)] == ["+966501234567"]
    follows = [
        service.follower(ministry.session, petition, "+966550000003", now=at) is not None
        for at in (ministry.now, later)
    ]
    assert follows == [True, False]
    assert service.follower(ministry.session, petition, "+966559999999", now=ministry.now) is None


def test_nobody_stands_in_a_petition_twice(ministry: Ministry) -> None:
    petition = ministry.petition()
    with pytest.raises(Mistake, match="stands in this petition already"):
        service.add(ministry.session, petition, [Person(petition.visitor, rules.AGENT)], now=ministry.now)
    crowd = [Person(petition.visitor, rules.PETITIONER)] * 21
    with pytest.raises(Mistake, match="20 people at most"):
        service.add(ministry.session, petition, crowd, now=ministry.now)
