"""When the calendar changes, the deadlines that it concerns are counted anew, and each case's story says so."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
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
    wanted = [
        Clock.ended_at.is_(None),
        Clock.by_the_clock.is_(False),
        or_(Clock.due_at >= since, Clock.next_at >= since),
    ]
    if until is not None:
        wanted.append(Clock.started_at < until)
    count = 0
    for petition_id in session.scalars(select(Clock.petition_id).where(*wanted).distinct().order_by(Clock.petition_id)):
        count += _move(session, petition_id, wanted, now=now)
    session.flush()
    if count:
        emit(session, DeadlinesMoved(count=count), now=now)
    return count


def _move(session: Session, petition_id: str, wanted: Sequence[ColumnElement[bool]], *, now: datetime) -> int:
    """The case is held first, then its clocks, as by every verb: who holds the one and waits for the other must not
    meet somebody who came the other way."""
    petition = custody.locked(session, petition_id)
    clocks = select(Clock).where(Clock.petition_id == petition_id, *wanted).order_by(Clock.id).with_for_update()
    found = session.scalars(clocks.execution_options(populate_existing=True)).all()
    moved = [clock for clock in found if service.recount(session, clock)]
    if moved:
        custody.mirror(session, petition)
    for clock in moved:
        if clock.step == ANSWER:
            due = {f"due_{lang}": moment(clock.due_at, lang, ZONE) for lang in ("ar", "en")}
            story.tell(session, petition, "deadline_moved", now=now, fields=due)
    return len(moved)
