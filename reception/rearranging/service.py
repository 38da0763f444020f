"""A holiday closes its times in the same transaction; whom it hits is moved in one step, by the plan that was shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Unpack

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.calendar import local_day
from core.events import emit
from core.workdays import service as workdays
from core.workdays.models import Holiday
from core.workdays.service import Facts
from queueing.appointments import holidays, rearranging
from queueing.appointments.models import Appointment
from queueing.appointments.rearranging import HOLIDAY, Plan
from queueing.appointments.series import service as series
from queueing.opening.events import OpeningChanged
from reception.centres import service as centres
from reception.petitions.models import Petition
from reception.petitions.rules import URGENT

MOST_AT_ONCE = 200  # moved in one step; the rest in the next


@dataclass(frozen=True, slots=True)
class Open:
    """A coming holiday on which so many are expected still."""

    holiday: Holiday
    count: int


def declare(
    session: Session, *, kind: str, zone: str, now: datetime, centre_id: str | None = None, **facts: Unpack[Facts]
) -> Holiday:
    """No work on these days and nothing more is booked on them. Raises what `workdays.declare_holiday` raises."""
    holiday = workdays.declare_holiday(session, kind=kind, centre_id=centre_id, zone=zone, now=now, **facts)
    holidays.close(session, holiday, zone=zone, now=now)
    audit.note(session, "declare holiday", "holiday", holiday.id, now=now, detail=_days(holiday))
    _tell_centres(session, holiday, now=now)
    return holiday


def change(session: Session, holiday_id: str, *, zone: str, now: datetime, **facts: Unpack[Facts]) -> Holiday:
    """Other days or names: what is no holiday any more is offered again, what has become one is closed."""
    before = workdays.holiday(session, holiday_id)
    old = (before.first_day, before.last_day)
    holiday = workdays.change_holiday(session, holiday_id, zone=zone, now=now, **facts)
    if (holiday.first_day, holiday.last_day) != old:
        holidays.reopen(session, holiday, days=old, zone=zone, now=now)
        holidays.close(session, holiday, zone=zone, now=now)
        series.refill(session, *old, now=now)
        _tell_centres(session, holiday, now=now)
    audit.note(session, "change holiday", "holiday", holiday.id, now=now, detail=_days(holiday))
    return holiday


def withdraw(session: Session, holiday_id: str, *, zone: str, now: datetime) -> Holiday:
    """There is work after all: its times are offered again, and who was not moved keeps the appointment."""
    days = workdays.holiday(session, holiday_id)
    first, last = days.first_day, days.last_day
    holiday = workdays.withdraw_holiday(session, holiday_id, zone=zone, now=now)
    holidays.reopen(session, holiday, days=(first, last), zone=zone, now=now)
    series.refill(session, first, last, now=now)
    audit.note(session, "withdraw holiday", "holiday", holiday.id, now=now, detail=_days(holiday))
    _tell_centres(session, holiday, now=now)
    return holiday


def hit(session: Session, holiday: Holiday, *, zone: str, now: datetime) -> list[Appointment]:
    return holidays.hit(session, holiday, zone=zone, now=now)


def plan(session: Session, holiday: Holiday, *, zone: str, now: datetime) -> Plan:
    """Where everybody whom the holiday hits would go: the urgent first, then in order of time. Reads only."""
    rows = holidays.hit(session, holiday, zone=zone, now=now)[:MOST_AT_ONCE]
    return rearranging.plan(session, rows, urgent=urgent_of(session, rows), now=now)


def carry_out(session: Session, holiday: Holiday, *, mark: str, by: str, zone: str, now: datetime) -> Plan:
    """Move everybody as `plan` has shown it, or nobody; each is told by text. Raises Refused when it has changed."""
    rows = holidays.hit(session, holiday, zone=zone, now=now)[:MOST_AT_ONCE]
    done = rearranging.carry_out(
        session,
        [row.id for row in rows],
        mark=mark,
        by=by,
        reason=f"{holiday.name_ar} / {holiday.name_en}",
        moved_for=HOLIDAY,
        urgent=urgent_of(session, rows),
        now=now,
    )
    for move in done.moves:
        audit.note(
            session, "move appointment", "petition", move.appointment.petition_id, now=now,
            detail={"holiday": holiday.id},
        )  # fmt: skip
    return done


def unsettled(session: Session, *, zone: str, now: datetime) -> list[Open]:
    """Coming holidays on which somebody is expected still: shown until every one has been moved or cancelled."""
    found = []
    for holiday in workdays.holidays(session, since=local_day(now, zone)):
        if count := len(holidays.hit(session, holiday, zone=zone, now=now)):
            found.append(Open(holiday, count))
    return found


def urgent_of(session: Session, rows: Sequence[Appointment]) -> frozenset[str]:
    """Those of the petitions that are urgent."""
    wanted = {row.petition_id for row in rows}
    query = select(Petition.id).where(Petition.id.in_(wanted), Petition.urgency == URGENT)
    return frozenset(session.scalars(query)) if wanted else frozenset()


def _tell_centres(session: Session, holiday: Holiday, *, now: datetime) -> None:
    """Kiosks and halls look at their hours again."""
    for centre in centres.centres(session):
        if holiday.centre_id in (None, centre.id):
            emit(session, OpeningChanged(centre.id), now=now)


def _days(holiday: Holiday) -> dict[str, str]:
    return {
        "first_day": holiday.first_day.isoformat(),
        "last_day": holiday.last_day.isoformat(),
        "centre": holiday.centre_id or "",
    }
