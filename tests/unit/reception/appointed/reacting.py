"""What the worker would do with the events that a test has made, and a strict reader of dates in texts."""

import re
from datetime import date, datetime

from hijridate import Hijri
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.calendar import GREGORIAN_MONTHS, HIJRI_MONTHS, WEEKDAYS
from core.events import OutboxEvent, decode, name_of
from core.settings import Settings
from core.text import latin_digits
from messaging.models import Message
from reception.reactions import REACTIONS

BY_NAME = {name_of(event): (event, reactions) for event, reactions in REACTIONS.items()}
LONG = {
    "ar": re.compile(r"(\S+) (\d+) ([^\d(]+) (\d{4})هـ \((\d+) (\S+) (\d{4})م\) (\d+):(\d\d) (\S+?)[،.]?(?= |$)"),
    "en": re.compile(r"(\w+) (\d+) (\w+) (\d{4}) \((\d+) ([\w -]+) (\d{4}) AH\), (\d+):(\d\d) (am|pm)"),
}
PARTS_AR = {"ليلًا": 0, "فجرًا": 0, "صباحًا": 0, "ظهرًا": 12, "عصرًا": 12, "مساءً": 12}


def react(session: Session, *, now: datetime, settings: Settings) -> list[str]:
    """Run the reactions of every event that has none yet; the templates of the texts that came of it, in order."""
    before = set(session.scalars(select(Message.id)))
    session.flush()
    for row in session.scalars(select(OutboxEvent).where(OutboxEvent.fanned_out_at.is_(None)).order_by(OutboxEvent.id)):
        row.fanned_out_at = now
        event, reactions = BY_NAME.get(row.name, (None, ()))
        for reaction in reactions:
            reaction(session, decode(event, row.payload), now=now, settings=settings)
            session.flush()
    written = session.scalars(select(Message).where(Message.id.not_in(before)).order_by(Message.id))
    return [message.template for message in written]


def said_at(text: str, language: str) -> tuple[date, int, int]:
    """The day and clock time of a text; its three names of the day must be those of one day."""
    match = LONG[language].search(latin_digits(text))
    assert match, text
    if language == "ar":
        weekday, h_day, h_month, h_year, g_day, g_month, g_year, hour, minute, part = match.groups()
        late = PARTS_AR[part] or (12 if part == "ليلًا" and int(hour) % 12 >= 10 else 0)
    else:
        weekday, g_day, g_month, g_year, h_day, h_month, h_year, hour, minute, part = match.groups()
        late = 12 if part == "pm" else 0
    day = date(int(g_year), GREGORIAN_MONTHS[language].index(g_month) + 1, int(g_day))
    assert WEEKDAYS[language].index(weekday) == day.weekday(), text
    hijri = Hijri(int(h_year), HIJRI_MONTHS[language].index(h_month) + 1, int(h_day))
    assert date(*hijri.to_gregorian().datetuple()) == day, text
    return day, int(hour) % 12 + late, int(minute)
