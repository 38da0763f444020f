"""Other working hours: the calendar follows in the same transaction, and whom they hit is moved as after a holiday."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.calendar import local_day
from core.events import emit
from core.workdays import service as workdays
from core.workdays.models import WorkingHours
from core.workdays.rules import WorkCalendar
from core.workdays.service import MINISTRY
from core.workdays.week import Hours
from queueing.appointments import hours, rearranging
from queueing.appointments.models import Appointment
from queueing.appointments.rearranging import HOURS, Plan
from queueing.appointments.series import rules as series_rules
from queueing.appointments.series import service as series
from queueing.appointments.series import settling
from queueing.opening.events import OpeningChanged
from reception.centres import service as centres
from reception.rearranging.service import MOST_AT_ONCE, urgent_of


def set_hours(
    session: Session,
    week: Hours,
    ramadan: Hours | None = None,
    *,
    zone: str,
    now: datetime,
    centre_id: str | None = None,
) -> int:
    """Hours of a centre or the ministry, and the calendar by them; how many are expected outside them now.

    All days in sight are locked before anything is read: others who set hours wait, and so does whoever makes or moves
    anything by them. Raises what `workdays.set_hours` raises.
    """
    today = local_day(now, zone)
    last = today + series_rules.AHEAD + timedelta(days=1)
    settling.hold_days(session, today, last)
    places = _places(session, centre_id)
    before = _calendars(session, places, zone)
    workdays.set_hours(session, week, ramadan, now=now, centre_id=centre_id)
    if centre_id:
        session.flush()
        emit(session, OpeningChanged(centre_id), now=now)
    hours.follow(session, before, _calendars(session, places, zone), now=now)
    series.refill(session, today, last, now=now)
    return sum((row.slot.centre_id or MINISTRY) in places for row in hours.hit(session, now=now))


def hit(session: Session, *, now: datetime) -> list[Appointment]:
    return hours.hit(session, now=now)


def plan(session: Session, *, now: datetime) -> Plan:
    """Where everybody outside the hours would go. Reads only."""
    rows = hours.hit(session, now=now)[:MOST_AT_ONCE]
    return rearranging.plan(session, rows, urgent=urgent_of(session, rows), now=now)


def carry_out(session: Session, *, mark: str, reason: str, by: str, now: datetime) -> Plan:
    """Move everybody as `plan` has shown it, or nobody; each is told by text. Raises Refused when it has changed."""
    rows = hours.hit(session, now=now)[:MOST_AT_ONCE]
    done = rearranging.carry_out(
        session,
        [row.id for row in rows],
        mark=mark,
        by=by,
        reason=reason,
        moved_for=HOURS,
        urgent=urgent_of(session, rows),
        now=now,
    )
    for move in done.moves:
        detail = {"hours": move.appointment.slot.centre_id or "ministry"}
        audit.note(session, "move appointment", "petition", move.appointment.petition_id, now=now, detail=detail)
    return done


def _places(session: Session, centre_id: str | None) -> set[str]:
    """Where these hours hold: the ministry's in every centre without hours of its own."""
    if centre_id:
        return {centre_id}
    own = set(session.scalars(select(WorkingHours.place)))
    return {MINISTRY} | {centre.id for centre in centres.centres(session) if centre.id not in own}


def _calendars(session: Session, places: set[str], zone: str) -> dict[str, WorkCalendar]:
    return {place: workdays.calendar_for(session, zone=zone, centre_id=place or None) for place in places}
