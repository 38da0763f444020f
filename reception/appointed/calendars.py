"""From appointments to calendar files: one for its visitor, one for the official who receives."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.calendar import moment
from core.language import N_
from core.settings import Settings
from core.staff.models import Staff
from queueing.appointments import calendar
from queueing.appointments.models import Appointment
from queueing.appointments.rules import VIDEO
from queueing.appointments.states import CANCELLED
from reception.appointed import ical, links
from reception.appointed.models import CalendarFeed

ALARMS = (timedelta(days=1), timedelta(hours=2))
BACK, AHEAD = timedelta(days=30), timedelta(days=180)  # what a feed shows
REFRESH = timedelta(minutes=15)
SUMMARIES = {
    True: N_("Video meeting with the ministry"),
    False: N_("Audience at the ministry"),
}
FEED_SUMMARIES = {True: N_("Video meeting"), False: N_("Audience")}
FEED_NAME = N_("Majlis appointments")


def for_visitor(
    session: Session, appointment: Appointment, *, lang: str, settings: Settings, words: dict[str, str], now: datetime
) -> str:
    """The file behind the link. `words` is the catalogue's translation of this module's phrases."""
    slot, cancelled = appointment.slot, appointment.state == CANCELLED
    code = words["Code"]
    event = ical.Event(
        uid=_uid(appointment, settings),
        sequence=_sequence(session, appointment),
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        changed_at=appointment.changed_at,
        summary=words[SUMMARIES[slot.kind == VIDEO]],
        place=slot.place(lang),
        text=f"{moment(slot.starts_at, lang, settings.timezone)}\n{code}: {appointment.code}",
        cancelled=cancelled,
        alarms=ALARMS,
    )
    return ical.calendar([event], now=now, method=ical.CANCEL if cancelled else ical.PUBLISH)


def make_feed(session: Session, staff_id: str, *, now: datetime) -> str:
    """A new address for this official; the earlier one opens nothing any more. Its token is kept nowhere."""
    stop_feed(session, staff_id, now=now)
    token = links.new_token()
    session.add(CalendarFeed(staff_id=staff_id, token_hash=links.token_hash(token), made_at=now))
    audit.note(session, "create", "calendar feed", staff_id, now=now)
    session.flush()
    return token


def stop_feed(session: Session, staff_id: str, *, now: datetime) -> bool:
    """Whether there was one."""
    feed = session.get(CalendarFeed, staff_id, with_for_update=True)
    if feed is None:
        return False
    session.delete(feed)
    audit.note(session, "discard", "calendar feed", staff_id, now=now)
    session.flush()
    return True


def feed_of(session: Session, staff_id: str) -> CalendarFeed | None:
    return session.get(CalendarFeed, staff_id)


def owner_of(session: Session, token: str) -> Staff | None:
    """Whose feed this is; nobody's once the account is closed."""
    return session.scalar(
        select(Staff)
        .join(CalendarFeed, CalendarFeed.staff_id == Staff.id)
        .where(CalendarFeed.token_hash == links.token_hash(token), Staff.active)
    )


def feed(
    session: Session, official: Staff, *, lang: str, settings: Settings, words: dict[str, str], now: datetime
) -> str:
    """The official's appointments, by code and place: nobody's name and no case leaves the house in a calendar."""
    rows = calendar.between(session, now - BACK, now + AHEAD, official_id=official.id)
    events = [
        ical.Event(
            uid=_uid(row, settings),
            sequence=_sequence(session, row),
            starts_at=row.slot.starts_at,
            ends_at=row.slot.ends_at,
            changed_at=row.changed_at,
            summary=f"{words[FEED_SUMMARIES[row.slot.kind == VIDEO]]} {row.code}",
            place=row.slot.place(lang),
        )
        for row in rows
    ]
    return ical.calendar(events, now=now, name=words[FEED_NAME], refresh=REFRESH)


def _uid(appointment: Appointment, settings: Settings) -> str:
    """The code stays the visitor's through every move; the host makes it the world's only one."""
    return f"{appointment.code}@{urlsplit(settings.url).hostname or 'majlis'}"


def _sequence(session: Session, appointment: Appointment) -> int:
    """How often it was changed: its moves, and its end if it was called off."""
    count, row = int(appointment.state == CANCELLED), appointment
    while row.previous_id:
        row = session.get_one(Appointment, row.previous_id)
        count += 1
    return count
