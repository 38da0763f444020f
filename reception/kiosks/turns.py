"""The telephone number that one text goes to: "few are ahead". Kept for the turn, and gone with it."""

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.calendar import digits
from core.errors import Refused
from core.settings import Settings
from messaging import service as messages
from queueing.tickets import states
from queueing.tickets.events import TicketCancelled, TicketFinished, TicketNearing, TicketNoShow
from queueing.tickets.models import Ticket
from reception.kiosks import rules
from reception.kiosks.models import TurnPhone
from reception.visitors import rules as visitors


def phone_of(session: Session, ticket_id: str) -> TurnPhone | None:
    return session.get(TurnPhone, ticket_id)


def keep_phone(session: Session, ticket: Ticket, phone: str, *, lang: str, now: datetime) -> TurnPhone:
    """The last number given counts. Raises Mistake for one that is none, Refused when the turn has come."""
    phone = visitors.phone(phone)
    if ticket.state != states.WAITING or ticket.expires_at <= now:
        raise Refused("{label} has been called. Please look at the screen in the hall.", label=ticket.label)
    row = session.get(TurnPhone, ticket.id)
    held = select(func.count()).where(TurnPhone.phone == phone, TurnPhone.ticket_id != ticket.id)
    if (session.scalar(held) or 0) >= rules.TURNS_OF_A_PHONE:  # a family's, not a stranger's whom somebody would annoy
        raise Refused("This number is waiting for enough messages already.")
    if row is None:
        row = TurnPhone(ticket_id=ticket.id, phone=phone, lang=lang, asked_at=now)
        session.add(row)
    row.phone, row.lang, row.asked_at = phone, lang, now
    session.flush()
    return row


def forget_phone(session: Session, ticket_id: str) -> None:
    session.execute(delete(TurnPhone).where(TurnPhone.ticket_id == ticket_id))


def text_turn_phone(session: Session, event: TicketNearing, *, now: datetime, settings: Settings) -> None:
    """Few are ahead: to the number given at the device or on the ticket's page."""
    row, ticket = session.get(TurnPhone, event.ticket_id), session.get_one(Ticket, event.ticket_id)
    if row is None or ticket.state != states.WAITING or ticket.expires_at <= now:
        return
    messages.queue(
        session,
        to=row.phone,
        template="ticket_near",
        fields={
            "label": ticket.label,
            "ahead": digits(event.place - 1, row.lang),
            "link": f"{settings.url}/t/{ticket.code}",
        },
        language=row.lang,
        subject=("ticket", ticket.id),
        key=f"turn_phone:{ticket.id}:{ticket.stage}",
        now=now,
    )


def forget_turn_phone(
    session: Session, event: TicketFinished | TicketCancelled | TicketNoShow, *, now: datetime, settings: Settings
) -> None:
    """The turn is over: nobody needs the number any more."""
    forget_phone(session, event.ticket_id)
