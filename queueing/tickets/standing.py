"""The discipline that holds at a centre at a moment. Old versions stay: a call is replayed by those of its time."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import Mistake
from core.events import emit
from queueing.tickets.discipline import DEFAULT, Discipline
from queueing.tickets.events import DisciplineChanged
from queueing.tickets.models import QueueDiscipline


def version_at(session: Session, centre_id: str, *, now: datetime) -> QueueDiscipline | None:
    """The version in force; None where the centre never set its own and the product's default holds."""
    return session.scalar(
        select(QueueDiscipline)
        .where(QueueDiscipline.centre_id == centre_id, QueueDiscipline.valid_from <= now)
        .order_by(QueueDiscipline.valid_from.desc(), QueueDiscipline.set_at.desc(), QueueDiscipline.id.desc())
        .limit(1)
    )


def discipline_of(version: QueueDiscipline | None) -> Discipline:
    return Discipline.from_json(version.content) if version else DEFAULT


def discipline_at(session: Session, centre_id: str, *, now: datetime) -> Discipline:
    return discipline_of(version_at(session, centre_id, now=now))


def versions(session: Session, centre_id: str) -> list[QueueDiscipline]:
    """Newest first, those that are still to come on top."""
    query = select(QueueDiscipline).where(QueueDiscipline.centre_id == centre_id)
    return list(session.scalars(query.order_by(QueueDiscipline.valid_from.desc(), QueueDiscipline.set_at.desc())))


def set_discipline(
    session: Session,
    centre_id: str,
    discipline: Discipline,
    *,
    by: str,
    now: datetime,
    valid_from: datetime | None = None,
) -> QueueDiscipline:
    """Decide by these rates from now (or from `valid_from`) on. Raises Mistake for a moment that has passed."""
    if valid_from is not None and valid_from < now:
        raise Mistake("This moment has passed: calls already made can't be decided anew.", field="valid_from")
    row = QueueDiscipline(
        id=new_id(),
        centre_id=centre_id,
        valid_from=valid_from or now,
        set_by=by,
        set_at=now,
        content=discipline.as_json(),
    )
    session.add(row)
    emit(session, DisciplineChanged(centre_id), now=now)
    session.flush()
    return row
