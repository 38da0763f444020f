"""Texts of a turn in the hall. A ticket has no name; whose it is, and so the number to write to, is known here only."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.calendar import digits
from core.settings import Settings
from messaging import service as messages
from queueing.tickets.events import TicketNearing
from queueing.tickets.models import Ticket
from queueing.tickets.states import WAITING
from reception.visitors.models import Visitor


def text_ticket_near(session: Session, event: TicketNearing, *, now: datetime, settings: Settings) -> None:
    """Few are ahead: whoever went for a coffee comes back in time. Nothing is sent once the turn has come."""
    ticket = session.get_one(Ticket, event.ticket_id)
    visitor = session.get(Visitor, ticket.visitor_id) if ticket.visitor_id else None
    if visitor is None or not visitor.phone or ticket.state != WAITING or ticket.expires_at <= now:
        return
    messages.queue(
        session,
        to=visitor.phone,
        template="ticket_near",
        fields={
            "label": ticket.label,
            "ahead": digits(event.place - 1, visitor.language),
            "link": f"{settings.url}/t/{ticket.code}",
        },
        language=visitor.language,
        subject=("ticket", ticket.id),
        visitor_id=visitor.id,
        key=f"ticket_near:{ticket.id}:{ticket.stage}",
        expires_at=ticket.expires_at,
        now=now,
    )
