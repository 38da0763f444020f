import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Mistake
from core.language import catalogue, say
from queueing.tickets import rules
from queueing.tickets.discipline import BOUNDS, CLASSES, DEFAULT, FASTEST, RATES, SLOWEST, Discipline
from tests.unit.queueing.tickets.hall import NOON, minutes
from tests.unit.queueing.tickets.test_rules import DESK, waiting

rates = st.dictionaries(st.sampled_from(CLASSES), st.floats(SLOWEST, FASTEST), max_size=8)
disciplines = st.builds(
    Discipline,
    rates=rates,
    recalls=st.integers(0, 5),
    **{name: st.floats(*bounds) for name, bounds in BOUNDS.items() if name != "recalls"},
)


@given(disciplines)
def test_a_discipline_is_stored_and_read_again(one: Discipline) -> None:
    again = Discipline.from_json(json.loads(json.dumps(one.as_json())))
    assert again == one and hash(again) == hash(one)


def test_what_a_stored_discipline_lacks_takes_the_default_and_what_it_has_too_much_is_passed_over() -> None:
    assert Discipline.from_json(None) == Discipline.from_json({}) == DEFAULT
    one = Discipline.from_json({"rates": {"elderly": 3}, "moon": "full"})
    assert one.rates == {**RATES, "elderly": 3.0}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"rates": {"elderly": 0}}, "rates.elderly"),
        ({"rates": {"elderly": -1}}, "rates.elderly"),
        ({"rates": {"elderly": 11}}, "rates.elderly"),
        ({"rates": {"elderly": float("nan")}}, "rates.elderly"),
        ({"rates": {"elderly": float("inf")}}, "rates.elderly"),
        ({"rates": {"elderly": "2"}}, "rates.elderly"),
        ({"rates": {"elderly": True}}, "rates.elderly"),
        ({"rates": {"two words": 2}}, "rates.two words"),
        ({"rates": [1, 2]}, "rates"),
        ({"grace_minutes": -1}, "grace_minutes"),
        ({"head_start_minutes": 121}, "head_start_minutes"),
        ({"recalls": 1.5}, "recalls"),
        ({"patience": 0.5}, "patience"),
        ({"target_minutes": 0}, "target_minutes"),
        ({"no_show_minutes": None}, "no_show_minutes"),
    ],
)
def test_a_discipline_that_is_not_allowed_names_its_field(changed: dict[str, object], field: str) -> None:
    with pytest.raises(Mistake) as caught:
        Discipline.from_json(changed)
    assert caught.value.field == field


def test_a_discipline_cannot_be_changed_behind_its_back() -> None:
    given_rates = {"elderly": 3.0}
    one = Discipline(rates=given_rates)
    given_rates["elderly"] = 9.0
    assert one.rates["elderly"] == 3
    with pytest.raises(TypeError):
        one.rates["elderly"] = 9.0  # type: ignore[index]


def test_the_choice_follows_the_centres_own_rates() -> None:
    line = [waiting("A210", 15), waiting("A217", 10, visitor_class="elderly")]
    assert rules.pick(line, DESK, now=NOON) == line[0], "10 × 1.5 are no more than 15"
    assert rules.pick(line, DESK, now=NOON, discipline=Discipline(rates={"elderly": 1.6})) == line[1]


def test_of_several_classes_the_fastest_counts() -> None:
    back = waiting("A1", 10, also=("returning",))
    assert rules.counted_as(back) == "returning"
    assert rules.counted_as(waiting("A1", 10, visitor_class="disabled", also=("returning",))) == "disabled"
    assert rules.counted_as(waiting("A1", 10, sign_language=True)) == "deaf"
    slow = Discipline(rates={"returning": 0.5})
    assert rules.counted_as(back, discipline=slow) == "regular", "a further class never harms"
    _, reasons = rules.choose([back], DESK, now=NOON)
    assert (reasons.weighed[0].visitor_class, reasons.weighed[0].rate) == ("returning", 1.5)


def test_a_class_that_the_centre_no_longer_has_counts_as_regular() -> None:
    assert DEFAULT.rate("guest_of_1990") == DEFAULT.rates["regular"]


def test_grace_and_head_start_are_the_centres() -> None:
    rule = Discipline(grace_minutes=5, head_start_minutes=30)
    for late, expected in [(5, -30), (6, 6)]:
        at = rules.ranked_from(issued_at=NOON + minutes(late), appointment_at=NOON, discipline=rule)
        assert at == NOON + minutes(expected)
        punctual = rules.is_punctual(issued_at=NOON + minutes(late), appointment_at=NOON, discipline=rule)
        assert punctual == (late == 5)


def test_the_rule_of_absence_is_the_centres() -> None:
    rule = Discipline(recalls=1, no_show_minutes=4, patience=3)
    assert rules.no_show_from(called_at=NOON, recalls=1, discipline=rule) == NOON
    assert rules.no_show_from(called_at=NOON, recalls=1, patient=True, discipline=rule) == NOON + timedelta(minutes=12)


def test_an_appointment_says_that_it_was_one() -> None:
    """Its minutes contain the head start: "waited longer" would not be true."""
    line = [waiting("A1", 22), waiting("V2", 21, also=("appointment",))]
    chosen, reasons = rules.choose(line, DESK, now=NOON)
    assert chosen == line[1]
    assert [because.code for because in rules.explain(reasons)] == [rules.APPOINTED]


def test_any_two_tickets_of_a_call_can_be_compared() -> None:
    line = [waiting("A217", 10, visitor_class="disabled"), waiting("A210", 15), waiting("A215", 3)]
    _, reasons = rules.choose(line, DESK, now=NOON)
    (because,) = rules.explain(reasons, than="A215")
    assert (because.code, because.label, because.than) == (rules.LONGEST, "A217", "A215")
    assert rules.explain(reasons, than="A999") == []


def test_calls_logged_by_earlier_releases_stay_explained() -> None:
    row = {
        "id": "a",
        "label": "A1",
        "urgent": False,
        "visitor_class": "regular",
        "rate": 1.0,
        "waited": 9.5,
        "score": 9.5,
    }
    logged = {"weighed": [row, {**row, "id": "b", "label": "A2", "waited": 5.0, "score": 5.0}], "passed_over": []}
    reasons = rules.Reasons.from_json(logged)
    assert rules.replay(reasons) == "a"
    assert rules.explain(reasons)[0].than == "A2"


@given(
    disciplines,
    st.lists(st.tuples(st.floats(0, 300), st.sampled_from(CLASSES), st.booleans()), min_size=1, max_size=12),
)
def test_under_any_discipline_a_call_is_replayed_from_its_log_alone(
    rule: Discipline, line: list[tuple[float, str, bool]]
) -> None:
    all_here = [waiting(f"A{n}", m, visitor_class=kind, urgent=urgent) for n, (m, kind, urgent) in enumerate(line)]
    chosen, reasons = rules.choose(all_here, DESK, now=NOON, discipline=rule)
    assert chosen == rules.pick(all_here, DESK, now=NOON, discipline=rule)
    logged = rules.Reasons.from_json(json.loads(json.dumps(reasons.as_json())))
    assert rules.replay(logged) == (chosen.id if chosen else None)
    assert [w.id for w in logged.weighed] == [
        t.id for t in sorted(all_here, key=lambda t: rules.rank(t, now=NOON, discipline=rule))
    ]


def test_the_bounds_of_a_rate_are_told_in_the_readers_digits() -> None:
    with pytest.raises(Mistake) as found:
        Discipline(rates={"elderly": 99})
    arabic = catalogue("ar", Path("web/locale"))
    assert "٠٫١" in say(found.value, arabic, "ar") and "١٠" in say(found.value, arabic, "ar")
    assert "from 0.1 to 10." in say(found.value, catalogue("en", Path("web/locale")), "en")
