"""The urgent lane: one person proposes with a reason, a second one agrees; both names and both times stay."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.db import new_id
from core.errors import Mistake, Refused
from core.events import emit
from core.staff.models import Staff
from reception.petitions import custody, rules, states, story
from reception.petitions.events import UrgentAgreed, UrgentDeclined, UrgentProposed
from reception.petitions.models import Petition, UrgentProposal


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
    proposal.decided_by, proposal.decided_at, proposal.agreed = staff_id, now, True
    petition.urgency = rules.URGENT
    soon = rules.answer_due(rules.URGENT, petition.type.days, now=now)
    petition.due_at = min(petition.due_at, soon) if petition.due_at else soon
    story.tell(session, petition, "urgent_agreed", now=now, by=staff_id)
    if petition.state in (states.RECEIVED, *states.AWAITING_CUSTODY, *states.AT_WORK):
        referral = custody.route_by_rules(session, petition, by=staff_id, now=now) or custody.live_referral(
            session, petition
        )
        if referral and referral.acknowledged_at is None:
            referral.due_at = min(referral.due_at, rules.custody_due(rules.URGENT, now=now))
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
