"""Who has the petition: the lock, the number, the hand-over from one to the next. Used by the services beside it."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import NotFound
from core.events import emit
from reception.centres.models import Department
from reception.petitions import catalogue, rules, story
from reception.petitions.events import PetitionRouted
from reception.petitions.models import CaseCounter, Petition, Referral
from reception.petitions.states import PETITION


def locked(session: Session, petition_id: str) -> Petition:
    """The petition, held against rivals until the transaction ends. Raises NotFound."""
    petition = session.scalar(
        select(Petition)
        .where(Petition.id == petition_id)
        .with_for_update(of=Petition)
        .execution_options(populate_existing=True)
    )
    if petition is None:
        raise NotFound("There is no such petition.")
    return petition


def next_number(session: Session, year: int) -> int:
    """The next case number of a Hijri year, raised in the row itself: two at once wait for each other."""
    raise_it = (
        update(CaseCounter)
        .where(CaseCounter.year == year)
        .values(last=CaseCounter.last + 1)
        .returning(CaseCounter.last)
    )
    if (number := session.scalar(raise_it)) is not None:
        return number
    try:
        with session.begin_nested():
            session.add(CaseCounter(year=year, last=0))
    except IntegrityError:  # a rival opened the year a moment ago
        pass
    return session.scalar(raise_it) or 1


def live_referral(session: Session, petition: Petition) -> Referral | None:
    return session.scalar(
        select(Referral)
        .where(Referral.petition_id == petition.id, Referral.ended_at.is_(None))
        .order_by(Referral.sent_at.desc())
        .limit(1)
    )


def end_referral(session: Session, petition: Petition, *, now: datetime) -> None:
    session.execute(
        update(Referral)
        .where(Referral.petition_id == petition.id, Referral.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session="fetch")
    )


def resume_clock(petition: Petition, *, now: datetime) -> None:
    """The deadline stood still while the visitor was asked or something was missing; it moves by that time."""
    if petition.asked_at and petition.due_at:
        petition.due_at = rules.due_after_waiting(petition.due_at, petition.asked_at, now=now)
    petition.asked_at = None


def hand_over(
    session: Session,
    petition: Petition,
    department: Department,
    *,
    reason_ar: str,
    reason_en: str,
    rule_id: str | None,
    by: str | None,
    now: datetime,
) -> Referral:
    """End the present custody and send the petition to `department`, whose clock starts; the total deadline stays."""
    petition.state = PETITION.next(petition.state, "send_up" if department.is_office else "route")
    end_referral(session, petition, now=now)
    resume_clock(petition, now=now)
    referral = Referral(
        id=new_id(),
        petition_id=petition.id,
        from_department_id=petition.department_id,
        to_department_id=department.id,
        rule_id=rule_id,
        reason_ar=reason_ar,
        reason_en=reason_en,
        sent_by=by,
        sent_at=now,
        due_at=rules.custody_due(petition.urgency, now=now),
    )
    session.add(referral)
    petition.department_id, petition.department = department.id, department
    petition.officer_id = None
    return referral


def route_by_rules(session: Session, petition: Petition, *, by: str | None, now: datetime) -> Referral | None:
    """Send the petition where the rules say, with their reason in the story; None (and a step) when no rule fits."""
    rule = catalogue.route(session, petition.type, petition.urgency)
    department = session.get(Department, rule.department_id) if rule else None
    if rule is None or department is None:
        story.tell(session, petition, "unrouted", now=now)
        return None
    if petition.department_id == department.id and live_referral(session, petition):
        return None  # it is there already
    referral = hand_over(
        session,
        petition,
        department,
        reason_ar=rule.reason_ar,
        reason_en=rule.reason_en,
        rule_id=rule.id,
        by=by,
        now=now,
    )
    why = {"why_ar": rule.reason_ar, "why_en": rule.reason_en}
    kind = "sent_up" if department.is_office else "routed"
    story.tell(session, petition, kind, now=now, fields=story.named("department", department) | why)
    emit(
        session,
        PetitionRouted(
            petition_id=petition.id,
            visitor_id=petition.visitor_id,
            department_id=department.id,
            to_office=department.is_office,
        ),
        now=now,
    )
    return referral
