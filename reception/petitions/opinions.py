"""Joint opinions: several departments are asked, the one that has the case decides when all are in, or waived."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from reception.centres.models import Department
from reception.deadlines import service as deadlines
from reception.deadlines.rules import OPINION as STEP
from reception.petitions import custody, rules, states, story
from reception.petitions.events import OpinionAsked, OpinionEnded
from reception.petitions.models import Opinion, Petition, PetitionNote
from reception.petitions.states import OPINION

MOST = 8  # departments asked at once


def of_petition(session: Session, petition_id: str) -> list[Opinion]:
    """All that were asked, in their order."""
    wanted = select(Opinion).where(Opinion.petition_id == petition_id).options(selectinload(Opinion.department))
    return list(session.scalars(wanted.order_by(Opinion.asked_at, Opinion.id)))


def awaited(session: Session, petition_id: str) -> list[Opinion]:
    return [row for row in of_petition(session, petition_id) if row.state == states.ASKED]


def asked_of(session: Session, petition_id: str, department_id: str | None) -> Opinion | None:
    """What this department still owes to this petition."""
    return session.scalar(
        select(Opinion).where(
            Opinion.petition_id == petition_id,
            Opinion.department_id == department_id,
            Opinion.state == states.ASKED,
        )
    )


def all_in(session: Session, petition: Petition) -> None:
    """Raises Refused while an opinion is awaited, and names who owes it."""
    waiting = awaited(session, petition.id)
    if waiting:
        raise Refused(
            "Opinions are still awaited ({count}). Wait for them, or waive them, before you decide.", count=len(waiting)
        )


def ask(
    session: Session, petition_id: str, *, department_ids: Collection[str], question: str, staff_id: str, now: datetime
) -> list[Opinion]:
    """Ask several departments at once. Raises Mistake for none, too many, the one that has it, one asked already."""
    petition = custody.locked(session, petition_id)
    if petition.state not in (states.ACKNOWLEDGED, states.IN_PROGRESS):
        raise Refused("Opinions are asked for while the case is worked on.")
    asked = rules.words(question, field="question")
    chosen = list(dict.fromkeys(department_ids))
    if not 1 <= len(chosen) <= MOST:
        raise Mistake("Choose one to {most} departments.", field="departments", most=MOST)
    found = []
    for department_id in chosen:
        department = session.get(Department, department_id)
        if department is None or not department.active or department.id == petition.department_id:
            raise Mistake("Choose other departments than your own.", field="departments")
        if asked_of(session, petition.id, department.id):
            raise Mistake("This department has been asked already.", field="departments")
        before = select(func.count()).where(Opinion.petition_id == petition.id, Opinion.department_id == department.id)
        row = Opinion(
            id=new_id(),
            petition_id=petition.id,
            department_id=department.id,
            department=department,
            number=(session.scalar(before) or 0) + 1,
            state=OPINION.initial,
            question=asked,
            asked_by=staff_id,
            asked_at=now,
            due_at=now,
        )
        session.add(row)
        session.flush()
        clock = deadlines.start(
            session,
            petition.id,
            STEP,
            custody.allowance(session, petition, STEP),
            department_id=department.id,
            subject_id=row.id,
            now=now,
        )
        row.due_at = clock.due_at
        fields = story.named("department", department)
        story.tell(session, petition, "opinion_asked", now=now, by=staff_id, text=asked, fields=fields)
        emit(session, OpinionAsked(petition_id=petition.id, department_id=department.id), now=now)
        found.append(row)
    return found


def give(
    session: Session, petition_id: str, *, department_id: str | None, text: str, staff_id: str, now: datetime
) -> Opinion:
    """What the department that was asked thinks. Raises Refused when nothing is asked of it (any more)."""
    petition = custody.locked(session, petition_id)
    row = asked_of(session, petition.id, department_id)
    if row is None:
        raise Refused("No opinion is awaited from your department.")
    said = rules.words(text, field="text")
    note = PetitionNote(
        id=new_id(),
        petition_id=petition.id,
        kind="opinion",
        text=said,
        staff_id=staff_id,
        department_id=department_id,
        at=now,
    )
    session.add(note)
    return _end(session, petition, row, "give", said, staff_id, now)


def waive(session: Session, petition_id: str, *, opinion_id: str, reason: str, staff_id: str, now: datetime) -> Opinion:
    """Do without an opinion, and say why."""
    petition = custody.locked(session, petition_id)
    row = session.get(Opinion, opinion_id)
    if row is None or row.petition_id != petition.id:
        raise NotFound("There is no such petition.")
    return _end(session, petition, row, "waive", rules.words(reason, field="reason"), staff_id, now)


def drop(session: Session, petition: Petition, *, now: datetime) -> None:
    """The case has ended: nobody owes an opinion any more."""
    for row in awaited(session, petition.id):
        row.state = OPINION.next(row.state, "drop")
        row.ended_at = now


def _end(
    session: Session, petition: Petition, row: Opinion, verb: str, text: str, staff_id: str, now: datetime
) -> Opinion:
    row.state = OPINION.next(row.state, verb)
    row.text, row.ended_by, row.ended_at = text, staff_id, now
    deadlines.end(session, petition.id, STEP, subject_id=row.id, now=now)
    kind = {"give": "opinion_given", "waive": "opinion_waived"}[verb]
    fields = story.named("department", row.department)
    story.tell(session, petition, kind, now=now, by=staff_id, text=text, fields=fields)
    emit(
        session,
        OpinionEnded(
            petition_id=petition.id,
            department_id=petition.department_id or "",
            from_department_id=row.department_id,
            state=row.state,
        ),
        now=now,
    )
    return row
