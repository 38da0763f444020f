"""The steps that the verbs share: rows under lock, the way through the table of states, the period and call rows.

Locks are taken in one order, counter before ticket, so that no two verbs wait for each other. They leave the key alone
(FOR NO KEY UPDATE), so that a row that merely refers to a ticket doesn't wait for it.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import NotFound, Refused
from queueing.tickets import states
from queueing.tickets.models import CallLog, Counter, Ticket, TicketPeriod, TicketSeries
from queueing.tickets.queries import current


def next_number(session: Session, centre_id: str, day: date, letter: str) -> int:
    """One more on the counter row; whoever comes at the same moment waits for the row."""
    key = (TicketSeries.centre_id == centre_id, TicketSeries.day == day, TicketSeries.letter == letter)
    one_more = (
        update(TicketSeries)
        .where(*key)
        .values(last=TicketSeries.last + 1)
        .returning(TicketSeries.last)
        .execution_options(synchronize_session=False)
    )
    number = session.scalar(one_more)
    if number is None:
        try:
            with session.begin_nested():
                session.add(TicketSeries(centre_id=centre_id, day=day, letter=letter, last=0))
        except IntegrityError:
            pass  # a rival kiosk began the day
        number = session.scalars(one_more).one()
    return number


def lock_ticket(session: Session, ticket_id: str, counter_id: str | None = None) -> Ticket:
    """The ticket's row, locked and fresh. Refused when it isn't at `counter_id`, if that is given."""
    ticket = session.scalar(
        select(Ticket)
        .where(Ticket.id == ticket_id)
        .with_for_update(key_share=True, of=Ticket)
        .execution_options(populate_existing=True)
    )
    if ticket is None:
        raise NotFound("There is no such ticket.")
    if counter_id is not None and ticket.counter_id != counter_id:
        raise Refused("{label} is not at this counter any more.", label=ticket.label)
    return ticket


def lock_counter(session: Session, counter_id: str) -> Counter:
    counter = session.scalar(
        select(Counter)
        .where(Counter.id == counter_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if counter is None:
        raise NotFound("There is no such counter.")
    return counter


def counter_for(session: Session, counter_id: str, staff_id: str | None) -> Counter:
    """The counter, locked; open, and with `staff_id` that clerk's own."""
    counter = lock_counter(session, counter_id)
    if not counter.open:
        raise Refused("Counter {number} is closed. Open it first.", number=counter.number)
    if staff_id is not None and counter.staff_id != staff_id:
        raise Refused("Counter {number} is taken by a colleague.", number=counter.number)
    return counter


def counter_of(session: Session, ticket_id: str) -> Counter:
    """The last counter of a ticket, locked before the ticket (every verb locks in this order)."""
    counter_id = session.scalar(select(Ticket.counter_id).where(Ticket.id == ticket_id))
    if counter_id is None:
        raise NotFound("There is no such ticket.")
    return lock_counter(session, counter_id)


def need_free(session: Session, counter: Counter) -> None:
    if at_counter := current(session, counter.id):
        raise Refused(
            "Counter {number} still has {label}. Finish with this visitor first.",
            number=counter.number,
            label=at_counter.label,
        )


def move(
    session: Session, ticket: Ticket, verb: str, *, now: datetime, counter: Counter | None = None, reason: str = ""
) -> Ticket:
    """Through the table of states; close the running period, begin the next."""
    target = states.TICKET.next(ticket.state, verb)
    ticket.state = target
    if counter is not None:
        ticket.counter_id = counter.id
    held = target in (*states.AT_COUNTER, states.PARKED)
    session.execute(
        update(TicketPeriod)
        .where(TicketPeriod.ticket_id == ticket.id, TicketPeriod.to_at.is_(None))
        .values(to_at=now)
        .execution_options(synchronize_session="fetch")
    )
    session.add(new_period(ticket, target, ticket.counter_id if held else None, now=now, reason=reason))
    session.flush()
    return ticket


def new_period(ticket: Ticket, state: str, counter_id: str | None, *, now: datetime, reason: str = "") -> TicketPeriod:
    return TicketPeriod(
        id=new_id(),
        ticket_id=ticket.id,
        state=state,
        counter_id=counter_id,
        service_point_id=ticket.service_point_id,
        reason=reason,
        from_at=now,
        to_at=None,
    )


def log_call(
    session: Session,
    ticket: Ticket,
    counter: Counter,
    staff_id: str | None,
    kind: str,
    reasons: dict[str, Any],
    *,
    now: datetime,
) -> None:
    session.add(
        CallLog(
            id=new_id(),
            centre_id=ticket.centre_id,
            ticket_id=ticket.id,
            counter_id=counter.id,
            staff_id=staff_id,
            kind=kind,
            at=now,
            reasons=reasons,
        )
    )
