from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import calendar
from core.errors import Fault

ZONE = "Asia/Riyadh"
AT = datetime(2026, 10, 27, 13, 30, tzinfo=UTC)


def test_a_moment_names_weekday_both_dates_and_the_time_as_an_arabic_reader_expects() -> None:
    assert calendar.moment(AT, "ar", ZONE) == "الثلاثاء ١٦ جمادى الأولى ١٤٤٨هـ (٢٧ أكتوبر ٢٠٢٦م) ٤:٣٠ عصرًا"


def test_a_moment_in_english() -> None:
    assert calendar.moment(AT, "en", ZONE) == "Tuesday 27 October 2026 (16 Jumada al-Ula 1448 AH), 4:30 pm"


def test_the_day_turns_at_midnight_of_the_zone_and_not_of_utc() -> None:
    before, after = datetime(2026, 10, 27, 20, 59, tzinfo=UTC), datetime(2026, 10, 27, 21, 0, tzinfo=UTC)
    assert calendar.moment_parts(before, "en", ZONE).weekday == "Tuesday"
    assert calendar.moment_parts(after, "en", ZONE).weekday == "Wednesday"
    assert calendar.clock(after, "ar", ZONE) == "١٢:٠٠ ليلًا"


@given(st.dates(date(1925, 1, 1), date(2076, 12, 31)))
def test_the_parts_of_any_date_agree_with_each_other(day: date) -> None:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    parts = calendar.moment_parts(at, "en", "UTC")  # raises Fault when weekday, Hijri and Gregorian disagree
    assert parts.weekday == day.strftime("%A")


def test_a_date_whose_parts_contradict_each_other_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar, "hijri_of", lambda _day: (1448, 5, 17))
    with pytest.raises(Fault):
        calendar.moment(AT, "ar", ZONE)


def test_a_date_beyond_the_tables_is_a_fault_and_no_guess() -> None:
    with pytest.raises(Fault):
        calendar.hijri_of(date(2100, 1, 1))


@given(st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)))
def test_the_bounds_of_a_day_hold_every_instant_of_it(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC)
    for zone in (ZONE, "Europe/Berlin", "Pacific/Apia"):
        start, end = calendar.day_bounds(calendar.local_day(at, zone), zone)
        assert start <= at < end
        assert timedelta(hours=20) < end - start < timedelta(hours=28)
