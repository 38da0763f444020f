"""Clocks of a petition: started, stopped, made to stand still. It knows petitions by their ids alone."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import new_id
from core.workdays.rules import WorkCalendar
from core.workdays.service import calendar_for
from reception.deadlines import rules
from reception.deadlines.models import Clock, Rung
from reception.deadlines.rules import Allowance, Pauses
from reception.petitions.rules import ZONE


def calendar(session: Session) -> WorkCalendar:
    """Deadlines are the ministry's, whichever centre took the petition in."""
    return calendar_for(session, zone=ZONE)


def start(
    session: Session,
    petition_id: str,
    step: str,
    allowance: Allowance,
    *,
    department_id: str | None = None,
    subject_id: str = "",
    now: datetime,
) -> Clock:
    clock = Clock(
        id=new_id(),
        petition_id=petition_id,
        step=step,
        subject_id=subject_id,
        department_id=department_id,
        started_at=now,
        days=allowance.days,
        minutes=allowance.minutes,
        by_the_clock=allowance.by_the_clock,
        pauses=[],
        due_at=rules.due(now, allowance, (), calendar(session)),
        rung=0,
    )
    clock.next_at = next_rung(session, clock)
    session.add(clock)
    session.flush()
    return clock


def running(
    session: Session, petition_id: str, step: str | None = None, *, subject_id: str | None = None
) -> list[Clock]:
    wanted = select(Clock).where(Clock.petition_id == petition_id, Clock.ended_at.is_(None)).order_by(Clock.started_at)
    if step is not None:
        wanted = wanted.where(Clock.step == step)
    if subject_id is not None:
        wanted = wanted.where(Clock.subject_id == subject_id)
    return list(session.scalars(wanted))


def one(session: Session, petition_id: str, step: str) -> Clock | None:
    return next(iter(running(session, petition_id, step)), None)


def end(
    session: Session, petition_id: str, step: str | None = None, *, subject_id: str | None = None, now: datetime
) -> None:
    """What was to be done is done, or is to be done no more. One that stands still was not late while it did."""
    for clock in running(session, petition_id, step, subject_id=subject_id):
        stopped = min([now, *(_from(pause[0]) for pause in clock.pauses if len(pause) == 1)])
        clock.ended_at, clock.kept, clock.next_at = now, stopped <= clock.due_at, None


def pause(session: Session, petition_id: str, *, now: datetime) -> None:
    """Every running clock of the petition stands still. Twice is once."""
    for clock in running(session, petition_id):
        if not any(len(known) == 1 for known in clock.pauses):
            clock.pauses = [*clock.pauses, [now.isoformat()]]
            clock.next_at = None


def resume(session: Session, petition_id: str, *, now: datetime) -> None:
    """What stood still goes on; the working time that passed meanwhile is given back."""
    for clock in running(session, petition_id):
        if any(len(known) == 1 for known in clock.pauses):
            clock.pauses = [known if len(known) == 2 else [known[0], now.isoformat()] for known in clock.pauses]
            recount(session, clock, now=now)


def recount(session: Session, clock: Clock, *, now: datetime) -> bool:
    """The deadline anew from what the clock knows and the calendar as it is now; whether it changed.

    Of a later one everybody is warned anew whose rung is still to come.
    """
    was, work = clock.due_at, calendar(session)
    clock.due_at = rules.due(clock.started_at, allowance_of(clock), pauses_of(clock), work)
    if clock.due_at > was:
        ladder = rungs(session, clock.step)[: clock.rung]
        at = [rules.rung_at(clock.due_at, hours, work, by_the_clock=clock.by_the_clock) for hours, _ in ladder]
        clock.rung = sum(one <= now for one in at)
    stands = any(len(known) == 1 for known in clock.pauses)
    clock.next_at = None if stands or clock.ended_at else next_rung(session, clock)
    return clock.due_at != was


def next_rung(session: Session, clock: Clock) -> datetime | None:
    """When the ladder's next rung is due for this clock; None at its end."""
    ladder = rungs(session, clock.step)
    if clock.rung >= len(ladder):
        return None
    hours = ladder[clock.rung][0]
    return rules.rung_at(clock.due_at, hours, calendar(session), by_the_clock=clock.by_the_clock)


def rungs(session: Session, step: str) -> list[tuple[int, str]]:
    """The ladder of a step, lowest first: as set by an administrator, else the usual one."""
    rows = session.scalars(select(Rung).where(Rung.step == step).order_by(Rung.hours, Rung.place)).all()
    return [(row.hours, row.whom) for row in rows] or list(rules.RUNGS[step])


def allowance_of(clock: Clock) -> Allowance:
    return Allowance(clock.days, clock.minutes, clock.by_the_clock)


def pauses_of(clock: Clock) -> Pauses:
    return [(_from(known[0]), _from(known[1]) if len(known) == 2 else None) for known in clock.pauses]


def _from(text: str) -> datetime:
    return datetime.fromisoformat(text)
