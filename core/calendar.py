"""Dates as the reader expects them: weekday, Hijri (Umm al-Qura) and Gregorian, all derived from one instant.

`moment` checks its own parts against each other before a text may leave, since a wrong day in an SMS costs a journey.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hijridate import Gregorian, Hijri

from core.errors import Fault
from core.text import arabic_digits, latin_digits

WEEKDAYS = {
    "ar": ("الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
HIJRI_MONTHS = {
    "ar": (
        "محرم", "صفر", "ربيع الأول", "ربيع الآخر", "جمادى الأولى", "جمادى الآخرة",
        "رجب", "شعبان", "رمضان", "شوال", "ذو القعدة", "ذو الحجة",
    ),
    "en": (
        "Muharram", "Safar", "Rabi al-Awwal", "Rabi al-Thani", "Jumada al-Ula", "Jumada al-Akhirah",
        "Rajab", "Shaban", "Ramadan", "Shawwal", "Dhu al-Qadah", "Dhu al-Hijjah",
    ),
}  # fmt: skip
GREGORIAN_MONTHS = {
    "ar": (
        "يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو",
        "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip
FIRST_DAY, LAST_DAY = date(1999, 4, 17), date(2077, 11, 16)  # 1420 to 1500 AH: by today's rule (decision 018)
LAST_HIJRI_YEAR = 1500
TABLES_SINCE = date(1924, 8, 1)  # 1343 AH; days before FIRST_DAY as they were printed in their time
DAY_PARTS_AR = ((4, "ليلًا"), (6, "فجرًا"), (12, "صباحًا"), (15, "ظهرًا"), (18, "عصرًا"), (24, "مساءً"))


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant in one zone, named in every way a text needs. Strings carry the reader's digits."""

    weekday: str
    hijri: str
    gregorian: str
    time: str


class BeyondTables(ValueError):
    """A day of a Hijri year that is not published yet."""


@dataclass(frozen=True, slots=True)
class When:
    """An instant inside a message whose reader is not known yet: `الأحد ٢٢ نوفمبر، ٨:٠٠ صباحًا`.

    Midnight stands for the day alone: where no hours are set, nobody waits before the door at twelve.
    """

    at: datetime
    zone: str

    def said(self, lang: str) -> str:
        day = local_day(self.at, self.zone)
        if self.at == day_bounds(day, self.zone)[0]:
            return day_name(day, lang)
        comma = "،" if lang == "ar" else ","
        return f"{day_name(day, lang)}{comma} {clock(self.at, lang, self.zone)}"

    def __str__(self) -> str:
        return self.said("en")


def digits(value: object, lang: str) -> str:
    return arabic_digits(str(value)) if lang == "ar" else str(value)


def hijri_of(day: date) -> tuple[int, int, int]:
    """(year, month, day) Umm al-Qura. Raises Fault outside 1343–1500 AH, which the published tables cover."""
    try:
        return Gregorian.fromdate(day).to_hijri().datetuple()
    except (OverflowError, ValueError) as error:
        raise Fault("The date {day} lies outside the Umm al-Qura tables.", day=day.isoformat()) from error


def gregorian_of(year: int, month: int, dom: int) -> date:
    """The day that the Umm al-Qura tables give this name. Raises Fault for one they don't know."""
    try:
        return date(*Hijri(year, month, dom).to_gregorian().datetuple())
    except (OverflowError, ValueError) as error:
        day = f"{year}/{month}/{dom}"
        raise Fault("The date {day} lies outside the Umm al-Qura tables.", day=day) from error


def clock(at: datetime, lang: str, zone: str) -> str:
    """`٤:٣٠ عصرًا` or `4:30 pm`."""
    local = at.astimezone(ZoneInfo(zone))
    hour = local.hour % 12 or 12
    if lang == "ar":
        part = next(name for until, name in DAY_PARTS_AR if local.hour < until)
        return arabic_digits(f"{hour}:{local.minute:02d} {part}")
    return f"{hour}:{local.minute:02d} {'am' if local.hour < 12 else 'pm'}"


def moment_parts(at: datetime, lang: str, zone: str) -> Moment:
    """The parts of `at` in `zone`, cross-checked. Raises Fault when they disagree."""
    day = at.astimezone(ZoneInfo(zone)).date()
    year, month, dom = hijri_of(day)
    _cross_check(at, day, (year, month, dom), zone)
    if lang == "ar":
        hijri = arabic_digits(f"{dom} {HIJRI_MONTHS['ar'][month - 1]} {year}هـ")
        gregorian = arabic_digits(f"{day.day} {GREGORIAN_MONTHS['ar'][day.month - 1]} {day.year}م")
    else:
        hijri = f"{dom} {HIJRI_MONTHS['en'][month - 1]} {year} AH"
        gregorian = f"{day.day} {GREGORIAN_MONTHS['en'][day.month - 1]} {day.year}"
    return Moment(WEEKDAYS[lang][day.weekday()], hijri, gregorian, clock(at, lang, zone))


def moment(at: datetime, lang: str, zone: str) -> str:
    """`الثلاثاء ١٦ جمادى الأولى ١٤٤٨هـ (٢٧ أكتوبر ٢٠٢٦م) ٤:٣٠ عصرًا`, or its English sibling."""
    parts = moment_parts(at, lang, zone)
    if lang == "ar":
        return f"{parts.weekday} {parts.hijri} ({parts.gregorian}) {parts.time}"
    return f"{parts.weekday} {parts.gregorian} ({parts.hijri}), {parts.time}"


def within_tables(day: date) -> date:
    """The nearest day that has a name in both calendars: what an address asks for may lie beyond the tables."""
    return min(max(day, TABLES_SINCE), LAST_DAY)


def day_name(day: date, lang: str) -> str:
    """`الثلاثاء ٢٧ أكتوبر` or `Tuesday 27 October`."""
    return f"{WEEKDAYS[lang][day.weekday()]} {digits(day.day, lang)} {GREGORIAN_MONTHS[lang][day.month - 1]}"


def full_day(day: date, lang: str) -> str:
    """Weekday, Gregorian and Hijri date without a time."""
    year, month, dom = hijri_of(day)
    mark_h, mark_g = ("هـ", "م") if lang == "ar" else (" AH", "")
    gregorian = f"{day.day} {GREGORIAN_MONTHS[lang][day.month - 1]} {day.year}{mark_g}"
    hijri = f"{dom} {HIJRI_MONTHS[lang][month - 1]} {year}{mark_h}"
    first, second = (hijri, gregorian) if lang == "ar" else (gregorian, hijri)
    return f"{WEEKDAYS[lang][day.weekday()]} {digits(f'{first} ({second})', lang)}"


def day_of(text: str) -> date:
    """A day as people type it, in either calendar: 2026-10-27, 27/10/2026, 1448/5/16, ١٦-٥-١٤٤٨. Raises ValueError.

    A year before 1700 is of the Hijra. Raises BeyondTables for one of its years after the last published.
    """
    parts = [int(part) for part in re.split(r"[-/.\s\u200e\u200f]+", latin_digits(text).strip(" هـمAH")) if part]
    if len(parts) != 3:
        raise ValueError(text)
    year, month, dom = parts if parts[0] > 31 else parts[::-1]
    try:
        return date(*Hijri(year, month, dom).to_gregorian().datetuple()) if year < 1700 else date(year, month, dom)
    except OverflowError as error:
        raise (BeyondTables if year > LAST_HIJRI_YEAR else ValueError)(text) from error


def local_day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def at_local(day: date, hour: int, minute: int, zone: str) -> datetime:
    """The instant at which a clock in `zone` shows hour:minute on `day`, in UTC."""
    return datetime.combine(day, time(hour, minute), ZoneInfo(zone)).astimezone(UTC)


def wall_clock(at: datetime, zone: str) -> str:
    """What a clock in `zone` shows at that instant: `2026-10-28T10:00`."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(timespec="minutes")


def at_wall_clock(wall: str, zone: str, *, near: datetime) -> datetime:
    """The instant at which a clock in `zone` shows `wall`, as the zone's rules are now known.

    An hour that comes twice is the one at `near` if that is one of them, else the first; one that is left out is as
    much later as the clock is put forward.
    """
    shown = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone))
    first, second = (shown.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return second if second == near and wall_clock(second, zone) == wall else first


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """First instant of the local day and of the next (23 or 25 hours apart when the clocks change)."""
    return at_local(day, 0, 0, zone), at_local(day + timedelta(days=1), 0, 0, zone)


def _cross_check(at: datetime, day: date, hijri: tuple[int, int, int], zone: str) -> None:
    back = Hijri(*hijri).to_gregorian()
    zeller = (day.day + 13 * ((day.month - 3) % 12 + 3 + 1) // 5 + _zeller_year(day)) % 7  # Saturday is 0
    if date(*back.datetuple()) != day or (zeller + 5) % 7 != day.weekday():
        raise Fault("The parts of the date {at} contradict each other; no text is sent.", at=at.isoformat())


def _zeller_year(day: date) -> int:
    """The year's part of Zeller's congruence (1882), January and February counted to the year before."""
    year = day.year - (day.month < 3)
    return year % 100 + year % 100 // 4 + year // 100 // 4 + 5 * (year // 100)
