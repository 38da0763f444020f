from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queueing.tickets import rules
from queueing.tickets.rules import Candidate, Desk
from tests.unit.queueing.tickets.hall import NOON, minutes

DESK = Desk("desk", frozenset({"new"}), frozenset({"men", "women"}), frozenset({"ar"}))
SIGNING = replace(DESK, id="signing", sign_language=True, languages=frozenset({"ar", "en"}))


def waiting(label: str, since: float = 0, **changed: object) -> Candidate:
    """Someone who has waited `since` minutes at noon."""
    came = NOON - minutes(since)
    plain = Candidate(label, label, "new", "men", "ar", False, "regular", False, came, came)
    return replace(plain, **changed)


def test_among_equals_whoever_came_first_is_called() -> None:
    chosen, reasons = rules.choose([waiting("A2", 5), waiting("A1", 9)], DESK, now=NOON)
    assert chosen and chosen.label == "A1"
    assert [b.code for b in rules.explain(reasons)] == [rules.LONGEST]


def test_a_faster_class_overtakes_a_longer_wait_and_the_reason_says_so() -> None:
    _, reasons = rules.choose([waiting("A210", 15), waiting("A217", 10, visitor_class="disabled")], DESK, now=NOON)
    (because,) = rules.explain(reasons)
    assert (because.code, because.label, because.than) == (rules.FASTER_RATE, "A217", "A210")
    assert (because.waited, because.rate, because.than_waited, because.than_rate) == (10, 2.0, 15, 1.0)


def test_a_faster_class_does_not_overtake_for_ever() -> None:
    chosen, _ = rules.choose([waiting("A210", 21), waiting("A217", 10, visitor_class="disabled")], DESK, now=NOON)
    assert chosen and chosen.label == "A210"


def test_the_urgent_come_before_any_wait() -> None:
    chosen, reasons = rules.choose(
        [waiting("A1", 300, visitor_class="disabled"), waiting("A9", 0, urgent=True)], DESK, now=NOON
    )
    assert chosen and chosen.label == "A9"
    assert rules.explain(reasons)[0].code == rules.URGENT


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"section": "family"}, rules.OTHER_SECTION),
        ({"service_point_id": "ask"}, rules.OTHER_SERVICE),
        ({"eligible_at": NOON + minutes(1)}, rules.NOT_YET),
        ({"language": "en"}, rules.OTHER_LANGUAGE),
        ({"sign_language": True}, rules.NEEDS_SIGN),
    ],
)
def test_a_counter_passes_over_what_it_cannot_serve_and_says_why(changed: dict[str, object], why: str) -> None:
    chosen, reasons = rules.choose([waiting("A1", 9, **changed)], DESK, now=NOON, others=[DESK, SIGNING])
    assert chosen is None
    assert [p.why for p in reasons.passed_over] == [why]


@pytest.mark.parametrize("changed", [{"language": "ur"}, {"sign_language": True}])
def test_nobody_waits_for_a_language_that_no_open_counter_has(changed: dict[str, object]) -> None:
    chosen, _ = rules.choose([waiting("A1", 9, **changed)], DESK, now=NOON, others=[DESK])
    assert chosen is not None


def test_a_deaf_foreigner_goes_to_who_signs_though_another_counter_speaks_the_language() -> None:
    urdu = replace(DESK, id="urdu", languages=frozenset({"ar", "ur"}))
    both = waiting("A1", 9, language="ur", sign_language=True)
    desks = [urdu, SIGNING]
    assert rules.why_not(both, urdu, now=NOON, others=desks) == rules.NEEDS_SIGN
    assert rules.why_not(both, SIGNING, now=NOON, others=desks) is None
    all_in_one = replace(SIGNING, id="both", languages=frozenset({"ur"}))
    assert rules.why_not(both, SIGNING, now=NOON, others=[*desks, all_in_one]) == rules.OTHER_LANGUAGE


languages = st.frozensets(st.sampled_from(["ar", "en", "ur"]), min_size=1)
desks_ = st.builds(
    Desk,
    st.text("abc", min_size=1, max_size=4),
    st.just(frozenset({"new"})),
    st.just(frozenset({"men"})),
    languages,
    st.booleans(),
)


@given(
    st.lists(desks_, min_size=1, max_size=5, unique_by=lambda desk: desk.id),
    st.sampled_from(["ar", "en", "ur", "fr"]),
    st.booleans(),
)
def test_whomever_a_section_and_a_service_are_open_for_some_counter_takes(
    desks: list[Desk], language: str, sign: bool
) -> None:
    assert not rules.unserved([waiting("A1", 9, language=language, sign_language=sign)], desks, now=NOON)


def test_a_section_is_never_waived() -> None:
    family = waiting("A1", 9, section="family")
    assert rules.choose([family], DESK, now=NOON, others=[DESK])[0] is None
    assert rules.unserved([family], [DESK, SIGNING], now=NOON) == [family]


def test_a_punctual_appointment_ranks_with_a_head_start_and_a_late_one_without() -> None:
    for late, expected in [(-30, -20), (10, -20), (11, 11)]:
        at = rules.ranked_from(issued_at=NOON + minutes(late), appointment_at=NOON)
        assert at == NOON + minutes(expected), late


def test_an_appointment_is_eligible_at_its_time_not_before() -> None:
    assert rules.eligible_at(issued_at=NOON - minutes(40), appointment_at=NOON) == NOON
    assert rules.eligible_at(issued_at=NOON + minutes(4), appointment_at=NOON) == NOON + minutes(4)


def test_an_absence_may_be_declared_after_two_recalls_or_three_minutes() -> None:
    assert rules.no_show_from(called_at=NOON, recalls=0) == NOON + minutes(3)
    assert rules.no_show_from(called_at=NOON, recalls=2) == NOON
    assert rules.no_show_from(called_at=NOON, recalls=2, patient=True) == NOON + minutes(6)
    assert rules.no_show_from(called_at=NOON, recalls=3, patient=True) == NOON


def test_who_may_not_hear_or_walks_slowly_is_given_more_patience() -> None:
    assert rules.needs_patience("regular", sign_language=True)
    assert rules.needs_patience("elderly", sign_language=False)
    assert not rules.needs_patience("regular", sign_language=False)


candidates = st.builds(
    waiting,
    label=st.text("ABC123", min_size=1, max_size=6),
    since=st.floats(0, 500),
    visitor_class=st.sampled_from(sorted(rules.RATES)),
    urgent=st.booleans(),
    section=st.sampled_from(rules.SECTIONS),
)


@given(st.lists(candidates, max_size=12, unique_by=lambda c: c.id))
def test_the_choice_does_not_depend_on_the_order_of_asking_and_can_be_replayed(line: list[Candidate]) -> None:
    chosen, reasons = rules.choose(line, DESK, now=NOON)
    again, _ = rules.choose(reversed(line), DESK, now=NOON)
    assert chosen == again
    kept = rules.Reasons.from_json(reasons.as_json())
    assert kept == reasons
    assert rules.replay(kept) == (chosen.id if chosen else None)
    assert len(reasons.weighed) + len(reasons.passed_over) == len(line)


@given(st.lists(candidates, min_size=1, max_size=12, unique_by=lambda c: c.id), st.floats(0, 600))
def test_waiting_longer_never_loses_a_place_among_the_same_class(line: list[Candidate], later: float) -> None:
    """Two of one class keep their order for ever: accumulation compares classes, never persons."""
    then = NOON + minutes(later)
    for one in line:
        for other in line:
            if (one.visitor_class, one.urgent) == (other.visitor_class, other.urgent) and one != other:
                before = rules.rank(one, now=NOON) < rules.rank(other, now=NOON)
                assert before == (rules.rank(one, now=then) < rules.rank(other, now=then)) or _close(one, other)


def _close(one: Candidate, other: Candidate) -> bool:
    """Scores are floats: arrivals within a millisecond may swap."""
    gap: timedelta = one.ranked_from - other.ranked_from
    return abs(gap) < timedelta(milliseconds=1)


def test_every_class_has_a_positive_rate() -> None:
    assert min(rules.RATES.values()) > 0


def test_a_regular_visitor_is_called_even_in_a_hall_overfull_with_faster_classes() -> None:
    """Three disabled visitors arrive for every two served: only those of the first half of the wait come before."""
    now: datetime = NOON
    regular = waiting("R", 0)
    line, called = [regular], []
    for turn in range(200):
        for name in ("D", "E")[: 1 + turn % 2]:
            came = waiting(f"{name}{turn:03}", visitor_class="disabled")
            line.append(replace(came, ranked_from=now, eligible_at=now))
        now += minutes(5)
        chosen, _ = rules.choose(line, DESK, now=now)
        assert chosen
        line.remove(chosen)
        called.append(chosen.id)
        if chosen is regular:
            break
    assert called[-1] == "R"
    assert all(int(name[1:]) * 2 <= len(called) for name in called[:-1])
