"""Rules as data: which one holds, chains of them, circles refused, trials on past petitions."""

import pytest
from sqlalchemy import select

from core.errors import Mistake, Refused
from core.text import search_form
from reception.petitions import catalogue, states, story
from reception.petitions.models import Referral, RoutingRule
from reception.routing import rules, service
from reception.routing.rules import Case, Rule
from tests.unit.reception.conftest import Ministry

ANY = Case(codes=("claim", "rights"), urgency="normal")
LEAVES = {"rights": frozenset({"claim", "threat"}), "claim": frozenset({"claim"}), "threat": frozenset({"threat"})}


def test_the_first_rule_in_order_wins_and_a_parent_names_all_under_it() -> None:
    table = [
        Rule("c", 30, (), None, "rest"),
        Rule("b", 20, ("rights",), None, "rights"),
        Rule("a", 10, (), "urgent", "office"),
    ]
    assert rules.route(ANY, table).department_id == "rights"
    assert rules.route(Case(("claim", "rights"), "urgent"), table).department_id == "office"
    assert rules.route(Case(("licence", "traffic"), "normal"), table).department_id == "rest"
    assert rules.route(Case(("licence",), "normal"), table[1:]) is None


@pytest.mark.parametrize(
    ("condition", "fitting", "other"),
    [
        ({"centre_codes": ("riyadh",)}, {"centre": "riyadh"}, {"centre": "jeddah"}),
        ({"confidentiality": "secret"}, {"confidentiality": "secret"}, {"confidentiality": "open"}),
        ({"keywords": ("إبعاد", "ترحيل")}, {"text": search_form("قرار بالإبعاد عن البلاد")}, {"text": "سفر"}),
    ],
)
def test_every_condition_must_hold(condition: dict, fitting: dict, other: dict) -> None:
    rule = Rule("a", 1, (), None, "x", **condition)
    assert rules.fits(rule, Case((), "normal", **fitting))
    assert not rules.fits(rule, Case((), "normal", **other))


def test_an_onward_rule_leads_further_and_no_chain_comes_back() -> None:
    table = [
        Rule("a", 1, (), None, "x"),
        Rule("b", 2, (), None, "y", from_department_id="x"),
        Rule("c", 3, (), None, "x", from_department_id="y"),
    ]
    assert [rule.id for rule in rules.chain(ANY, table)] == ["a", "b"]


def test_a_circle_is_found_however_long_it_is() -> None:
    def onward(name: str, source: str, target: str, **more: object) -> Rule:
        return Rule(name, 1, more.pop("types", ()), None, target, from_department_id=source, **more)

    way = [onward("a", "x", "y"), onward("b", "y", "z"), onward("c", "z", "x")]
    assert {rule.id for rule in rules.circle(way, LEAVES)} == {"a", "b", "c"}
    assert rules.circle(way[:2], LEAVES) == []
    apart = [onward("a", "x", "y", types=("claim",)), onward("b", "y", "x", types=("threat",))]
    assert rules.circle(apart, LEAVES) == [], "no petition is of both types"
    meet = [onward("a", "x", "y", types=("rights",)), onward("b", "y", "x", types=("threat",))]
    assert rules.circle(meet, LEAVES)
    regions = [onward("a", "x", "y", centre_codes=("n",)), onward("b", "y", "x", centre_codes=("s",))]
    assert rules.circle(regions, LEAVES) == []
    words = [onward("a", "x", "y", keywords=("one",)), onward("b", "y", "x", keywords=("two",))]
    assert rules.circle(words, LEAVES), "a text may hold both"


def values(ministry: Ministry, **more: object) -> dict:
    found = {
        "department_id": ministry.departments["prisons"].id,
        "type_codes": ["violation"],
        "reason_ar": "السبب",
        "reason_en": "The reason",
        "active": True,
    }
    return found | more


def tried(ministry: Ministry, given: dict, *, rule_id: str | None = None, before: str = "") -> str:
    columns = service.checked(ministry.session, given)
    return service.mark(service.after(ministry.session, columns, rule_id=rule_id, before=before), columns)


def first(ministry: Ministry) -> str:
    return service.listed(ministry.session)[0].id


def test_a_rule_is_saved_as_it_was_tried_and_not_otherwise(ministry: Ministry) -> None:
    session, given = ministry.session, values(ministry)
    with pytest.raises(Refused, match="Try it"):
        service.save(session, given, rule_id=None, tried="", now=ministry.now)
    mark = tried(ministry, given, before=first(ministry))
    with pytest.raises(Refused, match="Try it"):
        service.save(session, given | {"keywords": "مخالفة"}, rule_id=None, tried=mark, now=ministry.now)
    row = service.save(session, given, rule_id=None, before=first(ministry), tried=mark, now=ministry.now)
    assert service.listed(session)[0] is row
    orders = [rule.order for rule in service.listed(session)]
    assert orders == sorted(set(orders))
    petition = ministry.petition("violation")
    assert petition.department is ministry.departments["prisons"]
    referral = session.scalars(select(Referral).where(Referral.petition_id == petition.id)).one()
    assert (referral.rule_id, referral.reason("en")) == (row.id, "The reason")


def test_the_trial_shows_which_past_petitions_would_go_elsewhere(ministry: Ministry) -> None:
    session = ministry.session
    for _ in range(3):
        ministry.petition("violation")
    by_hand = ministry.petition("violation")
    by_hand.department = ministry.departments["prisons"]
    ministry.petition("licence")
    session.flush()
    columns = service.checked(session, values(ministry))
    trial = service.try_out(
        session, service.after(session, columns, rule_id=None, before=first(ministry)), rule_id=None
    )
    assert (trial.looked, trial.decided, trial.moved, trial.right, trial.wrong) == (5, 4, 4, 1, 3)
    traffic, prisons = ministry.departments["traffic"].id, ministry.departments["prisons"].id
    assert trial.ways == {(traffic, prisons): 4}
    last = service.try_out(session, service.after(session, columns, rule_id=None), rule_id=None)
    assert last.moved == 0, "behind the rule for traffic it decides nothing"
    assert ministry.petition("violation").department is ministry.departments["traffic"], "trying changes nothing"


def test_a_rule_that_routes_in_a_circle_is_refused_and_nothing_changes(ministry: Ministry) -> None:
    session = ministry.session
    traffic, prisons = ministry.departments["traffic"].id, ministry.departments["prisons"].id
    there = values(ministry, from_department_id=traffic)
    service.save(session, there, rule_id=None, tried=tried(ministry, there), now=ministry.now)
    count = session.query(RoutingRule).count()
    back = values(ministry, department_id=traffic, from_department_id=prisons, type_codes=["traffic"])
    with pytest.raises(Mistake, match="circle") as mistake:
        service.save(session, back, rule_id=None, tried="", now=ministry.now)
    assert "Traffic → Prisons → Traffic" in str(mistake.value)
    assert session.query(RoutingRule).count() == count
    with pytest.raises(Mistake, match="stay where it is"):
        service.checked(session, values(ministry, from_department_id=prisons))


def test_a_chain_names_every_rules_reason(ministry: Ministry) -> None:
    session = ministry.session
    onward = values(ministry, from_department_id=ministry.departments["traffic"].id, keywords="موقوف")
    service.save(session, onward, rule_id=None, tried=tried(ministry, onward), now=ministry.now)
    petition = ministry.petition("violation", body="السائق موقوف منذ أسبوع ولا يعلم بالمخالفة.")
    assert petition.department is ministry.departments["prisons"]
    assert story.story(session, petition.id)[-1].note("en") == "Traffic is competent; The reason"
    assert ministry.petition("violation").department is ministry.departments["traffic"]


def test_a_rule_may_put_a_case_into_one_officers_hands(ministry: Ministry) -> None:
    session = ministry.session
    given = values(ministry, officer_id=ministry.id("far-officer"))
    service.save(
        session, given, rule_id=None, before=first(ministry),
        tried=tried(ministry, given, before=first(ministry)), now=ministry.now,
    )  # fmt: skip
    petition = ministry.petition("violation")
    assert (petition.officer_id, petition.state) == (ministry.id("far-officer"), states.ROUTED)
    with pytest.raises(Mistake) as mistake:
        service.checked(session, values(ministry, officer_id=ministry.id("officer")))
    assert mistake.value.field == "officer"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"department_id": ""}, "department"),
        ({"reason_ar": " "}, "reason_ar"),
        ({"urgency": "soon"}, "urgency"),
        ({"confidentiality": "top"}, "confidentiality"),
        ({"keywords": "في"}, "keywords"),
        ({"keywords": ",".join(f"كلمة{n}" for n in range(13))}, "keywords"),
    ],
)
def test_what_cannot_be_is_named_at_its_field(ministry: Ministry, wrong: dict, field: str) -> None:
    with pytest.raises(Mistake) as mistake:
        service.checked(ministry.session, values(ministry, **wrong))
    assert mistake.value.field == field


def test_the_codes_of_a_group_stand_for_all_under_it(ministry: Ministry) -> None:
    leaves = catalogue.leaves(ministry.session)
    assert leaves["traffic"] == {"violation", "licence"} and leaves["violation"] == {"violation"}


def test_urgent_ones_go_up_by_rule_and_the_reason_says_so(ministry: Ministry) -> None:
    case = Case(("retribution", "rights"), "urgent")
    rows = [catalogue.as_rule(row) for row in service.listed(ministry.session)]
    assert rules.chain(case, rows)[-1].department_id == ministry.departments["office"].id
