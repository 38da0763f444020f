"""The visitor gives the turn up, so that nobody waits for an empty chair, and may take it back for a while."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refused
from core.events import emit
from queueing.tickets import events, states
from queueing.tickets.models import Ticket, TicketPeriod
from queueing.tickets.steps import lock_ticket, move

BACK_WITHIN = timedelta(minutes=5)


def leave(session: Session, ticket_id: str, *, now: datetime) -> Ticket:
    """Raises Refused once the visitor has been called: then a counter waits, and its clerk decides."""
    ticket = lock_ticket(session, ticket_id)
    if ticket.state in (*states.AT_COUNTER, states.PARKED):
        raise Refused("{label} has been called. Please speak to the counter.", label=ticket.label)
    move(session, ticket, "leave", now=now)
    emit(session, events.TicketCancelled(ticket.id, ticket.centre_id), now=now)
    return ticket


def may_rejoin(session: Session, ticket: Ticket, *, now: datetime) -> bool:
    """Only what the visitor gave up, shortly before, and on the same day."""
    if ticket.state != states.CANCELLED or ticket.expires_at <= now:
        return False
    left = session.scalar(
        select(TicketPeriod.from_at).where(
            TicketPeriod.ticket_id == ticket.id, TicketPeriod.to_at.is_(None), TicketPeriod.verb == "leave"
        )
    )
    return left is not None and now - left <= BACK_WITHIN


def rejoin(session: Session, ticket_id: str, *, now: datetime) -> Ticket:
    """Back into the line with the old rank. Raises Refused when it is too late for that."""
    ticket = lock_ticket(session, ticket_id)
    if not may_rejoin(session, ticket, now=now):
        raise Refused("It is too late to come back into the line. Please take a new ticket.")
    move(session, ticket, "rejoin", now=now)
    emit(session, events.TicketReturned(ticket.id, ticket.centre_id), now=now)
    return ticket
