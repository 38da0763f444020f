"""The steps that the verbs share: rows under lock, the way through the table of states, the period and call rows.

Locks are taken in one order, counter before ticket, so that no two verbs wait for each other. They leave the key alone
(FOR NO KEY UPDATE), so that a row that merely refers to a ticket doesn't wait for it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, lazyload

from core.db import new_id
from core.errors import NotFound, Refused
from queueing.tickets import states
from queueing.tickets.lines import at_counter
from queueing.tickets.models import CallLog, Counter, Ticket, TicketPeriod, TicketPress, TicketSeries


def next_number(
    session: Session, centre_id: str, day: date, letter: str, *, first: int = 1, most: int | None = None
) -> int | None:
    """One more on the counter row; whoever comes at the same moment waits for the row.

    None when `most` numbers have been given today. A day that has begun keeps the number it began with.
    """
    key = (TicketSeries.centre_id == centre_id, TicketSeries.day == day, TicketSeries.letter == letter)
    room = () if most is None else (TicketSeries.last - TicketSeries.first + 1 < most,)
    one_more = (
        update(TicketSeries)
        .where(*key, *room)
        .values(last=TicketSeries.last + 1)
        .returning(TicketSeries.last)
        .execution_options(synchronize_session=False)
    )
    number = session.scalar(one_more)
    if number is None:  # full, or nobody came yet today, or a rival kiosk is just beginning the day
        if session.scalar(select(TicketSeries.last).where(*key)) is None:
            try:
                with session.begin_nested():
                    session.add(TicketSeries(centre_id=centre_id, day=day, letter=letter, first=first, last=first - 1))
            except IntegrityError:
                pass  # the rival was first
        number = session.scalar(one_more)
    return number


def locking(query: Select[tuple[Ticket]], *, skip_locked: bool = False) -> Select[tuple[Ticket]]:
    """The query's tickets, locked and fresh, without the join to their service.

    PostgreSQL checks a row it had to wait for against the joined row of before: a ticket that a rival has just sent to
    another service would seem not to exist.
    """
    return (
        query.options(lazyload(Ticket.service_point))
        .with_for_update(skip_locked=skip_locked, key_share=True, of=Ticket)
        .execution_options(populate_existing=True)
    )


def lock_ticket(session: Session, ticket_id: str, counter_id: str | None = None) -> Ticket:
    """The ticket's row, locked and fresh. Refused when it isn't at `counter_id`, if that is given."""
    ticket = session.scalar(locking(select(Ticket).where(Ticket.id == ticket_id)))
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


def own_counter(session: Session, counter_id: str, staff_id: str | None) -> Counter:
    """The counter, locked; open, and with `staff_id` that clerk's own."""
    counter = lock_counter(session, counter_id)
    if not counter.open:
        raise Refused("Counter {number} is closed. Open it first.", number=counter.number)
    if staff_id is not None and counter.staff_id != staff_id:
        raise Refused("Counter {number} is taken by a colleague.", number=counter.number)
    return counter


def counter_for(session: Session, counter_id: str, staff_id: str | None) -> Counter:
    """The same, for what a counter does only while its clerk is there."""
    counter = own_counter(session, counter_id, staff_id)
    if counter.back_at is not None:
        raise Refused("Counter {number} is on a break. Press “I am back” first.", number=counter.number)
    return counter


def counter_of(session: Session, ticket_id: str) -> Counter:
    """The last counter of a ticket, locked before the ticket (every verb locks in this order)."""
    counter_id = session.scalar(select(Ticket.counter_id).where(Ticket.id == ticket_id))
    if counter_id is None:
        raise NotFound("There is no such ticket.")
    return lock_counter(session, counter_id)


def need_free(session: Session, counter: Counter) -> None:
    label = session.scalar(select(Ticket.label).where(Ticket.counter_id == counter.id, at_counter()))
    if label is not None:
        raise Refused(
            "Counter {number} still has {label}. Finish with this visitor first.",
            number=counter.number,
            label=label,
        )


@dataclass(frozen=True, slots=True)
class Press:
    """Whose hand it was: the counter and the clerk. `group` joins presses that are taken back together."""

    counter_id: str
    staff_id: str | None
    group: str = ""


def press(session: Session, counter_id: str | None, by: str | None) -> Press | None:
    """The press behind a verb: at this counter, or at the one where the clerk sits. None for kiosks and sweeps."""
    if counter_id is not None:
        staff_id = by or session.scalar(select(Counter.staff_id).where(Counter.id == counter_id))
        return Press(counter_id, staff_id)
    if by is not None:
        counter_id = session.scalar(select(Counter.id).where(Counter.staff_id == by, Counter.open))
        return Press(counter_id, by) if counter_id else None
    return None


def move(
    session: Session,
    ticket: Ticket,
    verb: str,
    *,
    now: datetime,
    counter: Counter | None = None,
    reason: str = "",
    pressed: Press | None = None,
    changes: dict[str, Any] | None = None,
) -> Ticket:
    """Through the table of states; close the running period, begin the next, keep what the press may take back.

    `changes` are further columns of the ticket that change with it.
    """
    target = states.TICKET.next(ticket.state, verb)
    before = picture(ticket)
    ticket.state = target
    if counter is not None:
        ticket.counter_id = counter.id
    for column, value in (changes or {}).items():
        setattr(ticket, column, value)
    by = pressed.staff_id if pressed else None
    period = begin_period(session, ticket, verb, now=now, reason=reason, staff_id=by)
    if pressed is not None and verb in states.UNDOABLE:
        _keep(session, period, pressed, before, now=now)
    session.flush()
    return ticket


def begin_period(
    session: Session, ticket: Ticket, verb: str, *, now: datetime, reason: str = "", staff_id: str | None = None
) -> TicketPeriod:
    """The period of the ticket's present state; the one that ran until now is ended by `verb`."""
    if verb != "issue":  # before it nothing ran
        session.execute(
            update(TicketPeriod)
            .where(TicketPeriod.ticket_id == ticket.id, TicketPeriod.to_at.is_(None))
            .values(to_at=now, ended=verb)
            .execution_options(synchronize_session="fetch")
        )
    held = ticket.state in (*states.AT_COUNTER, states.PARKED)
    period = TicketPeriod(
        id=new_id(),
        ticket_id=ticket.id,
        state=ticket.state,
        counter_id=ticket.counter_id if held else None,
        service_point_id=ticket.service_point_id,
        reason=reason,
        verb=verb,
        ended="",
        staff_id=staff_id,
        from_at=now,
        to_at=None,
    )
    session.add(period)
    session.flush()
    return period


INSTANTS = ("ranked_from", "eligible_at", "called_at", "first_called_at")
PLAIN = ("state", "service_point_id", "counter_id", "recalls", "stage")


def picture(ticket: Ticket) -> dict[str, Any]:
    """The columns that a verb may change, as JSON keeps them."""
    moments = {name: getattr(ticket, name) for name in INSTANTS}
    return {name: getattr(ticket, name) for name in PLAIN} | {k: v and v.isoformat() for k, v in moments.items()}


def _keep(session: Session, period: TicketPeriod, pressed: Press, before: dict[str, Any], *, now: datetime) -> None:
    last = session.scalar(select(func.max(TicketPress.number)).where(TicketPress.counter_id == pressed.counter_id))
    key = new_id()
    session.add(
        TicketPress(
            id=key,
            counter_id=pressed.counter_id,
            number=(last or 0) + 1,
            group=pressed.group or key,
            staff_id=pressed.staff_id,
            ticket_id=period.ticket_id,
            period_id=period.id,
            verb=period.verb,
            at=now,
            before=before,
        )
    )


def open_period_id(session: Session, ticket_id: str) -> str:
    return session.scalars(
        select(TicketPeriod.id).where(TicketPeriod.ticket_id == ticket_id, TicketPeriod.to_at.is_(None))
    ).one()


def log_call(
    session: Session,
    ticket: Ticket,
    counter: Counter,
    staff_id: str | None,
    kind: str,
    reasons: dict[str, Any],
    *,
    now: datetime,
    discipline_id: str | None = None,
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
            discipline_id=discipline_id,
        )
    )
