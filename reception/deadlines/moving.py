"""When the calendar changes, the deadlines that it concerns are counted anew, and each case's story says so."""

from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.calendar import at_local, moment
from core.events import emit
from core.settings import Settings
from core.workdays.events import HolidayDeclared, HolidayWithdrawn, WorkingHoursChanged
from reception.deadlines import service
from reception.deadlines.events import DeadlinesMoved
from reception.deadlines.models import Clock
from reception.deadlines.rules import ANSWER
from reception.petitions import custody, story
from reception.petitions.rules import ZONE

PORTION = 500


def move_for_holiday(
    session: Session, event: HolidayDeclared | HolidayWithdrawn, *, now: datetime, settings: Settings
) -> None:
    """Only what is still running when the days begin, and was running before they end, can change."""
    if event.centre_id:
        return  # deadlines are the ministry's
    first, last = date.fromisoformat(event.first_day), date.fromisoformat(event.last_day)
    move(
        session,
        since=at_local(first, 0, 0, ZONE),
        until=at_local(last + timedelta(days=1), 0, 0, ZONE),
        now=now,
    )


def move_for_hours(session: Session, event: WorkingHoursChanged, *, now: datetime, settings: Settings) -> None:
    if not event.centre_id:
        move(session, since=now, until=None, now=now)


def move(session: Session, *, since: datetime, until: datetime | None, now: datetime) -> int:
    """Count anew every running clock that is due after `since` and began before `until`; how many changed.

    A clock whose ladder has a rung left is counted too, for its reminders follow the calendar.
    """
    wanted = select(Clock).where(
        Clock.ended_at.is_(None), Clock.by_the_clock.is_(False), or_(Clock.due_at >= since, Clock.next_at >= since)
    )
    if until is not None:
        wanted = wanted.where(Clock.started_at < until)
    count, after = 0, ""
    while rows := session.scalars(wanted.where(Clock.id > after).order_by(Clock.id).limit(PORTION)).all():
        after = rows[-1].id
        for clock in rows:
            count += _moved(session, clock, now=now)
        session.flush()
    if count:
        emit(session, DeadlinesMoved(count=count), now=now)
    return count


def _moved(session: Session, clock: Clock, *, now: datetime) -> bool:
    if not service.recount(session, clock):
        return False
    petition = custody.locked(session, clock.petition_id)
    custody.mirror(session, petition)
    if clock.step == ANSWER:
        due = {f"due_{lang}": moment(clock.due_at, lang, ZONE) for lang in ("ar", "en")}
        story.tell(session, petition, "deadline_moved", now=now, fields=due)
    return True
