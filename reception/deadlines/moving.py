"""When the calendar changes, the deadlines that it concerns are counted anew, and each case's story says so.

Thousands of cases may be open: they are moved by a job, a portion in a transaction, so that no counter waits for them.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from core import jobs
from core.calendar import at_local, moment
from core.events import emit
from core.jobs import Handler
from core.settings import Settings
from core.workdays.events import HolidayDeclared, HolidayWithdrawn, WorkingHoursChanged
from reception.deadlines import service
from reception.deadlines.events import DeadlinesMoved
from reception.deadlines.models import Clock
from reception.deadlines.rules import ANSWER
from reception.petitions import custody, story
from reception.petitions.rules import ZONE

MOVE = "move deadlines"
LANE = 7  # behind what people stand and wait for
PORTION = 20  # cases held at once


def move_for_holiday(
    session: Session, event: HolidayDeclared | HolidayWithdrawn, *, now: datetime, settings: Settings
) -> None:
    """Only what is still running when the days begin, and was running before they end, can change."""
    if event.centre_id:
        return  # deadlines are the ministry's
    first, last = date.fromisoformat(event.first_day), date.fromisoformat(event.last_day)
    since, until = at_local(first, 0, 0, ZONE), at_local(last + timedelta(days=1), 0, 0, ZONE)
    _ask(session, {"since": since.isoformat(), "until": until.isoformat()}, now=now)


def move_for_hours(session: Session, event: WorkingHoursChanged, *, now: datetime, settings: Settings) -> None:
    if not event.centre_id:
        _ask(session, {"since": now.isoformat(), "until": None}, now=now)


def _ask(session: Session, payload: dict[str, Any], *, now: datetime) -> None:
    jobs.enqueue(session, MOVE, payload, now=now, lane=LANE)


def move_handler() -> Handler:
    """For the worker. There is nothing to do outside the database."""
    return Handler(act=lambda payload: None, record=_go_on)


def _go_on(session: Session, payload: dict[str, Any], _: None, now: datetime) -> None:
    """One portion; the rest is the next job's, which is asked for in this very transaction."""
    until = payload["until"] and datetime.fromisoformat(payload["until"])
    since, after = datetime.fromisoformat(payload["since"]), payload.get("after", "")
    moved, last = move(session, since=since, until=until, after=after, now=now)
    count = payload.get("count", 0) + moved
    if last:
        _ask(session, payload | {"after": last, "count": count}, now=now)
    elif count:
        emit(session, DeadlinesMoved(count=count), now=now)


def move(
    session: Session, *, since: datetime, until: datetime | None, after: str = "", now: datetime
) -> tuple[int, str]:
    """Count anew the running clocks, of a portion of cases, that are due after `since` and began before `until`: how
    many changed, and the case `after` which to go on; "" at the end.

    A clock whose ladder has a rung left is counted too, for its reminders follow the calendar.
    """
    wanted = [
        Clock.ended_at.is_(None),
        Clock.by_the_clock.is_(False),
        or_(Clock.due_at >= since, Clock.next_at >= since),
    ]
    if until is not None:
        wanted.append(Clock.started_at < until)
    cases = select(Clock.petition_id).where(*wanted, Clock.petition_id > after).distinct().order_by(Clock.petition_id)
    ids = session.scalars(cases.limit(PORTION)).all()
    count = sum(_move(session, petition_id, wanted, now=now) for petition_id in ids)
    session.flush()
    return count, ids[-1] if len(ids) == PORTION else ""


def _move(session: Session, petition_id: str, wanted: Sequence[ColumnElement[bool]], *, now: datetime) -> int:
    """The case is held first, then its clocks, as by every verb: who holds the one and waits for the other must not
    meet somebody who came the other way."""
    petition = custody.locked(session, petition_id)
    clocks = select(Clock).where(Clock.petition_id == petition_id, *wanted).order_by(Clock.id).with_for_update()
    found = session.scalars(clocks.execution_options(populate_existing=True)).all()
    moved = [clock for clock in found if service.recount(session, clock, now=now)]
    if moved:
        custody.mirror(session, petition)
    for clock in moved:
        if clock.step == ANSWER:
            due = {f"due_{lang}": moment(clock.due_at, lang, ZONE) for lang in ("ar", "en")}
            story.tell(session, petition, "deadline_moved", now=now, fields=due)
    return len(moved)
