"""A press taken back. It walks its row of the state table the other way, so nothing can be reached that a verb can't.

Only the counter's last press, within seconds, by whoever pressed, and while nobody else has done anything with the
ticket since. What was pressed stays in the record: the undoing is a period of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import Refused
from core.events import emit
from queueing.tickets import course, events, states
from queueing.tickets.models import Counter, Ticket, TicketPeriod, TicketPress
from queueing.tickets.steps import (
    INSTANTS,
    PLAIN,
    begin_period,
    counter_for,
    lock_ticket,
    need_free,
    open_period_id,
)


@dataclass(frozen=True, slots=True)
class Undoable:
    """What the console offers to take back: the verb, the ticket, and until when."""

    verb: str
    ticket_id: str
    label: str
    until: datetime


def undoable(session: Session, counter_id: str, staff_id: str, *, now: datetime) -> Undoable | None:
    """The counter's last press if it may still be taken back by this clerk; changes nothing."""
    last = _last(session, counter_id, now=now)
    if not last or any(p.staff_id != staff_id for p in last):
        return None
    first = last[-1]  # of a pair (finish and call next) the finish is what the clerk meant
    if any(open_period_id(session, p.ticket_id) != p.period_id for p in last):
        return None
    ticket = session.get_one(Ticket, first.ticket_id)
    return Undoable(first.verb, ticket.id, ticket.label, first.at + course.UNDO_WITHIN)


def undo(session: Session, counter_id: str, staff_id: str, *, now: datetime) -> Ticket:
    """Take back the last press of this counter; returns the ticket as it was before.

    Raises Refused when there is nothing to take back, for another's press, and once the ticket has moved on.
    """
    counter = counter_for(session, counter_id, staff_id)
    last = _last(session, counter_id, now=now)
    if not last:
        raise Refused("There is nothing to take back: a press can be undone for half a minute.")
    ticket = None
    for one in last:
        if one.staff_id != staff_id:
            raise Refused("Only the person who pressed can take it back.")
        ticket = _take_back(session, counter, one, now=now)
    assert ticket is not None
    return ticket


def _take_back(session: Session, counter: Counter, one: TicketPress, *, now: datetime) -> Ticket:
    ticket = lock_ticket(session, one.ticket_id)
    before = one.before
    if open_period_id(session, ticket.id) != one.period_id or ticket.expires_at <= now:
        raise Refused("{label} has moved on since. It can't be taken back any more.", label=ticket.label)
    assert states.TICKET.next(before["state"], one.verb) == ticket.state
    if before["state"] in states.AT_COUNTER and ticket.state not in states.AT_COUNTER:
        if before["counter_id"] != counter.id:
            raise Refused("{label} has moved on since. It can't be taken back any more.", label=ticket.label)
        need_free(session, counter)
    for name in PLAIN:
        setattr(ticket, name, before[name])
    for name in INSTANTS:
        setattr(ticket, name, before[name] and datetime.fromisoformat(before[name]))
    pressed = session.get_one(TicketPeriod, one.period_id)
    overturned = session.scalar(
        select(TicketPeriod)
        .where(TicketPeriod.ticket_id == ticket.id, TicketPeriod.ended == one.verb, TicketPeriod.to_at == one.at)
        .order_by(TicketPeriod.from_at.desc(), TicketPeriod.id.desc())
        .limit(1)
    )
    if overturned is not None:
        overturned.ended = "undo"  # its end was none: no statistics counts it as such
    reason = _reason(session, before, pressed)
    period = begin_period(session, ticket, "undo", now=now, reason=reason, staff_id=one.staff_id)
    if overturned is not None:  # the press before this one may be taken back too
        session.execute(update(TicketPress).where(TicketPress.period_id == overturned.id).values(period_id=period.id))
    session.refresh(ticket, ["service_point"])
    one.undone_at = now
    session.flush()
    emit(session, events.TicketUndone(ticket.id, ticket.centre_id, counter.id, one.verb), now=now)
    return ticket


def _last(session: Session, counter_id: str, *, now: datetime) -> Sequence[TicketPress]:
    """The presses of the counter's last group, newest first; none when the last was too long ago."""
    newest = session.scalar(
        select(TicketPress)
        .where(TicketPress.counter_id == counter_id, TicketPress.undone_at.is_(None))
        .order_by(TicketPress.number.desc())
        .limit(1)
    )
    if newest is None or not course.may_undo(pressed_at=newest.at, now=now):
        return []
    return session.scalars(
        select(TicketPress)
        .where(
            TicketPress.counter_id == counter_id,
            TicketPress.group == newest.group,
            TicketPress.number <= newest.number,
            TicketPress.undone_at.is_(None),
        )
        .order_by(TicketPress.number.desc())
    ).all()


def _reason(session: Session, before: dict[str, object], pressed: TicketPeriod) -> str:
    """Why the visitor was set aside, when the undoing sets aside again."""
    if before["state"] != states.PARKED:
        return ""
    parked = session.scalar(
        select(TicketPeriod.reason)
        .where(TicketPeriod.ticket_id == pressed.ticket_id, TicketPeriod.state == states.PARKED)
        .order_by(TicketPeriod.from_at.desc(), TicketPeriod.id.desc())
        .limit(1)
    )
    return parked or ""
