"""Complaints about the service and cases that agents raise: to the centre's manager, from there to the office."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from core.staff.models import Staff
from core.staff.rules import AIDE, HOTLINE, MANAGER, OFFICIAL
from core.text import clean
from core.workdays import service as workdays
from reception.hotline import rules, service, states
from reception.hotline.events import ConcernAnswered, ConcernRaised
from reception.hotline.models import Concern
from reception.hotline.states import CONCERN, UNANSWERED, WITH_CENTRE, WITH_OFFICE
from reception.petitions import rules as petition_rules
from reception.petitions.models import Petition


def raise_concern(
    session: Session,
    *,
    kind: str,
    about: str,
    text: str,
    staff_id: str,
    zone: str,
    petition_id: str | None = None,
    visitor_id: str | None = None,
    centre_id: str | None = None,
    now: datetime,
) -> Concern:
    """Write it down and put it before whoever answers: a centre's manager where it is about a centre, else the office.

    Raises Mistake for an unknown subject and for no words.
    """
    if kind not in rules.KINDS or about not in rules.ABOUT:
        raise Mistake("Please choose one of the options.", field="about")
    words = petition_rules.words(text, field="concern")
    petition = session.get(Petition, petition_id) if petition_id else None
    if petition is not None:
        centre_id, visitor_id = centre_id or petition.centre_id, visitor_id or petition.visitor_id
    to_office = kind == rules.ESCALATION or centre_id is None
    concern = Concern(
        id=new_id(),
        kind=kind,
        about=about,
        text=words,
        state=WITH_OFFICE if to_office else WITH_CENTRE,
        visitor_id=visitor_id,
        petition_id=petition_id,
        centre_id=centre_id,
        raised_by=staff_id,
        raised_at=now,
        zone=zone,
        due_at=workdays.calendar_for(session, zone=zone, centre_id=centre_id).add(now, rules.DUE[kind]),
    )
    session.add(concern)
    session.flush()
    audit.note(session, "raise concern", "concern", concern.id, now=now, detail={"kind": kind, "about": about})
    emit(session, _event(ConcernRaised, concern), now=now)
    return concern


def escalate(session: Session, concern_id: str, *, now: datetime) -> Concern:
    """On to the minister's office, with a time of its own."""
    concern = _locked(session, concern_id)
    concern.state = CONCERN.next(concern.state, "raise")
    concern.due_at = workdays.calendar_for(session, zone=concern.zone).add(now, rules.DUE[rules.ESCALATION])
    audit.note(session, "escalate", "concern", concern.id, now=now)
    emit(session, _event(ConcernRaised, concern), now=now)
    return concern


def answer(session: Session, concern_id: str, *, text: str, staff_id: str, now: datetime) -> Concern:
    """Answered, and whoever complained is called: what was found out is worth nothing until it is told."""
    concern = _locked(session, concern_id)
    concern.state = CONCERN.next(concern.state, "answer")
    concern.answer = petition_rules.words(text, field="answer")
    concern.answered_by, concern.answered_at = staff_id, now
    if concern.visitor_id:
        service.call_back(
            session,
            visitor_id=concern.visitor_id,
            petition_id=concern.petition_id,
            reason=clean(concern.answer, lines=True),
            staff_id=staff_id,
            unique_key=f"concern:{concern.id}",
            now=now,
        )
    audit.note(session, "answer concern", "concern", concern.id, now=now)
    emit(session, _event(ConcernAnswered, concern), now=now)
    return concern


def escalate_overdue(session: Session, *, now: datetime) -> int:
    """What a centre leaves lying goes to the office by itself; how many did."""
    late = session.scalars(select(Concern.id).where(Concern.state == WITH_CENTRE, Concern.due_at <= now)).all()
    for concern_id in late:
        escalate(session, concern_id, now=now)
    return len(late)


def seen_by(session: Session, person: Staff, *, answered: bool = False, limit: int = 60) -> list[Concern]:
    """Those before this person: a manager's own centre, the office all, an agent what the agent wrote down."""
    query = select(Concern).where(
        Concern.state == states.ANSWERED if answered else Concern.state.in_(UNANSWERED), _door(person)
    )
    order = Concern.answered_at.desc() if answered else Concern.due_at
    return list(session.scalars(query.order_by(order).limit(limit)))


def concern_for(session: Session, person: Staff, concern_id: str) -> Concern:
    """Raises NotFound to all whom it does not concern."""
    found = session.scalar(select(Concern).where(Concern.id == concern_id, _door(person)))
    if found is None:
        raise NotFound("There is nothing here.")
    return found


def may_answer(person: Staff, concern: Concern) -> bool:
    """The manager while it lies with the centre; the office always."""
    if concern.state not in UNANSWERED:
        return False
    if person.roles & {AIDE, OFFICIAL}:
        return True
    return MANAGER in person.roles and concern.state == WITH_CENTRE and concern.centre_id == person.centre_id


def gone() -> Refused:
    return Refused("It has been answered already, or it is for others to answer.")


def about(session: Session, petition_id: str) -> list[Concern]:
    query = select(Concern).where(Concern.petition_id == petition_id)
    return list(session.scalars(query.order_by(Concern.raised_at.desc())))


def _door(person: Staff) -> ColumnElement[bool]:
    if person.roles & {AIDE, OFFICIAL}:
        return Concern.id.is_not(None)
    doors = []
    if MANAGER in person.roles and person.centre_id:
        doors.append(Concern.centre_id == person.centre_id)
    if HOTLINE in person.roles:
        doors.append(Concern.raised_by == person.id)
    return or_(*doors) if doors else Concern.id.is_(None)


def _locked(session: Session, concern_id: str) -> Concern:
    concern = session.scalar(select(Concern).where(Concern.id == concern_id).with_for_update())
    if concern is None:
        raise NotFound("There is nothing here.")
    return concern


def _event(kind: type, concern: Concern) -> object:
    return kind(concern_id=concern.id, petition_id=concern.petition_id or "", at_centre_id=concern.centre_id or "")
