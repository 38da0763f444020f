"""What the working calendar says of days and stretches of time, and that it never contradicts itself."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import FIRST_DAY, LAST_DAY, gregorian_of, hijri_of
from core.errors import Fault, Mistake
from core.workdays import rules, week, yearly
from core.workdays.rules import Closed, WorkCalendar

RIYADH = "Asia/Riyadh"
EID = Closed("eid", "عيد", "Eid")
HOUR = timedelta(hours=1)


def calendar(*closed: date, zone: str = RIYADH, hours: week.Hours = rules.DEFAULT_WEEK) -> WorkCalendar:
    return WorkCalendar(zone, hours, rules.DEFAULT_RAMADAN, dict.fromkeys(closed, EID))


def at(day: date, hour: int, minute: int = 0, zone: str = RIYADH) -> datetime:
    return datetime.combine(day, time(hour, minute), ZoneInfo(zone)).astimezone(UTC)


THURSDAY = date(2026, 10, 29)
SUNDAY = date(2026, 11, 1)


def test_the_weekend_is_passed_over_and_a_full_day_ends_with_its_own_last_minute() -> None:
    work = calendar()
    assert work.add(at(THURSDAY, 14), HOUR) == at(THURSDAY, 15)
    assert work.add(at(THURSDAY, 14), HOUR + timedelta(minutes=1)) == at(SUNDAY, 8, 1)
    assert work.next_working(at(THURSDAY, 15)) == at(SUNDAY, 8)
    assert work.next_working(at(SUNDAY, 9)) == at(SUNDAY, 9)
    assert work.between(at(THURSDAY, 7), at(SUNDAY, 9)) == 8 * HOUR
    assert work.between(at(SUNDAY, 9), at(THURSDAY, 7)) == -8 * HOUR
    assert work.nth_day(THURSDAY, 1) == SUNDAY and work.nth_day(THURSDAY, 0) == THURSDAY


def test_a_holiday_names_itself_and_the_weekend_says_what_it_is() -> None:
    work = calendar(SUNDAY)
    assert work.why_closed(SUNDAY, "ar") == "عيد" and work.why_closed(SUNDAY, "en") == "Eid"
    assert work.why_closed(THURSDAY + timedelta(days=1), "en") == rules.REST["en"]
    assert work.why_closed(THURSDAY, "ar") == ""
    assert work.add(at(THURSDAY, 15), HOUR) == at(SUNDAY + timedelta(days=1), 9)


def test_in_ramadan_the_day_is_shorter() -> None:
    first = gregorian_of(1448, 9, 1)
    day = next(first + timedelta(days=n) for n in range(7) if calendar().is_working(first + timedelta(days=n)))
    assert calendar().hours(day) == ((at(day, 10), at(day, 15)),)
    assert rules.in_ramadan(first) and not rules.in_ramadan(first - timedelta(days=1))
    as_ever = WorkCalendar(RIYADH, rules.DEFAULT_WEEK, {}, {})
    assert as_ever.hours(day) == ((at(day, 8), at(day, 15)),)


def test_beyond_the_tables_no_day_is_of_ramadan_and_nothing_breaks() -> None:
    for day in (FIRST_DAY - timedelta(days=40), LAST_DAY + timedelta(days=40)):
        assert not rules.in_ramadan(day)
        calendar().hours(day)


def test_a_place_that_never_works_says_so_instead_of_searching_for_ever() -> None:
    never = WorkCalendar(RIYADH, {}, {}, {})
    for ask in (
        lambda: never.add(at(SUNDAY, 8), HOUR),
        lambda: never.next_working(at(SUNDAY, 8)),
        lambda: never.nth_day(SUNDAY, 1),
    ):
        with pytest.raises(Fault, match="No working time is known"):
            ask()
    assert never.between(at(SUNDAY, 8), at(SUNDAY, 12)) == timedelta(0)
    with pytest.raises(ValueError, match="-1"):
        calendar().add(at(SUNDAY, 8), -HOUR)


ZONES = st.sampled_from(["Asia/Riyadh", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu", "Europe/Berlin"])
NEAR = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda value: value.replace(tzinfo=UTC))
SPANS = st.lists(st.integers(0, 96), min_size=2, max_size=6, unique=True).map(
    lambda marks: [[15 * a, 15 * b] for a, b in zip(sorted(marks)[::2], sorted(marks)[1::2], strict=False)]
)
WEEKS = st.dictionaries(st.sampled_from(week.WEEKDAYS), SPANS, min_size=1)


@given(
    zone=ZONES,
    hours=WEEKS,
    start=NEAR,
    working=st.timedeltas(timedelta(0), timedelta(hours=120)),
    closed=st.lists(st.integers(0, 300), max_size=20),
)
def test_time_that_is_added_is_the_time_that_lies_between(
    zone: str, hours: week.Hours, start: datetime, working: timedelta, closed: list[int]
) -> None:
    work = calendar(*(start.date() + timedelta(days=n) for n in closed), zone=zone, hours=hours)
    end = work.add(start, working)
    assert work.between(start, end) == working
    if working:
        assert work.between(start, end - timedelta(microseconds=1)) < working
        assert any(begins < end <= ends for begins, ends in work.hours(end.astimezone(ZoneInfo(zone)).date())) or (
            end.astimezone(ZoneInfo(zone)).time() == time(0)
        )
    begun = work.next_working(start)
    assert begun >= start and work.between(start, begun) == timedelta(0)
    assert work.next_working(begun) == begun


@given(zone=ZONES, hours=WEEKS, a=NEAR, b=NEAR, c=NEAR)
def test_stretches_add_up(zone: str, hours: week.Hours, a: datetime, b: datetime, c: datetime) -> None:
    work = calendar(zone=zone, hours=hours)
    a, b, c = sorted((a, b, c))
    b, c = min(b, a + timedelta(days=60)), min(c, a + timedelta(days=90))
    assert work.between(a, b) + work.between(b, c) == work.between(a, c)


def test_yearly_holidays_are_proposed_with_the_tables_dates() -> None:
    found = {one.key: one for one in yearly.proposals(date(2027, 1, 1), date(2027, 12, 31))}
    assert list(found) == ["founding-2027", "fitr-1448", "adha-1448", "national-2027"]
    assert found["fitr-1448"].first_day - timedelta(days=1) == gregorian_of(1448, 9, 29)
    assert hijri_of(found["adha-1448"].first_day) == (1448, 12, 9)
    assert (found["adha-1448"].last_day - found["adha-1448"].first_day).days == 3


@pytest.mark.parametrize(
    ("year", "kept"), [(2029, date(2029, 9, 23)), (2028, date(2028, 9, 24)), (2033, date(2033, 9, 22))]
)
def test_a_single_day_that_meets_the_weekend_is_kept_beside_it(year: int, kept: date) -> None:
    (one,) = (p for p in yearly.proposals(date(year, 9, 1), date(year, 9, 30)) if p.key.startswith("national"))
    assert one.first_day == one.last_day == kept


def test_nothing_is_proposed_beyond_the_tables() -> None:
    assert yearly.proposals(LAST_DAY + timedelta(days=1), LAST_DAY + timedelta(days=400)) == []
    assert yearly.proposals(LAST_DAY - timedelta(days=200), LAST_DAY + timedelta(days=400))


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (SUNDAY, THURSDAY, "last_day"),
        (THURSDAY, THURSDAY, "first_day"),
        (SUNDAY, LAST_DAY + timedelta(days=1), "last_day"),
        (SUNDAY, SUNDAY + timedelta(days=rules.LONGEST), "last_day"),
    ],
)
def test_days_that_can_be_no_holiday_are_refused_beside_their_field(first: date, last: date, field: str) -> None:
    with pytest.raises(Mistake) as mistake:
        rules.check_days(first, last, today=SUNDAY)
    assert mistake.value.field == field
    rules.check_days(SUNDAY, SUNDAY + timedelta(days=rules.LONGEST - 1), today=SUNDAY)
