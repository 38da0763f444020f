"""Holidays that come every year, proposed with the dates of the tables and then announced with real ones. Pure.

The days are those of the Saudi labour law (article 112 and article 24 of its executive regulations): four from the day
after 29 Ramadan, four from the day of Arafah, National Day and Founding Day. One single day that meets the weekend is
kept on the working day beside it. The moon or a decree may change each of them: nothing here closes anything by itself.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from core.calendar import FIRST_DAY, LAST_DAY, gregorian_of, hijri_of
from core.workdays.rules import NATIONAL, RELIGIOUS

_FRIDAY, _SATURDAY = 4, 5


@dataclass(frozen=True, slots=True)
class Proposal:
    """A holiday as one would declare it; nothing is declared yet."""

    key: str
    kind: str
    name_ar: str
    name_en: str
    first_day: date
    last_day: date


def proposals(since: date, until: date) -> list[Proposal]:
    """What would fall between two days (both included), in order."""
    since, until = max(since, FIRST_DAY), min(until, LAST_DAY)
    if until < since:
        return []
    found = []
    for year in range(hijri_of(since)[0], hijri_of(until)[0] + 1):
        eid = gregorian_of(year, 9, 29) + timedelta(days=1)
        arafah = gregorian_of(year, 12, 9)
        found.append(_several(f"fitr-{year}", "عيد الفطر", "Eid al-Fitr", eid, 4))
        found.append(_several(f"adha-{year}", "عيد الأضحى", "Eid al-Adha", arafah, 4))
    for year in range(since.year, until.year + 1):
        found.append(_single(f"founding-{year}", "يوم التأسيس", "Founding Day", date(year, 2, 22)))
        found.append(_single(f"national-{year}", "اليوم الوطني", "National Day", date(year, 9, 23)))
    inside = [one for one in found if one.last_day >= since and one.first_day <= until]
    return sorted(inside, key=lambda one: (one.first_day, one.key))


def _several(key: str, name_ar: str, name_en: str, first: date, days: int) -> Proposal:
    return Proposal(key, RELIGIOUS, name_ar, name_en, first, first + timedelta(days=days - 1))


def _single(key: str, name_ar: str, name_en: str, day: date) -> Proposal:
    if day.weekday() == _FRIDAY:
        day -= timedelta(days=1)
    elif day.weekday() == _SATURDAY:
        day += timedelta(days=1)
    return Proposal(key, NATIONAL, name_ar, name_en, day, day)
