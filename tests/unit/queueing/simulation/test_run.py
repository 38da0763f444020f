import random
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from core.errors import Mistake
from queueing.simulation.day import (
    Arrival,
    Day,
    Span,
    Stage,
    all_day,
    with_counter,
    with_more_visitors,
    with_rates,
    without_counter,
)
from queueing.simulation.example import example_day
from queueing.simulation.outcome import GAVE_UP, SERVED, UNSERVED, Outcome, compare, spread
from queueing.simulation.run import Run, simulate
from queueing.tickets import rules
from queueing.tickets.course import KEPT_SHARE
from queueing.tickets.rules import Candidate, Desk
from tests.unit.queueing.simulation.theory import EIGHT

POINTS = frozenset({"new", "verify"})
PLAIN = Desk("1", POINTS, frozenset(rules.SECTIONS), frozenset({"ar"}))
SIGNING = Desk("2", POINTS, frozenset(rules.SECTIONS), frozenset({"ar", "en"}), True)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def came(after: float, service: float = 10, **more: object) -> Arrival:
    return replace(Arrival(EIGHT + minutes(after), (Stage("new", service),)), **more)  # type: ignore[arg-type]


def played(*arrivals: Arrival, desks: tuple[Desk, ...] = (PLAIN,), hours: float = 8, **rule: object) -> Outcome:
    return simulate(replace(Day(arrivals, all_day(desks, EIGHT, EIGHT + minutes(60 * hours))), **rule))  # type: ignore[arg-type]


def called(outcome: Outcome) -> list[tuple[int, float]]:
    """Who was called after how many minutes of the day, in the order of calls."""
    rows = [(w.called, int(w.visit)) for w in outcome.waits if w.called]
    return [(who, (at - EIGHT) / minutes(1)) for at, who in sorted(rows)]


def test_visitors_come_to_the_counter_one_after_the_other() -> None:
    outcome = played(came(0), came(1), came(30))
    assert called(outcome) == [(0, 0), (1, 10), (2, 30)]
    assert [w.minutes for w in outcome.waits] == [0, 9, 0]
    assert outcome.all == spread([0, 9, 0], target=15)


def test_a_faster_class_overtakes_as_the_rule_says() -> None:
    outcome = played(came(0), came(1), came(3, visitor_class="disabled"))
    assert called(outcome) == [(0, 0), (2, 10), (1, 20)], "seven minutes at two a minute are more than nine at one"


def test_a_punctual_appointment_is_called_at_its_time_not_before() -> None:
    outcome = played(came(0, appointment_at=EIGHT + minutes(15)), came(1, 5))
    assert called(outcome) == [(1, 1), (0, 15)]
    assert outcome.by_class["appointment"].mean == 0


def test_an_appointment_that_comes_too_late_is_a_walk_in() -> None:
    outcome = played(came(0, 30), came(1, 5), came(20, appointment_at=EIGHT + minutes(5)))
    assert [who for who, _ in called(outcome)] == [0, 1, 2]
    assert "appointment" not in outcome.by_class


def test_who_goes_on_to_another_point_keeps_half_of_the_rank() -> None:
    """Waited 10 minutes, done at 20, away for 5: ranks at the next point as if it had come at 20."""
    one = came(0, 10)
    two = replace(came(0.001), stages=(Stage("new", 10), Stage("verify", 5, away=5)))
    rivals = [came(19, 20), came(21, 5)]
    outcome = played(one, two, *rivals)
    assert KEPT_SHARE == 0.5
    assert [who for who, _ in called(outcome)] == [0, 1, 2, 1, 3]
    assert outcome.by_point["verify"].mean == pytest.approx(15, abs=0.01)


def test_a_language_waits_for_the_counter_that_speaks_it_while_that_one_is_open() -> None:
    both = (came(0, 30), came(0.5, 30), came(1, language="en"))
    spans = (Span(PLAIN, EIGHT, EIGHT + minutes(480)), Span(SIGNING, EIGHT, EIGHT + minutes(20)))
    day = Day((*both, came(2, 1)), spans)
    outcome = simulate(day)
    assert called(outcome)[2:] == [(2, 30), (3, 40)], "counter 2 closed at 20: counter 1 takes the foreigner in turn"
    stays = simulate(replace(day, spans=all_day((PLAIN, SIGNING), EIGHT, EIGHT + minutes(480))))
    assert called(stays)[2:] == [(3, 30), (2, 30.5)], "counter 1 leaves the foreigner to counter 2"


def test_whoever_is_at_the_counter_at_closing_time_is_served_to_the_end_and_the_rest_are_told_of() -> None:
    outcome = played(came(0, 50), came(20), hours=0.5)
    assert [w.fate for w in outcome.waits] == [SERVED, UNSERVED]
    assert outcome.unserved == 1
    assert outcome.counters[0].open == 50 and outcome.counters[0].utilisation == 1


def test_who_gives_up_leaves_the_line() -> None:
    outcome = played(came(0, 30), came(1, gives_up_after=10), came(2))
    assert called(outcome) == [(0, 0), (2, 30)]
    (gone,) = [w for w in outcome.waits if w.fate == GAVE_UP]
    assert gone.ended == EIGHT + minutes(11)
    assert outcome.gave_up == 1


def test_a_counter_needs_its_minutes_between_two_visitors() -> None:
    assert called(played(came(0), came(1), turnover_minutes=2)) == [(0, 0), (1, 12)]


def test_spans_of_one_counter_that_touch_are_one() -> None:
    spans = (Span(PLAIN, EIGHT, EIGHT + minutes(30)), Span(PLAIN, EIGHT + minutes(30), EIGHT + minutes(60)))
    assert called(simulate(Day((came(31, 5), came(32, 5)), spans))) == [(0, 31), (1, 36)]


def test_the_curve_counts_who_waits_and_who_is_served() -> None:
    moments = played(came(0, 12), came(1, 12)).curve
    assert [(m.at - EIGHT, m.waiting, m.at_counters) for m in moments[:3]] == [
        (minutes(0), 0, 1),
        (minutes(5), 1, 1),
        (minutes(10), 1, 1),
    ]
    assert moments[-1].waiting == moments[-1].at_counters == 0


def busy_day(seed: int, visitors: int = 150) -> Day:
    """All that the rule looks at, mixed: points, sections, languages, signs, classes, urgency, appointments."""
    chance = random.Random(seed)
    arrivals = []
    for _ in range(visitors):
        after = chance.random() * 240
        appointment = EIGHT + minutes(after + chance.uniform(-15, 25)) if chance.random() < 0.2 else None
        stages = [Stage(chance.choice(["new", "verify"]), chance.expovariate(1 / 6))]
        if chance.random() < 0.3:
            stages.append(Stage("verify", 3, away=chance.choice([0, 4])))
        arrivals.append(
            Arrival(
                EIGHT + minutes(after),
                tuple(stages),
                visitor_class=chance.choice(rules.CLASSES[:7]),
                section=chance.choice(rules.SECTIONS),
                language=chance.choice(["ar", "ar", "en", "ur"]),
                sign_language=chance.random() < 0.1,
                urgent=chance.random() < 0.05,
                also=("returning",) if chance.random() < 0.1 else (),
                appointment_at=appointment,
                gives_up_after=chance.choice([None, None, 15]),
            )
        )
    desks = (PLAIN, SIGNING, Desk("3", frozenset({"new"}), frozenset({"women", "family"}), frozenset({"ar", "ur"})))
    return Day(tuple(arrivals), (*all_day(desks, EIGHT, EIGHT + minutes(300)),))


@pytest.mark.parametrize("seed", range(5))
def test_every_call_is_the_one_that_the_rule_would_choose_from_the_whole_line(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run shows the rule the heads of groups only; here each of its calls is decided again from everybody."""
    day, checked = busy_day(seed), []
    run = Run(day)
    pick = rules.pick

    def again(heads: list[Candidate], desk: Desk, *, now: datetime, **rest: object) -> Candidate | None:
        chosen = pick(heads, desk, now=now, **rest)  # type: ignore[arg-type]
        whole, reasons = rules.choose(run.waiting(), desk, now=now, **rest)  # type: ignore[arg-type]
        assert chosen == whole
        assert rules.replay(rules.Reasons.from_json(reasons.as_json())) == (whole.id if whole else None)
        checked.append(len(reasons.weighed))
        return chosen

    monkeypatch.setattr("queueing.simulation.run.rules.pick", again)
    run.play()
    assert len(checked) > 100 and max(checked) > 5


def test_everybody_of_a_mixed_crowd_is_called_in_the_end() -> None:
    """Deaf, foreign, of any section: no need waits for a counter that has it only together with another's."""
    day = busy_day(9, 600)
    patient = tuple(replace(arrival, gives_up_after=None) for arrival in day.arrivals)
    spans = tuple(replace(span, to_at=span.to_at + minutes(60 * 24 * 7)) for span in day.spans)
    assert simulate(replace(day, arrivals=patient, spans=spans)).unserved == 0


@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_lost_and_no_counter_has_two_visitors(seed: int) -> None:
    day = busy_day(seed)
    outcome = simulate(day)
    assert len({w.visit for w in outcome.waits}) == len(day.arrivals)
    assert outcome.served + outcome.gave_up + outcome.unserved == len(outcome.waits)
    for desk in ("1", "2", "3"):
        mine = sorted((w.called, w.ended) for w in outcome.waits if w.desk == desk and w.called and w.ended)
        assert all(end <= begin for (_, end), (begin, _) in pairwise(mine))
    assert all(w.called >= w.joined for w in outcome.waits if w.called)
    assert simulate(day) == outcome, "the same day comes to the same"


def test_one_counter_more_shortens_and_one_less_lengthens_the_wait() -> None:
    arrivals = tuple(example_day())
    start = min(a.at for a in arrivals)
    desks = tuple(
        Desk(f"{n}", frozenset({"counter"}), frozenset(rules.SECTIONS), frozenset({"ar", "en"}), True) for n in "abc"
    )
    day = Day(arrivals, all_day(desks, start, start + minutes(600)))
    now = simulate(day)
    more, less = simulate(with_counter(day, "a")), simulate(without_counter(day, "c"))
    assert more.all.mean < now.all.mean < less.all.mean
    assert [w.desk for w in more.counters] == ["a", "a+2", "b", "c"]
    part = simulate(with_counter(day, "a", from_at=start + minutes(60), to_at=start + minutes(240)))
    assert more.all.mean < part.all.mean < now.all.mean
    gap = simulate(without_counter(day, "c", from_at=start + minutes(60), to_at=start + minutes(120)))
    assert now.all.mean < gap.all.mean < less.all.mean


def test_other_rates_move_the_wait_between_classes() -> None:
    arrivals = tuple(example_day())
    start = min(a.at for a in arrivals)
    desk = Desk("a", frozenset({"counter"}), frozenset(rules.SECTIONS), frozenset({"ar", "en"}), True)
    day = Day(arrivals, all_day([replace(desk, id=n) for n in "abc"], start, start + minutes(600)))
    rows = {row.visitor_class: row for row in compare(simulate(day), simulate(with_rates(day, {"elderly": 4})))}
    elderly, regular = rows["elderly"], rows["regular"]
    assert elderly.before and elderly.after and regular.before and regular.after
    assert elderly.after.mean < elderly.before.mean
    assert regular.after.mean >= regular.before.mean
    assert next(iter(rows)) == "regular", "the class with the most visitors is told first"


def test_more_visitors_of_the_same_kind() -> None:
    day = Day(tuple(came(n) for n in range(30)), all_day([PLAIN], EIGHT, EIGHT + minutes(600)))
    assert len(with_more_visitors(day, 1.5).arrivals) == 45
    assert len(with_more_visitors(day, 0.5).arrivals) == 15
    assert with_more_visitors(day, 1) == day
    with pytest.raises(Mistake):
        with_more_visitors(day, 0)


def test_a_change_that_makes_no_sense_is_refused_with_its_field() -> None:
    day = Day((came(0),), all_day([PLAIN], EIGHT, EIGHT + minutes(60)))
    for change, field in (
        (lambda: with_counter(day, "9"), "counter"),
        (lambda: without_counter(day, "1"), "without"),
        (lambda: with_counter(day, "1", from_at=EIGHT + minutes(70)), "to_at"),
        (lambda: with_rates(day, {"elderly": 0}), "rates.elderly"),
    ):
        with pytest.raises(Mistake) as caught:
            change()
        assert caught.value.field == field


def test_progress_is_told_on_long_runs() -> None:
    day, told = Day(tuple(came(n / 10, 0.1) for n in range(1200)), all_day([PLAIN], EIGHT, EIGHT + minutes(600))), []
    simulate(day, progress=told.append)
    assert told == [500, 1000]
