"""The question at the end: how was it? Kept for the ministry's view, never shown with a name."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Mistake, Refused
from core.events import emit
from core.text import clean
from reception.follow.events import SatisfactionGiven
from reception.follow.models import Satisfaction
from reception.petitions import states
from reception.petitions.models import Petition

SCORES = (5, 4, 3, 2, 1)
WORDS_MAX = 1000


def ask(session: Session, petition: Petition) -> bool:
    """Whether the visitor is to be asked: it is settled, and this end of it was not spoken of yet."""
    return petition.state in states.SETTLED and petition.settled_at is not None and given(session, petition) is None


def given(session: Session, petition: Petition) -> Satisfaction | None:
    """What was said of the present end of this petition; one that is taken up again ends anew."""
    return session.scalar(
        select(Satisfaction).where(
            Satisfaction.petition_id == petition.id, Satisfaction.settled_at == petition.settled_at
        )
    )


def give(session: Session, petition: Petition, *, score: int, words: str, now: datetime) -> Satisfaction:
    """Keep what was said; once. Raises Mistake for no score, Refused before the end and for a second answer."""
    if score not in SCORES:
        raise Mistake("Choose how it was.", field="score")
    if petition.settled_at is None or not ask(session, petition):
        raise Refused("This question has been answered already. Thank you.")
    row = Satisfaction(
        petition_id=petition.id,
        settled_at=petition.settled_at,
        centre_id=petition.centre_id,
        department_id=petition.department_id,
        type_id=petition.type_id,
        score=score,
        words=clean(words, lines=True)[:WORDS_MAX],
        at=now,
    )
    session.add(row)
    session.flush()
    emit(
        session,
        SatisfactionGiven(
            petition_id=petition.id,
            centre_id=petition.centre_id,
            department_id=petition.department_id or "",
            score=score,
        ),
        now=now,
    )
    return row


def average(
    session: Session,
    *,
    since: datetime,
    until: datetime,
    centre_id: str | None = None,
    department_id: str | None = None,
) -> tuple[float | None, int]:
    """The mean score of a time, and of how many answers."""
    wanted = select(func.avg(Satisfaction.score), func.count()).where(Satisfaction.at >= since, Satisfaction.at < until)
    if centre_id:
        wanted = wanted.where(Satisfaction.centre_id == centre_id)
    if department_id:
        wanted = wanted.where(Satisfaction.department_id == department_id)
    mean, count = session.execute(wanted).one()
    return (float(mean) if mean is not None else None), count
