"""Who has the petition: the lock, the number, the hand-over from one to the next. Used by the services beside it."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import NotFound, Refused
from core.events import emit
from reception.centres.models import Department
from reception.deadlines import service as deadlines
from reception.deadlines.rules import ANSWER, CHECK, CUSTODY, OPINION, WORK, Allowance, allowed
from reception.directives.models import Directive
from reception.directives.states import OPEN as ORDERS_OPEN
from reception.petitions import catalogue, rules, states, story
from reception.petitions.events import PetitionRouted
from reception.petitions.models import CaseCounter, Opinion, Petition, PetitionStep, Referral, RoutingRule
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


def was_refused(session: Session, petition: Petition, *, by: str) -> bool:
    """Whether this department has refused the petition before."""
    mine = (Referral.petition_id == petition.id, Referral.to_department_id == by, Referral.refused != "")
    return session.scalar(select(Referral.id).where(*mine).limit(1)) is not None


def end_referral(session: Session, petition: Petition, *, now: datetime) -> None:
    deadlines.end(session, petition.id, CUSTODY, now=now)
    deadlines.end(session, petition.id, WORK, now=now)
    session.execute(
        update(Referral)
        .where(Referral.petition_id == petition.id, Referral.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session="fetch")
    )


def stop_clock(session: Session, petition: Petition, *, now: datetime) -> None:
    """The deadlines stand still: the visitor was asked, or something is missing."""
    deadlines.pause(session, petition.id, now=now)
    petition.asked_at = petition.asked_at or now


def resume_clock(session: Session, petition: Petition, *, now: datetime) -> None:
    """They go on, later by the working time in which they stood still."""
    if petition.asked_at:
        deadlines.resume(session, petition.id, now=now)
        mirror(session, petition)
    petition.asked_at = None


def mirror(session: Session, petition: Petition) -> None:
    """Copies the clocks' deadlines to where lists sort by them."""
    for clock in deadlines.running(session, petition.id):
        if clock.step == ANSWER:
            petition.due_at = clock.due_at
        elif clock.step == CUSTODY and (referral := session.get(Referral, clock.subject_id)):
            referral.due_at = clock.due_at
        elif clock.step == OPINION and (opinion := session.get(Opinion, clock.subject_id)):
            opinion.due_at = clock.due_at


def give_time(session: Session, petition: Petition, *, now: datetime) -> None:
    """The deadline of the whole, as the type's version promises it, from now on."""
    days = catalogue.terms(session, petition).days
    if petition.urgency == rules.URGENT:
        days = min(days, rules.URGENT_DAYS)
    deadlines.end(session, petition.id, ANSWER, now=now)
    clock = deadlines.start(
        session, petition.id, ANSWER, Allowance(days), department_id=petition.department_id, now=now
    )
    petition.due_at = clock.due_at


def await_check(session: Session, petition: Petition, *, now: datetime) -> None:
    """Verification has something to do here: to check the case, or to send on what lies with nobody. Once is enough."""
    if deadlines.one(session, petition.id, CHECK) is None:
        deadlines.start(session, petition.id, CHECK, allowance(session, petition, CHECK), now=now)


def with_nobody(session: Session, petition: Petition, *, now: datetime) -> None:
    """The case waits for a person to send it on: that is counted, and no department is reminded of its answer."""
    await_check(session, petition, now=now)
    if (whole := deadlines.one(session, petition.id, ANSWER)) is not None:
        whole.department_id = None


def allowance(session: Session, petition: Petition, step: str) -> Allowance:
    """How long a step of this petition may take."""
    if step == CUSTODY and petition.urgency == rules.URGENT:
        return Allowance(minutes=int(rules.URGENT_CUSTODY.total_seconds() // 60), by_the_clock=True)
    terms = catalogue.terms(session, petition)
    return Allowance(allowed(step, days=terms.days, steps=terms.steps))


def hand_over(
    session: Session,
    petition: Petition,
    department: Department,
    *,
    reason_ar: str,
    reason_en: str,
    rule_id: str | None,
    by: str | None,
    officer_id: str | None = None,
    now: datetime,
) -> Referral:
    """End the present custody and send the petition to `department`, whose clock starts; the total deadline stays."""
    petition.state = PETITION.next(petition.state, "send_up" if department.is_office else "route")
    end_referral(session, petition, now=now)
    resume_clock(session, petition, now=now)
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
        due_at=now,
    )
    session.add(referral)
    petition.department_id, petition.department = department.id, department
    petition.officer_id, petition.outcome = officer_id, None  # what another decided is not theirs to answer with
    if petition.verification == states.PASSED:  # it was only to be sent on
        deadlines.end(session, petition.id, CHECK, now=now)
    clock = deadlines.start(
        session,
        petition.id,
        CUSTODY,
        allowance(session, petition, CUSTODY),
        department_id=department.id,
        subject_id=referral.id,
        now=now,
    )
    referral.due_at = clock.due_at
    if (whole := deadlines.one(session, petition.id, ANSWER)) is not None:
        whole.department_id = department.id
    return referral


def route_by_rules(session: Session, petition: Petition, *, by: str | None, now: datetime) -> Referral | None:
    """Send the petition where the rules say, with their reasons in the story; None (and a step) when no rule fits."""
    path = catalogue.way(session, petition)
    rule = path[-1] if path else None
    department = session.get(Department, rule.department_id) if rule else None
    if rule is None or department is None or not department.active:
        story.tell(session, petition, "unrouted", now=now)
        if petition.state == states.RECEIVED:
            with_nobody(session, petition, now=now)
        return None
    if petition.department_id == department.id and live_referral(session, petition):
        return None  # it is there already
    reason_ar, reason_en = ("؛ ".join(dict.fromkeys(r.reason_ar for r in path)), "; ".join(r.reason_en for r in path))
    return _send(session, petition, department, rule=rule, reason_ar=reason_ar, reason_en=reason_en, by=by, now=now)


def _send(
    session: Session,
    petition: Petition,
    department: Department,
    *,
    rule: RoutingRule | None,
    reason_ar: str,
    reason_en: str,
    by: str | None,
    now: datetime,
) -> Referral:
    """Hand it over, with the reason in the story, and say that it was sent."""
    referral = hand_over(
        session,
        petition,
        department,
        reason_ar=reason_ar,
        reason_en=reason_en,
        rule_id=rule.id if rule else None,
        by=by,
        officer_id=rule.officer_id if rule else None,
        now=now,
    )
    why = {"why_ar": reason_ar, "why_en": reason_en}
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


def route_again(session: Session, petition: Petition, *, by: str, now: datetime) -> Referral | None:
    """A completed case goes to who had it when it was returned; by the rules where nobody did, where that department
    takes nothing new, or where type or urgency were changed meanwhile. What was refused before waits for a person."""
    returned = select(func.max(PetitionStep.number)).where(
        PetitionStep.petition_id == petition.id, PetitionStep.kind.in_(("returned", "sent_back"))
    )
    changed = select(PetitionStep.id).where(
        PetitionStep.petition_id == petition.id,
        PetitionStep.kind.in_(("reclassified", "urgent_agreed")),
        PetitionStep.number > returned.scalar_subquery(),
    )
    last = session.scalar(
        select(Referral)
        .where(Referral.petition_id == petition.id)
        .order_by(Referral.sent_at.desc(), Referral.id.desc())
        .limit(1)
    )
    if last is None or session.scalar(changed.limit(1)):
        return route_by_rules(session, petition, by=by, now=now)
    department = session.get_one(Department, last.to_department_id)
    if last.refused:
        with_nobody(session, petition, now=now)
        return None
    if not department.active:
        return route_by_rules(session, petition, by=by, now=now)
    reasons = {"reason_ar": "كانت لديها حين أُعيدت للاستكمال", "reason_en": "It had the case when it was returned"}
    return _send(session, petition, department, rule=None, by=by, now=now, **reasons)


def no_open_order(session: Session, petition: Petition) -> None:
    """Raises Refused while an order about the case is not carried out: nothing closes over the minister's word."""
    count = session.scalar(
        select(func.count(Directive.id)).where(Directive.petition_id == petition.id, Directive.state.in_(ORDERS_OPEN))
    )
    if count:
        raise Refused(
            "An order of the minister about this petition is still open. It closes when the order is carried out."
        )
