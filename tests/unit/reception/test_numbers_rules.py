"""What the ministry's numbers mean."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from reception.numbers import rules
from reception.numbers.rules import Tally


@given(st.lists(st.integers(0, 400), min_size=1))
def test_the_median_is_the_least_number_of_days_within_which_half_were_settled(days: list[int]) -> None:
    median = rules.percentile({day: days.count(day) for day in days}, 0.5)
    assert median in days
    assert 2 * sum(day <= median for day in days) >= len(days) > 2 * sum(day < median for day in days) - 1


@given(st.dictionaries(st.integers(0, 1000), st.integers(1, 50)))
def test_every_open_one_is_of_exactly_one_age(open_days: dict[int, int]) -> None:
    assert sum(n for *_, n in rules.ages(open_days)) == sum(open_days.values())


def test_an_average_of_few_answers_is_not_shown() -> None:
    assert Tally(answers=2, score=10).satisfaction is None
    assert Tally(answers=3, score=12).satisfaction == 4.0


def test_cells_are_added_up_by_a_side_the_most_received_first() -> None:
    cells = {
        ("a", "north", None): Tally(received=1, days={3: 1}),
        ("a", "south", "d"): Tally(received=2, days={3: 1, 4: 2}),
        ("b", "south", "d"): Tally(received=4),
    }
    by_type = rules.rolled(cells, lambda cell: cell[0])
    assert [(key, one.received) for key, one in by_type.items()] == [("b", 4), ("a", 3)]
    assert by_type["a"].days == {3: 2, 4: 2}
    assert rules.total(cells.values()).received == 7
    assert cells[("a", "north", None)].received == 1, "the cells themselves stay as they are"


def test_a_long_course_is_drawn_by_weeks_and_loses_nothing() -> None:
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    rows = rules.course(first, last, {date(2026, 3, 3): (5, 1), last: (2, 0)})
    assert len(rows) == 53 and sum(came for _, came, _ in rows) == 7 and rows[-1][1] == 2
    assert len(rules.course(first, date(2026, 1, 7), {})) == 7
