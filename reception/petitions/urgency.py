"""The urgent lane: one person proposes with a reason, a second one agrees; both names and both times stay."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, Refused
from core.events import emit
from core.staff.models import Staff
from reception.deadlines import service as deadlines
from reception.deadlines.rules import ANSWER, CUSTODY, Allowance, due
from reception.petitions import catalogue, custody, rules, states, story
from reception.petitions.events import UrgentAgreed, UrgentDeclined, UrgentProposed
from reception.petitions.models import Petition, Referral, UrgentProposal


def pending(session: Session, petition_id: str) -> UrgentProposal | None:
    """The proposal that waits for the second person."""
    return session.scalar(
        select(UrgentProposal).where(UrgentProposal.petition_id == petition_id, UrgentProposal.decided_at.is_(None))
    )


def propose(session: Session, petition_id: str, *, reason: str, staff_id: str, now: datetime) -> UrgentProposal:
    """Raises Refused for types outside the lane, for settled cases and while another proposal waits."""
    petition = custody.locked(session, petition_id)
    why = rules.words(reason, field="urgent_reason")
    if not petition.type.urgent_lane:
        raise Mistake("The urgent lane is not open to this type.", field="urgency")
    if petition.urgency == rules.URGENT or petition.state in states.SETTLED:
        raise Refused("This case is urgent already, or settled.")
    if pending(session, petition_id):
        raise Refused("Urgency has been proposed already and waits for a second person.")
    proposal = UrgentProposal(id=new_id(), petition_id=petition.id, reason=why, proposed_by=staff_id, proposed_at=now)
    session.add(proposal)
    session.flush()
    story.tell(session, petition, "urgent_proposed", now=now, by=staff_id, text=why)
    emit(
        session,
        UrgentProposed(petition_id=petition.id, visitor_id=petition.visitor_id, centre_id=petition.centre_id),
        now=now,
    )
    return proposal


def agree(session: Session, petition_id: str, *, staff_id: str, now: datetime) -> Petition:
    """The second person agrees: the case is urgent, its deadline is drawn in and the rules route it anew."""
    petition, proposal = _decide(session, petition_id, staff_id)
    if petition.state in states.SETTLED:
        raise Refused("The case is settled.")
    proposal.decided_by, proposal.decided_at, proposal.agreed = staff_id, now, True
    petition.urgency = rules.URGENT
    _draw_in(session, petition, now=now)
    story.tell(session, petition, "urgent_agreed", now=now, by=staff_id)
    if petition.state in (states.RECEIVED, *states.AWAITING_CUSTODY, *states.AT_WORK):
        moved = custody.route_by_rules(session, petition, by=staff_id, now=now)
        referral = moved or custody.live_referral(session, petition)
        if moved is None and referral and referral.acknowledged_at is None:
            _hurry(session, petition, referral, now=now)
    audit.note(session, "agree to urgency", "petition", petition.id, now=now)
    emit(
        session,
        UrgentAgreed(
            petition_id=petition.id,
            visitor_id=petition.visitor_id,
            department_id=petition.department_id or "",
        ),
        now=now,
    )
    return petition


def _draw_in(session: Session, petition: Petition, *, now: datetime) -> None:
    """The whole is due by the urgent lane's own time, counted from now, unless it was due sooner already."""
    soon = min(catalogue.terms(session, petition).days, rules.URGENT_DAYS)
    clock = deadlines.one(session, petition.id, ANSWER)
    if clock is None:
        custody.give_time(session, petition, now=now)
        return
    at = due(now, Allowance(soon), (), deadlines.calendar(session))
    if at < clock.due_at:
        clock.started_at, clock.days = now, soon
        clock.pauses = [[now.isoformat()]] if petition.asked_at else []
        deadlines.recount(session, clock, now=now)
        petition.due_at = clock.due_at


def _hurry(session: Session, petition: Petition, referral: Referral, *, now: datetime) -> None:
    """It lies with the right department already, which now has hours instead of days to confirm it."""
    deadlines.end(session, petition.id, CUSTODY, now=now)
    clock = deadlines.start(
        session,
        petition.id,
        CUSTODY,
        custody.allowance(session, petition, CUSTODY),
        department_id=referral.to_department_id,
        subject_id=referral.id,
        now=now,
    )
    referral.due_at = min(referral.due_at, clock.due_at)


def decline(session: Session, petition_id: str, *, reason: str, staff_id: str, now: datetime) -> Petition:
    """The second person declines, and says why; the case goes on as a normal one."""
    petition, proposal = _decide(session, petition_id, staff_id)
    why = rules.words(reason, field="reason")
    proposal.decided_by, proposal.decided_at, proposal.agreed = staff_id, now, False
    proposal.decision_reason = why
    story.tell(session, petition, "urgent_declined", now=now, by=staff_id, text=why)
    audit.note(session, "decline urgency", "petition", petition.id, now=now)
    emit(
        session,
        UrgentDeclined(petition_id=petition.id, visitor_id=petition.visitor_id, centre_id=petition.centre_id),
        now=now,
    )
    return petition


def fall(session: Session, petition: Petition, *, by: str, now: datetime) -> None:
    """The type was corrected to one without the lane: what was proposed has nothing left to decide."""
    if (proposal := pending(session, petition.id)) is None:
        return
    proposal.decided_by, proposal.decided_at, proposal.agreed = by, now, False
    why = {"why_ar": "المسار العاجل ليس لهذا النوع.", "why_en": "This type has no urgent lane."}
    story.tell(session, petition, "urgent_declined", now=now, by=by, fields=why)
    emit(
        session,
        UrgentDeclined(petition_id=petition.id, visitor_id=petition.visitor_id, centre_id=petition.centre_id),
        now=now,
    )


def _decide(session: Session, petition_id: str, staff_id: str) -> tuple[Petition, UrgentProposal]:
    petition = custody.locked(session, petition_id)
    proposal = pending(session, petition_id)
    if proposal is None:
        raise Refused("No urgency waits for agreement here.")
    if proposal.proposed_by == staff_id:
        raise Refused("A second person must decide: you proposed it yourself.")
    person = session.get(Staff, staff_id)
    if person is None or not person.roles & rules.MAY_AGREE_TO_URGENCY:
        raise Refused("Verification, the centre's manager or the office decides on urgency.")
    return petition, proposal
