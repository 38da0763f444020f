"""Urgent by two: one person says why this turn can't wait, another agrees. Only then it goes before all others."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import Mistake, Refused
from core.events import emit
from core.text import clean
from queueing.tickets import events, states
from queueing.tickets.models import Ticket, TicketUrgency
from queueing.tickets.steps import lock_ticket

LONGEST_REASON = 300
IN_LINE = (states.WAITING, states.PARKED)


def urgency_pending(session: Session, ticket_id: str) -> TicketUrgency | None:
    """The proposal that waits for the second person."""
    return session.scalar(
        select(TicketUrgency).where(TicketUrgency.ticket_id == ticket_id, TicketUrgency.decided_at.is_(None))
    )


def urgencies(session: Session, ticket_id: str) -> list[TicketUrgency]:
    """All proposals for a ticket, oldest first."""
    query = select(TicketUrgency).where(TicketUrgency.ticket_id == ticket_id)
    return list(session.scalars(query.order_by(TicketUrgency.proposed_at)))


def urgencies_pending(session: Session, centre_id: str, *, now: datetime) -> list[tuple[Ticket, TicketUrgency]]:
    """What waits for a second person in this centre today, oldest first."""
    rows = session.execute(
        select(Ticket, TicketUrgency)
        .join(TicketUrgency, TicketUrgency.ticket_id == Ticket.id)
        .where(
            Ticket.centre_id == centre_id,
            Ticket.state.in_(IN_LINE),
            Ticket.expires_at > now,
            TicketUrgency.decided_at.is_(None),
        )
        .order_by(TicketUrgency.proposed_at)
    )
    return [(ticket, proposal) for ticket, proposal in rows]


def propose_urgent(session: Session, ticket_id: str, staff_id: str, *, reason: str, now: datetime) -> TicketUrgency:
    """Raises Mistake without a reason; Refused for a ticket that isn't in the line, is urgent, or is proposed."""
    ticket = lock_ticket(session, ticket_id)
    why = clean(reason)
    if not why or len(why) > LONGEST_REASON:
        raise Mistake("Say in a few words why this can't wait.", field="reason")
    if ticket.state not in IN_LINE:
        raise Refused("{label} is not in the line any more.", label=ticket.label)
    if ticket.urgent:
        raise Refused("{label} is urgent already.", label=ticket.label)
    if urgency_pending(session, ticket_id):
        raise Refused("This has been proposed already and waits for a second person.")
    proposal = TicketUrgency(
        id=new_id(), ticket_id=ticket.id, reason=why, proposed_by=staff_id, proposed_at=now, agreed=None
    )
    session.add(proposal)
    emit(session, events.TicketUrgencyProposed(ticket.id, ticket.centre_id), now=now)
    session.flush()
    return proposal


def agree_urgent(session: Session, ticket_id: str, staff_id: str, *, now: datetime) -> Ticket:
    """The second person: from now on the ticket is on top of its line. Refused to whoever proposed it."""
    ticket, proposal = _pending(session, ticket_id)
    if proposal.proposed_by == staff_id:
        raise Refused("A second person must agree.")
    if ticket.state not in IN_LINE:
        raise Refused("{label} is not in the line any more.", label=ticket.label)
    proposal.decided_by, proposal.decided_at, proposal.agreed = staff_id, now, True
    ticket.urgent = True
    emit(session, events.TicketUrgencyAgreed(ticket.id, ticket.centre_id), now=now)
    session.flush()
    return ticket


def decline_urgent(session: Session, ticket_id: str, staff_id: str, *, now: datetime) -> Ticket:
    """The turn stays as it is. Whoever proposed it may withdraw it so."""
    ticket, proposal = _pending(session, ticket_id)
    proposal.decided_by, proposal.decided_at, proposal.agreed = staff_id, now, False
    emit(session, events.TicketUrgencyDeclined(ticket.id, ticket.centre_id), now=now)
    session.flush()
    return ticket


def _pending(session: Session, ticket_id: str) -> tuple[Ticket, TicketUrgency]:
    ticket = lock_ticket(session, ticket_id)
    proposal = urgency_pending(session, ticket_id)
    if proposal is None:
        raise Refused("Nobody has proposed this, or it has been decided.")
    return ticket, proposal
