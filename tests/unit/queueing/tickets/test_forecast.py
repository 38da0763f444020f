from dataclasses import replace
from datetime import timedelta
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queueing.tickets import rules
from queueing.tickets.discipline import Discipline
from queueing.tickets.forecast import Hall, Range, Seat, Service, Stream, forecast
from queueing.tickets.rules import Candidate
from tests.unit.queueing.tickets.hall import NOON, minutes
from tests.unit.queueing.tickets.test_rules import DESK, SIGNING, waiting

EIGHT = {"new": Service(8, 0.8, 40)}
BUSY = Seat(DESK, NOON - minutes(3), "new")
FREE = Seat(DESK)


def hall(*line: Candidate, seats: tuple[Seat, ...] = (BUSY,), **more: object) -> Hall:
    return replace(Hall(line, seats, EIGHT), **more)  # type: ignore[arg-type]


def told(*line: Candidate, **more: object) -> Range:
    """The range of the last of the line."""
    return forecast(hall(*line, **more), now=NOON)[line[-1].id]  # type: ignore[arg-type]


def test_an_empty_queue_with_a_free_counter_waits_moments() -> None:
    assert told(waiting("A1"), seats=(FREE,)) == Range(0, 2, 1, True)


def test_the_longer_the_line_the_longer_the_wait() -> None:
    line = [waiting(f"A{n}", 60 - n) for n in range(12)]
    ranges = forecast(hall(*line), now=NOON)
    lows, highs = [ranges[c.id].low for c in line], [ranges[c.id].high for c in line]
    assert lows == sorted(lows) and highs == sorted(highs)
    assert [ranges[c.id].position for c in line] == list(range(1, 13))
    assert lows[-1] > 50 and highs[-1] < 160, "eleven services of eight minutes, and a bit"


def test_more_counters_shorten_the_wait() -> None:
    line = [waiting(f"A{n}", 60 - n) for n in range(9)]
    seats = tuple(replace(BUSY, desk=replace(DESK, id=str(n))) for n in range(3))
    assert told(*line, seats=seats).high < told(*line).high / 2


def test_a_counter_that_will_close_is_not_counted_on() -> None:
    line = [waiting(f"A{n}", 60 - n) for n in range(9)]
    seats = (BUSY, replace(BUSY, desk=replace(DESK, id="2"), until=NOON + minutes(5)))
    assert told(*line, seats=seats).low > told(*line, seats=(BUSY, replace(seats[1], until=None))).low


def test_who_has_been_at_the_counter_for_long_is_not_done_at_once() -> None:
    """Service times are skewed: the longer one has lasted, the longer it goes on."""
    just, long = (told(waiting("A1"), seats=(replace(BUSY, since=NOON - minutes(m)),)) for m in (1, 30))
    assert long.high > just.high


def test_a_faster_class_behind_will_overtake() -> None:
    me = waiting("A1", 20)
    rivals = [waiting(f"D{n}", 1, visitor_class="disabled") for n in range(6)]
    ahead = [waiting(f"B{n}", 30 + n) for n in range(6)]
    alone = forecast(hall(*ahead, me), now=NOON)["A1"]
    among = forecast(hall(*ahead, *rivals, me), now=NOON)["A1"]
    assert alone.position == among.position == 7, "none of them is ahead yet"
    assert among.high > alone.high and among.low > alone.low
    patient = forecast(hall(*ahead, *rivals, me, discipline=Discipline(rates={"disabled": 1})), now=NOON)["A1"]
    assert patient == alone, "of the same rate nobody overtakes"


def test_faster_classes_that_keep_coming_lengthen_the_wait_of_the_slow_only() -> None:
    line = [waiting(f"A{n}", 60 - n) for n in range(8)]
    streams = (Stream(waiting("x", visitor_class="disabled"), 0.05),)
    assert told(*line, streams=streams).high > told(*line).high
    same = (Stream(waiting("x"), 0.05),)
    assert told(*line, streams=same) == told(*line)


def test_an_appointment_waits_for_its_time_at_least_and_takes_its_turn_then() -> None:
    due = waiting("V1", 0, eligible_at=NOON + minutes(15), ranked_from=NOON - minutes(5), also=("appointment",))
    assert told(due, seats=(FREE,)).low == 15
    assert told(due, seats=(FREE,)).high <= 17
    line = [waiting(f"A{n}", 10) for n in range(6)]
    assert told(due, *line).high > told(*line).high, "those whose turn comes later wait for it too"


def test_the_urgent_come_first() -> None:
    line = [waiting(f"A{n}", 60 - n) for n in range(8)]
    assert told(*line, waiting("U", 0, urgent=True)).position == 1
    assert told(*line, waiting("U", 0, urgent=True)).high <= told(line[0]).high


def test_whom_no_open_counter_serves_is_told_as_if_one_opened_now() -> None:
    family = waiting("F1", 5, section="family")
    assert told(family) == Range(0, 2, 1, False)
    assert told(waiting("A1", 9), waiting("A2", 5), seats=()).served is False
    assert told(waiting("A1", 9), waiting("A2", 5), seats=()).high > 2


def test_a_language_waits_for_the_counter_that_speaks_it() -> None:
    english = waiting("E1", 5, language="en")
    seats = (FREE, Seat(SIGNING, NOON - minutes(1), "new"))
    assert told(english, seats=seats).high > 2
    assert told(english, seats=(FREE,)).high == 2, "nobody speaks it: anybody takes it"


def test_newcomers_are_foreseen_each_alone() -> None:
    line = [waiting(f"A{n}", 30 - n) for n in range(5)]
    one, two = waiting("~1"), waiting("~2")
    both = forecast(hall(*line), now=NOON, newcomers=[one, two])
    assert both["~1"][:3] == both["~2"][:3] == forecast(hall(*line, one), now=NOON)["~1"][:3]
    assert {k: v for k, v in both.items() if k in {c.id for c in line}} == forecast(hall(*line), now=NOON)


def test_few_visits_leave_a_wider_range_than_many() -> None:
    line = [waiting(f"A{n}", 30 - n) for n in range(6)]
    narrow = told(*line, services={"new": Service(8, 0.8, 60)})
    wide = told(*line, services={"new": Service(8, 0.8, 0)})
    assert wide.high - wide.low > narrow.high - narrow.low


candidates = st.builds(
    waiting,
    label=st.text("ABC123", min_size=1, max_size=6),
    since=st.floats(0, 200),
    visitor_class=st.sampled_from(rules.CLASSES),
    urgent=st.booleans(),
    section=st.sampled_from(rules.SECTIONS),
    language=st.sampled_from(["ar", "en", "ur"]),
    sign_language=st.booleans(),
)
seats = st.lists(
    st.builds(Seat, st.sampled_from([DESK, SIGNING]), st.none() | st.just(NOON - minutes(4)), st.just("new")),
    max_size=3,
    unique_by=lambda seat: seat.desk.id,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(candidates, max_size=10, unique_by=lambda c: c.id), seats)
def test_everybody_is_told_a_range_and_the_same_again(line: list[Candidate], seats: list[Seat]) -> None:
    ranges = forecast(hall(*line, seats=tuple(seats)), now=NOON)
    assert set(ranges) == {c.id for c in line}
    assert all(0 <= r.low < r.high and r.position >= 1 for r in ranges.values())
    assert ranges == forecast(hall(*line, seats=tuple(seats)), now=NOON)


def test_a_hall_of_two_hundred_is_foreseen_in_the_time_of_some_hundred_calls() -> None:
    """Some twenty milliseconds, 0.1 for each ticket; judged beside the speed of the rule itself here and now."""
    kinds = ["regular"] * 6 + ["elderly", "disabled", "returning"]
    line = [waiting(f"A{n:03}", n / 2, visitor_class=kinds[n % 9], section=("men", "women")[n % 2]) for n in range(200)]
    seats = tuple(replace(BUSY, desk=replace(DESK, id=str(n)), since=NOON - timedelta(minutes=n)) for n in range(8))
    crowd = hall(*line, seats=seats)
    forecast(crowd, now=NOON)
    began = perf_counter()
    forecast(crowd, now=NOON)
    took = perf_counter() - began
    began = perf_counter()
    for _ in range(100):
        rules.choose(line, DESK, now=NOON)
    a_call = (perf_counter() - began) / 100
    assert took < 400 * a_call, (took, a_call)


@pytest.mark.parametrize("minutes_ago", [0, 5, 59, 600])
def test_the_rest_of_a_service_is_never_negative_nor_endless(minutes_ago: float) -> None:
    found = told(waiting("A1"), seats=(replace(BUSY, since=NOON - minutes(minutes_ago)),))
    assert 0 <= found.low < found.high <= 240
