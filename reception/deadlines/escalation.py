"""The ladder climbed: who is told that a deadline nears or has passed, in office hours, each rung once."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake
from core.events import emit
from core.staff.models import Staff, StaffRole
from core.staff.rules import AIDE, MANAGER, OFFICER
from core.sweeping import gated
from reception.centres.models import Department
from reception.deadlines import rules, service
from reception.deadlines.events import DeadlineNeared
from reception.deadlines.models import Clock, DepartmentHead, Escalation, Rung
from reception.petitions import story
from reception.petitions.models import Petition

PORTION = 20  # cases held at once
MOST = 100
EVERY = timedelta(seconds=20)
FURTHEST = 200  # working hours after (or before) a deadline
MOST_RUNGS = 6


def sweep_deadlines() -> Callable[[Session, datetime], None]:
    """For the worker: climb what is due, a portion at a time, so that whoever works on one of the cases waits for few
    others."""
    last: list[datetime] = []

    def sweep(session: Session, now: datetime) -> None:
        if last and timedelta(0) <= now - last[-1] < EVERY:
            return
        if not climb(session, now=now, most=PORTION):
            last[:] = [now]

    return gated(sweep, lambda now: not last or not timedelta(0) <= now - last[-1] < EVERY)


def climb(session: Session, *, now: datetime, most: int = MOST) -> int:
    """Tell everybody whose rung is due; how many rungs. Outside office hours only the urgent lane tells anybody; the
    rest waits."""
    open_now = rules.may_tell(service.calendar(session), by_the_clock=False, now=now)
    wanted = select(Clock.id, Clock.petition_id).where(Clock.ended_at.is_(None), Clock.next_at <= now)
    if not open_now:
        wanted = wanted.where(Clock.by_the_clock)
    climbed = 0
    for clock_id, petition_id in session.execute(wanted.order_by(Clock.next_at).limit(most)).all():
        if (held := _held(session, clock_id, petition_id, now=now)) is not None:
            _climb(session, *held, now=now)
            climbed += 1
    session.flush()
    return climbed


def _held(session: Session, clock_id: str, petition_id: str, *, now: datetime) -> tuple[Petition, Clock] | None:
    """The case, then its clock, as every verb takes them; None where the clock has ended, or somebody is at work there.

    It waits for nobody, for it holds other cases meanwhile: what is passed over has its turn in a moment.
    """
    case = select(Petition).where(Petition.id == petition_id).with_for_update(of=Petition, skip_locked=True)
    petition = session.scalar(case.execution_options(populate_existing=True))
    if petition is None:
        return None
    due = select(Clock).where(Clock.id == clock_id, Clock.ended_at.is_(None), Clock.next_at <= now)
    clock = session.scalar(due.with_for_update(skip_locked=True).execution_options(populate_existing=True))
    return None if clock is None else (petition, clock)


def _climb(session: Session, petition: Petition, clock: Clock, *, now: datetime) -> None:
    ladder = service.rungs(session, clock.step)
    if clock.rung >= len(ladder):
        clock.next_at = None
        return
    hours, whom = ladder[clock.rung]
    clock.rung += 1
    clock.next_at = service.next_rung(session, clock)
    told = recipients(session, petition, clock, whom)
    for person in told:
        session.add(
            Escalation(
                id=new_id(),
                clock_id=clock.id,
                petition_id=petition.id,
                staff_id=person.id,
                step=clock.step,
                whom=whom,
                hours=hours,
                due_at=clock.due_at,
                at=now,
            )
        )
    if hours >= 0:  # a reminder beforehand is between the officer and the clock
        fields = {"step": rules.STEPS[clock.step], "whom": rules.LADDER[whom]}
        story.tell(session, petition, "late", now=now, fields=fields)
    emit(
        session,
        DeadlineNeared(
            petition_id=petition.id, department_id=clock.department_id or "", step=clock.step, whom=whom, hours=hours
        ),
        now=now,
    )


def recipients(session: Session, petition: Petition, clock: Clock, whom: str) -> list[Staff]:
    """Who stands on this rung for this case: people at work in its department, its centre or the office."""
    if whom == rules.OFFICE:
        return _people(session, Staff.role_rows.any(StaffRole.role == AIDE))
    if whom == rules.MANAGER:
        return _people(session, Staff.role_rows.any(StaffRole.role == MANAGER), Staff.centre_id == petition.centre_id)
    department = session.get(Department, clock.department_id) if clock.department_id else None
    if department is None:
        return []
    role = AIDE if department.is_office else OFFICER
    here = (Staff.role_rows.any(StaffRole.role == role), Staff.department_id == department.id)
    if department.is_office:
        here = here[:1]
    if whom == rules.HEAD and (head := session.get(DepartmentHead, department.id)):
        return _people(session, Staff.id == head.staff_id) or _people(session, *here)
    if whom == rules.OFFICER and petition.officer_id and clock.step != rules.OPINION:
        theirs = () if department.is_office else here  # whoever is in another department by now has it no more
        return _people(session, Staff.id == petition.officer_id, *theirs) or _people(session, *here)
    return _people(session, *here)


def _people(session: Session, *where: object) -> list[Staff]:
    return list(session.scalars(select(Staff).where(Staff.active, *where).order_by(Staff.username)))  # type: ignore[arg-type]


def of_staff(session: Session, staff_id: str, *, seen: bool = False, limit: int = 50) -> list[Escalation]:
    """What this person was told and has not taken note of (or has), the latest first."""
    wanted = select(Escalation).where(Escalation.staff_id == staff_id)
    wanted = wanted.where(Escalation.seen_at.is_not(None) if seen else Escalation.seen_at.is_(None))
    return list(session.scalars(wanted.order_by(Escalation.at.desc()).limit(limit)))


def unseen(session: Session, staff_id: str) -> int:
    wanted = select(func.count(Escalation.id)).where(Escalation.staff_id == staff_id, Escalation.seen_at.is_(None))
    return session.scalar(wanted) or 0


def take_note(session: Session, staff_id: str, *, escalation_id: str | None = None, now: datetime) -> int:
    """This person has seen one, or all, of what they were told; how many."""
    mine = update(Escalation).where(Escalation.staff_id == staff_id, Escalation.seen_at.is_(None)).values(seen_at=now)
    if escalation_id is not None:
        mine = mine.where(Escalation.id == escalation_id)
    return len(session.execute(mine.returning(Escalation.id)).all())


def set_ladder(session: Session, step: str, rungs: Sequence[tuple[int, str]], *, now: datetime) -> None:
    """Another ladder for a step; none gives the usual one back. Raises Mistake. Clocks that run follow from now on."""
    if step not in rules.STEPS:
        raise Mistake("Please choose one of the options.", field="step")
    if len(rungs) > MOST_RUNGS or len(set(rungs)) != len(rungs):
        raise Mistake("At most {most} steps, each different.", field=step, most=MOST_RUNGS)
    for hours, whom in rungs:
        if whom not in rules.LADDER or not -FURTHEST <= hours <= FURTHEST:
            raise Mistake("Please choose one of the options.", field=step)
    was = service.rungs(session, step)
    session.execute(delete(Rung).where(Rung.step == step))
    for place, (hours, whom) in enumerate(sorted(rungs)):
        session.add(Rung(id=new_id(), step=step, place=place, hours=hours, whom=whom))
    session.flush()
    if service.rungs(session, step) != was:
        audit.note(session, "change", "deadline ladder", step, now=now, detail={"rungs": sorted(rungs)})
        running = select(Clock).where(Clock.step == step, Clock.ended_at.is_(None)).order_by(Clock.id)
        for clock in session.scalars(running.with_for_update().execution_options(populate_existing=True)):
            if not any(len(known) == 1 for known in clock.pauses):
                clock.next_at = service.next_rung(session, clock)


def set_head(session: Session, department_id: str, staff_id: str | None, *, now: datetime) -> None:
    """Who is told first when a department is late; None: everybody in it. Raises Mistake for a stranger to it."""
    row = session.get(DepartmentHead, department_id)
    if staff_id is None:
        if row is not None:
            session.delete(row)
            audit.note(session, "change", "department", department_id, now=now, detail={"head": None})
        return
    person = session.get(Staff, staff_id)
    if person is None or not person.active or person.department_id != department_id or OFFICER not in person.roles:
        raise Mistake("Choose an officer of this department.", field=f"head-{department_id}")
    if row is None:
        session.add(DepartmentHead(department_id=department_id, staff_id=staff_id))
    elif row.staff_id == staff_id:
        return
    else:
        row.staff_id = staff_id
    session.flush()
    audit.note(session, "change", "department", department_id, now=now, detail={"head": staff_id})


def heads(session: Session) -> dict[str, str]:
    return {row.department_id: row.staff_id for row in session.scalars(select(DepartmentHead))}
