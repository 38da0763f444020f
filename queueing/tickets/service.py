"""The verbs of the queue. Each locks, decides by the rules, changes, and emits.

Two clerks who press at one moment never get the same ticket; an index of the database holds that too.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import calendar
from core.db import new_id
from core.errors import Mistake, NotFound, Refused
from core.events import emit
from queueing.tickets import events, rules, states
from queueing.tickets.models import Counter, HelpRequest, ServicePoint, Ticket
from queueing.tickets.queries import board, current, open_counters, place_in_line, since, waiting
from queueing.tickets.steps import (
    counter_for,
    counter_of,
    lock_counter,
    lock_ticket,
    log_call,
    move,
    need_free,
    new_period,
    next_number,
)

__all__ = [
    "PARK_REASONS",
    "answer_help",
    "ask_for_help",
    "attach",
    "board",
    "call_next",
    "cancel",
    "close_counter",
    "close_day",
    "finish",
    "issue",
    "no_show",
    "no_show_from",
    "open_counter",
    "park",
    "place_in_line",
    "put_back",
    "recall",
    "release_counter",
    "reopen",
    "resume",
    "start",
    "transfer",
    "waiting",
]

PARK_REASONS = ("papers", "interpreter", "colleague", "rest", "other")


def issue(
    session: Session,
    *,
    centre_id: str,
    service_point_id: str,
    section: str,
    language: str,
    now: datetime,
    zone: str,
    sign_language: bool = False,
    visitor_class: str = rules.REGULAR,
    urgent: bool = False,
    appointment_id: str | None = None,
    appointment_at: datetime | None = None,
    petition_id: str | None = None,
    visitor_id: str | None = None,
) -> Ticket:
    """A new ticket in the line. With `appointment_at` it may be called from that time on, not before.

    Raises Mistake for a service that isn't offered here or not in this section, and for an unknown class.
    """
    point = session.get(ServicePoint, service_point_id)
    if point is None or point.centre_id != centre_id or not point.active:
        raise Mistake("This service is not offered here at present. Please choose another.", field="service")
    if section not in point.sections:
        raise Mistake("This service is not offered in this section. Please choose another.", field="section")
    if visitor_class not in rules.RATES:
        raise Mistake("Please choose one of the options.", field="visitor_class")
    day = calendar.local_day(now, zone)
    number = next_number(session, centre_id, day, point.letter)
    ticket = Ticket(
        id=new_id(),
        centre_id=centre_id,
        day=day,
        number=number,
        label=f"{point.letter}{number}",
        service_point_id=point.id,
        section=section,
        language=language,
        sign_language=sign_language,
        visitor_class=visitor_class,
        urgent=urgent,
        state=states.WAITING,
        issued_at=now,
        ranked_from=rules.ranked_from(issued_at=now, appointment_at=appointment_at),
        eligible_at=rules.eligible_at(issued_at=now, appointment_at=appointment_at),
        expires_at=calendar.day_bounds(day, zone)[1],
        appointment_id=appointment_id,
        petition_id=petition_id,
        visitor_id=visitor_id,
    )
    session.add(ticket)
    session.flush()
    session.add(new_period(ticket, states.WAITING, None, now=now))
    session.flush()
    session.refresh(ticket)
    place = place_in_line(session, ticket, now=now)
    ticket.promised_low, ticket.promised_high = place.low, place.high
    emit(session, events.TicketIssued(ticket.id, centre_id), now=now)
    return ticket


def call_next(session: Session, counter_id: str, staff_id: str | None, *, now: datetime) -> Ticket | None:
    """Call whoever's turn it is at this counter; None when nobody waits for it.

    Raises Refused while the counter is closed, is another's, or still has a visitor.
    """
    counter = counter_for(session, counter_id, staff_id)
    need_free(session, counter)
    line = {ticket.id: ticket for ticket in waiting(session, counter.centre_id, now=now, upcoming=True)}
    others = [c.desk() for c in open_counters(session, counter.centre_id)]
    while True:
        chosen, reasons = rules.choose(
            (ticket.candidate() for ticket in line.values()), counter.desk(), now=now, others=others
        )
        if chosen is None:
            return None
        ticket = session.scalar(
            select(Ticket)
            .where(Ticket.id == chosen.id, Ticket.state == states.WAITING)
            .with_for_update(skip_locked=True, key_share=True, of=Ticket)
            .execution_options(populate_existing=True)
        )
        if ticket is not None:
            break
        del line[chosen.id]  # a rival has it
    move(session, ticket, "call", counter=counter, now=now)
    ticket.called_at = now
    ticket.first_called_at = ticket.first_called_at or now
    ticket.recalls = 0
    log_call(session, ticket, counter, staff_id, "call", reasons.as_json(), now=now)
    emit(session, events.TicketCalled(ticket.id, ticket.centre_id, counter.id, ticket.label), now=now)
    return ticket


def recall(session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None) -> Ticket:
    """Call the same visitor once more. Refused within ten seconds of the last call: the hall is still saying it."""
    ticket = lock_ticket(session, ticket_id, counter_id)
    states.TICKET.next(ticket.state, "recall")
    if ticket.called_at and now - ticket.called_at < rules.RECALL_SPACING:
        raise Refused("{label} has just been called. Please give the visitor a moment.", label=ticket.label)
    ticket.called_at = now
    ticket.recalls += 1
    assert ticket.counter_id
    counter = session.get_one(Counter, ticket.counter_id)
    log_call(session, ticket, counter, counter.staff_id, "recall", {}, now=now)
    emit(session, events.TicketRecalled(ticket.id, ticket.centre_id, counter.id, ticket.label), now=now)
    return ticket


def start(session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None) -> Ticket:
    """The visitor has come to the counter."""
    ticket = move(session, lock_ticket(session, ticket_id, counter_id), "start", now=now)
    emit(session, events.TicketStarted(ticket.id, ticket.centre_id), now=now)
    return ticket


def finish(session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None) -> Ticket:
    ticket = move(session, lock_ticket(session, ticket_id, counter_id), "finish", now=now)
    emit(session, events.TicketFinished(ticket.id, ticket.centre_id), now=now)
    return ticket


def reopen(session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None) -> Ticket:
    """Undo a finish, within ten minutes and while the counter is free."""
    counter = counter_of(session, ticket_id)
    ticket = lock_ticket(session, ticket_id, counter_id)
    states.TICKET.next(ticket.state, "reopen")
    if not rules.may_reopen(finished_at=since(session, ticket), now=now):
        raise Refused("{label} was finished too long ago. Please take a new ticket.", label=ticket.label)
    need_free(session, counter)
    move(session, ticket, "reopen", now=now)
    emit(session, events.TicketReopened(ticket.id, ticket.centre_id), now=now)
    return ticket


def park(session: Session, ticket_id: str, *, reason: str, now: datetime, counter_id: str | None = None) -> Ticket:
    """Set the visitor aside without losing the rank; the counter is free for the next."""
    if reason not in PARK_REASONS:
        raise Mistake("Please choose why the visitor waits.", field="reason")
    ticket = move(session, lock_ticket(session, ticket_id, counter_id), "park", reason=reason, now=now)
    emit(session, events.TicketParked(ticket.id, ticket.centre_id), now=now)
    return ticket


def resume(session: Session, ticket_id: str, counter_id: str, staff_id: str | None, *, now: datetime) -> Ticket:
    """Go on with a parked visitor at this counter (not necessarily the one that parked)."""
    counter = counter_for(session, counter_id, staff_id)
    need_free(session, counter)
    ticket = lock_ticket(session, ticket_id)
    if ticket.centre_id != counter.centre_id:
        raise NotFound("There is no such ticket.")
    move(session, ticket, "resume", counter=counter, now=now)
    emit(session, events.TicketResumed(ticket.id, ticket.centre_id), now=now)
    return ticket


def put_back(session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None) -> Ticket:
    """Back into the line with the old rank: a call undone, a parked visitor ready again, a late one here after all."""
    ticket = move(session, lock_ticket(session, ticket_id, counter_id), "return", now=now)
    emit(session, events.TicketReturned(ticket.id, ticket.centre_id), now=now)
    return ticket


def no_show(session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None) -> Ticket:
    """Declare the called visitor absent. Refused before the rule's time (`rules.no_show_from`)."""
    ticket = lock_ticket(session, ticket_id, counter_id)
    states.TICKET.next(ticket.state, "no_show")
    if now < no_show_from(session, ticket):
        raise Refused("{label} may still be on the way. Call again first.", label=ticket.label)
    move(session, ticket, "no_show", now=now)
    emit(session, events.TicketNoShow(ticket.id, ticket.centre_id), now=now)
    return ticket


def no_show_from(session: Session, ticket: Ticket) -> datetime:
    """From when the called visitor may be declared absent."""
    return rules.no_show_from(
        called_at=since(session, ticket),
        recalls=ticket.recalls,
        patient=rules.needs_patience(ticket.visitor_class, sign_language=ticket.sign_language),
    )


def transfer(
    session: Session, ticket_id: str, service_point_id: str, *, now: datetime, counter_id: str | None = None
) -> Ticket:
    """To another service of the centre. The label and the rank of arrival stay: nobody starts from the end again."""
    ticket = lock_ticket(session, ticket_id, counter_id)
    point = session.get(ServicePoint, service_point_id)
    if point is None or point.centre_id != ticket.centre_id or not point.active:
        raise Mistake("This service is not offered here at present. Please choose another.", field="service")
    if ticket.section not in point.sections:
        raise Mistake("This service is not offered in this section. Please choose another.", field="service")
    if point.id == ticket.service_point_id:
        raise Mistake("{label} is already in this line.", field="service", label=ticket.label)
    states.TICKET.next(ticket.state, "transfer")
    ticket.service_point_id = point.id
    move(session, ticket, "transfer", now=now)
    session.refresh(ticket, ["service_point"])
    emit(session, events.TicketTransferred(ticket.id, ticket.centre_id), now=now)
    return ticket


def cancel(session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None) -> Ticket:
    """The visitor doesn't want the turn any more."""
    ticket = move(session, lock_ticket(session, ticket_id, counter_id), "cancel", now=now)
    emit(session, events.TicketCancelled(ticket.id, ticket.centre_id), now=now)
    return ticket


def attach(
    session: Session, ticket_id: str, *, petition_id: str | None = None, visitor_id: str | None = None
) -> Ticket:
    """Let reception note whose ticket it was, and what came of it. No event: nothing changes for the line."""
    ticket = lock_ticket(session, ticket_id)
    ticket.petition_id = petition_id or ticket.petition_id
    ticket.visitor_id = visitor_id or ticket.visitor_id
    return ticket


def open_counter(session: Session, counter_id: str, staff_id: str, *, now: datetime) -> Counter:
    """Sit down at a counter. The clerk's earlier counter closes by itself; Refused if either is busy or another's."""
    mine = session.scalars(select(Counter.id).where(Counter.staff_id == staff_id)).all()
    rows = {key: lock_counter(session, key) for key in sorted({*mine, counter_id})}
    counter = rows.pop(counter_id)
    if counter.open and counter.staff_id not in (None, staff_id):
        raise Refused("Counter {number} is taken by a colleague.", number=counter.number)
    for earlier in rows.values():
        if earlier.staff_id == staff_id:
            close_counter(session, earlier.id, now=now)
    session.flush()
    if not counter.open or counter.staff_id != staff_id:
        counter.open, counter.staff_id = True, staff_id
        emit(session, events.CounterOpened(counter.id, counter.centre_id), now=now)
    return counter


def close_counter(session: Session, counter_id: str, *, now: datetime) -> Counter:
    """Refused while a visitor is at the counter."""
    counter = lock_counter(session, counter_id)
    need_free(session, counter)
    if counter.open:
        counter.open, counter.staff_id = False, None
        emit(session, events.CounterClosed(counter.id, counter.centre_id), now=now)
    return counter


def release_counter(session: Session, counter_id: str, ticket_id: str, *, finish_it: bool, now: datetime) -> Counter:
    """Close a counter that its clerk has left with a visitor at it: the visit is finished, or goes back into the line.

    Raises Refused when it is another visitor's turn there by now: who decides must have seen whom it concerns.
    """
    counter = lock_counter(session, counter_id)
    here = current(session, counter_id)
    if here is not None and here.id != ticket_id:
        raise Refused("Counter {number} has another visitor by now. Please look again.", number=counter.number)
    if here is not None:
        (finish if finish_it else put_back)(session, here.id, now=now, counter_id=counter.id)
        session.flush()
    return close_counter(session, counter.id, now=now)


def ask_for_help(session: Session, centre_id: str, *, now: datetime) -> HelpRequest:
    """Somebody at a kiosk wants a human. Asking again while one is on the way changes nothing."""
    asked = select(HelpRequest).where(HelpRequest.centre_id == centre_id, HelpRequest.answered_at.is_(None))
    if found := session.scalar(asked):
        return found
    try:
        with session.begin_nested():
            session.add(HelpRequest(id=new_id(), centre_id=centre_id, at=now))
    except IntegrityError:
        return session.scalars(asked).one()
    emit(session, events.KioskHelpRequested(centre_id), now=now)
    return session.scalars(asked).one()


def answer_help(session: Session, centre_id: str, staff_id: str, *, now: datetime) -> None:
    """Somebody goes. Who comes second finds it answered already, which is fine."""
    took = session.execute(
        update(HelpRequest)
        .where(HelpRequest.centre_id == centre_id, HelpRequest.answered_at.is_(None))
        .values(answered_at=now, staff_id=staff_id)
        .returning(HelpRequest.id)
        .execution_options(synchronize_session="fetch")
    ).first()
    if took:
        emit(session, events.KioskHelpAnswered(centre_id), now=now)


def close_day(session: Session, *, now: datetime) -> int:
    """End what yesterday left: waiting and parked tickets are cancelled, those at a counter finished. For the sweep."""
    stale = session.scalars(
        select(Ticket.id).where(Ticket.state.in_(states.IN_CENTRE), Ticket.expires_at <= now).order_by(Ticket.id)
    ).all()
    for ticket_id in stale:
        ticket = lock_ticket(session, ticket_id)
        if ticket.state in states.IN_CENTRE:
            (finish if ticket.state == states.SERVING else cancel)(session, ticket_id, now=now)
    return len(stale)
