"""Umm al-Qura and weekday of every day we support beside an independent source: Chromium's own calendar (ICU)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from playwright.sync_api import sync_playwright

from core import calendar
from core.errors import Fault, Mistake
from queueing.appointments import rules
from tests.appointments.sky import begins_on
from tests.serving import CHROMIUM

pytestmark = pytest.mark.browser
FIRST, LAST = calendar.FIRST_DAY, calendar.LAST_DAY
EVERY_DAY = """([first, count]) => {
  const options = {timeZone: "UTC", year: "numeric", month: "numeric", day: "numeric", weekday: "long"};
  const format = new Intl.DateTimeFormat("ar-SA-u-ca-islamic-umalqura-nu-latn", options);
  if (format.resolvedOptions().calendar !== "islamic-umalqura") throw Error("another calendar");
  const days = [];
  for (let n = 0; n < count; n++) {
    const parts = {};
    for (const part of format.formatToParts(first + n * 86400000)) parts[part.type] = part.value;
    days.push([+(parts.year || parts.relatedYear), +parts.month, +parts.day, parts.weekday]);
  }
  return days;
}"""


@pytest.fixture(scope="module")
def intl() -> Iterator[dict[date, tuple[tuple[int, int, int], str]]]:
    """What Chromium says of every day, asked in one call."""
    count = (LAST - FIRST).days + 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        try:
            page = browser.new_page()
            since = int(datetime.combine(FIRST, time(12), UTC).timestamp() * 1000)
            found = page.evaluate(EVERY_DAY, [since, count])
        finally:
            browser.close()
    yield {
        FIRST + timedelta(days=n): ((year, month, day), weekday) for n, (year, month, day, weekday) in enumerate(found)
    }


AGREED = range(1420, 1451)
"""Years in which ICU has the months of our tables. After them it begins every third month a day late: the moon has set
behind the sun the evening before (docs/decisions/018-umm-al-qura.md). Before them other rules held, as were printed."""


def test_every_day_of_our_time_is_the_day_chromium_knows(intl: dict[date, tuple[tuple[int, int, int], str]]) -> None:
    near = {day: said for day, (said, _) in intl.items() if calendar.hijri_of(day)[0] in AGREED}
    assert len(near) > 10_900
    differ = {day: said for day, said in near.items() if calendar.hijri_of(day) != said}
    assert not differ, f"{len(differ)} days, the first {next(iter(differ.items()))}"


def test_where_chromium_has_another_day_the_sky_has_ours(intl: dict[date, tuple[tuple[int, int, int], str]]) -> None:
    """Every month of the supported range that begins on different days, tried by the calendar's own rule."""
    ours = {calendar.hijri_of(day)[:2]: day for day in intl if calendar.hijri_of(day)[2] == 1}
    theirs = {said[:2]: day for day, (said, _) in intl.items() if said[2] == 1}
    differ = [month for month, day in ours.items() if month in theirs and theirs[month] != day]
    assert differ and all(year > AGREED[-1] for year, _ in differ)
    right = [begins_on(ours[month], month[0]) for month in differ]
    assert False not in right and right.count(True) > 0.95 * len(right)
    assert not any(begins_on(theirs[month], month[0]) for month in differ)


def test_no_day_of_the_tables_is_far_from_chromiums(intl: dict[date, tuple[tuple[int, int, int], str]]) -> None:
    def about(hijri: tuple[int, int, int]) -> float:
        return hijri[0] * 354.367 + (hijri[1] - 1) * 29.53 + hijri[2]

    assert max(abs(about(calendar.hijri_of(day)) - about(said)) for day, (said, _) in intl.items()) < 2.6


def test_every_weekday_is_chromiums(intl: dict[date, tuple[tuple[int, int, int], str]]) -> None:
    differ = [day for day, (_, weekday) in intl.items() if calendar.WEEKDAYS["ar"][day.weekday()] != weekday]
    assert differ == []


def test_what_a_text_says_is_what_chromium_says(intl: dict[date, tuple[tuple[int, int, int], str]]) -> None:
    """The whole sentence on a day of every month, and its way back from what a person would type."""
    for day, ((year, month, dom), weekday) in intl.items():
        if day.day != 15 or year not in AGREED:
            continue
        parts = calendar.moment_parts(datetime.combine(day, time(9), UTC), "ar", "Asia/Riyadh")
        assert parts.weekday == weekday
        hijri = f"{dom} {calendar.HIJRI_MONTHS['ar'][month - 1]} {year}هـ"
        assert parts.hijri == calendar.digits(hijri, "ar")
        assert calendar.day_of(f"{dom}/{month}/{year}") == day


@pytest.mark.parametrize("day", [calendar.TABLES_SINCE - timedelta(days=1), LAST + timedelta(days=1)])
def test_beyond_the_tables_there_is_a_clear_word_and_no_guess(day: date) -> None:
    with pytest.raises(Fault, match="lies outside the Umm al-Qura tables"):
        calendar.hijri_of(day)
    calendar.hijri_of(calendar.TABLES_SINCE), calendar.hijri_of(LAST)


def test_no_session_is_planned_on_a_day_that_no_text_could_name() -> None:
    with pytest.raises(Mistake, match="calendar") as refusal:
        rules.plan(
            LAST + timedelta(days=1), time(10), time(11), minutes=20, zone="Asia/Riyadh",
            now=datetime(2026, 10, 27, tzinfo=UTC),
        )  # fmt: skip
    assert refusal.value.field == "day"
