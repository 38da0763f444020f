"""The telephone number that one text goes to: "few are ahead". Kept for the turn, and gone with it.

A turn that ended may come back: a finish or a leaving that was a slip, somebody who was called and comes late. The
number goes once that can't be any more: `COMES_BACK` after the end, after a missed call with the day.
"""

from datetime import datetime

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from core.calendar import digits
from core.errors import Refused
from core.settings import Settings
from messaging import service as messages
from queueing.tickets import states
from queueing.tickets.events import TicketCancelled, TicketFinished, TicketNearing, TicketNoShow
from queueing.tickets.leaving import BACK_WITHIN
from queueing.tickets.models import Ticket, TicketPeriod
from queueing.tickets.rules import REOPEN_WITHIN
from reception.kiosks import rules
from reception.kiosks.models import TurnPhone
from reception.visitors import rules as visitors

COMES_BACK = max(REOPEN_WITHIN, BACK_WITHIN)


def phone_of(session: Session, ticket_id: str) -> TurnPhone | None:
    return session.get(TurnPhone, ticket_id)


def keep_phone(session: Session, ticket: Ticket, phone: str, *, lang: str, now: datetime) -> TurnPhone:
    """The last number given counts. Raises Mistake for one that is none, Refused when the turn has come."""
    phone = visitors.phone(phone)
    if ticket.state != states.WAITING or ticket.expires_at <= now:
        raise Refused("{label} has been called. Please look at the screen in the hall.", label=ticket.label)
    row = session.get(TurnPhone, ticket.id)
    others = TurnPhone.phone == phone, TurnPhone.ticket_id != ticket.id
    held = select(func.count()).join_from(TurnPhone, Ticket, Ticket.id == TurnPhone.ticket_id)
    held = held.where(*others, Ticket.state.in_(states.IN_CENTRE), Ticket.expires_at > now)
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
        expires_at=ticket.expires_at,
        now=now,
    )


def forget_turn_phone(
    session: Session, event: TicketFinished | TicketCancelled | TicketNoShow, *, now: datetime, settings: Settings
) -> None:
    """One turn has ended, and may come back for a while; those for which that is past need no number any more."""
    forget_phones(session, now=now)


def forget_phones(session: Session, *, now: datetime) -> int:
    """Nobody needs the numbers of turns that can't come back any more; how many there were. For the sweep."""
    ended = Ticket.state.in_((states.FINISHED, states.CANCELLED)), TicketPeriod.from_at <= now - COMES_BACK
    over = (
        select(TurnPhone.ticket_id)
        .outerjoin(Ticket, Ticket.id == TurnPhone.ticket_id)
        .outerjoin(TicketPeriod, and_(TicketPeriod.ticket_id == Ticket.id, TicketPeriod.to_at.is_(None)))
        .where(or_(Ticket.id.is_(None), Ticket.expires_at <= now, and_(*ended)))
    )
    gone = session.scalars(over).all()
    if gone:
        session.execute(delete(TurnPhone).where(TurnPhone.ticket_id.in_(gone)))
    return len(gone)
