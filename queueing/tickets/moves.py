"""What a clerk does with a ticket: served, set aside, sent on, given up.

Each verb takes `counter_id` where it is pressed at a counter (the ticket must be there) and `by`, who pressed; with
either, the press can be taken back for a while (undo.py).
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Mistake, NotFound, Refused
from core.events import emit
from queueing.tickets import course, events, rules, standing, states
from queueing.tickets.issuing import know_near
from queueing.tickets.models import ServicePoint, Ticket, TicketPeriod
from queueing.tickets.places import position_of
from queueing.tickets.queries import since
from queueing.tickets.steps import Press, counter_for, counter_of, lock_ticket, move, need_free, press

PARK_REASONS = ("papers", "interpreter", "colleague", "rest", "other")


def start(
    session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None, by: str | None = None
) -> Ticket:
    """The visitor has come to the counter."""
    ticket = lock_ticket(session, ticket_id, counter_id)
    move(session, ticket, "start", pressed=press(session, counter_id, by), now=now)
    emit(session, events.TicketStarted(ticket.id, ticket.centre_id), now=now)
    return ticket


def finish(
    session: Session,
    ticket_id: str,
    *,
    now: datetime,
    counter_id: str | None = None,
    by: str | None = None,
    pressed: Press | None = None,
) -> Ticket:
    """The visit ends here."""
    ticket = lock_ticket(session, ticket_id, counter_id)
    move(session, ticket, "finish", pressed=pressed or press(session, counter_id, by), now=now)
    emit(session, events.TicketFinished(ticket.id, ticket.centre_id), now=now)
    return ticket


def reopen(
    session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None, by: str | None = None
) -> Ticket:
    """Take the visitor of a finished visit up again, within ten minutes and while the counter is free."""
    counter = counter_of(session, ticket_id)
    ticket = lock_ticket(session, ticket_id, counter_id)
    states.TICKET.next(ticket.state, "reopen")
    if not rules.may_reopen(finished_at=since(session, ticket), now=now):
        raise Refused("{label} was finished too long ago. Please take a new ticket.", label=ticket.label)
    need_free(session, counter)
    move(session, ticket, "reopen", pressed=press(session, counter_id, by), now=now)
    emit(session, events.TicketReopened(ticket.id, ticket.centre_id), now=now)
    return ticket


def park(
    session: Session,
    ticket_id: str,
    *,
    reason: str,
    now: datetime,
    counter_id: str | None = None,
    by: str | None = None,
) -> Ticket:
    """Set the visitor aside without losing the rank; the counter is free for the next."""
    if reason not in PARK_REASONS:
        raise Mistake("Please choose why the visitor waits.", field="reason")
    ticket = lock_ticket(session, ticket_id, counter_id)
    move(session, ticket, "park", reason=reason, pressed=press(session, counter_id, by), now=now)
    emit(session, events.TicketParked(ticket.id, ticket.centre_id), now=now)
    return ticket


def resume(session: Session, ticket_id: str, counter_id: str, staff_id: str | None, *, now: datetime) -> Ticket:
    """Go on with a parked visitor at this counter (not necessarily the one that parked)."""
    counter = counter_for(session, counter_id, staff_id)
    need_free(session, counter)
    ticket = lock_ticket(session, ticket_id)
    if ticket.centre_id != counter.centre_id:
        raise NotFound("There is no such ticket.")
    move(session, ticket, "resume", counter=counter, pressed=press(session, counter.id, staff_id), now=now)
    emit(session, events.TicketResumed(ticket.id, ticket.centre_id), now=now)
    return ticket


def put_back(
    session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None, by: str | None = None
) -> Ticket:
    """Back into the line with the old rank: a parked visitor ready again, a late one here after all."""
    ticket = lock_ticket(session, ticket_id, counter_id)
    move(session, ticket, "return", pressed=press(session, counter_id, by), now=now)
    emit(session, events.TicketReturned(ticket.id, ticket.centre_id), now=now)
    return ticket


def no_show(
    session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None, by: str | None = None
) -> Ticket:
    """Declare the called visitor absent. Refused before the rule's time (`rules.no_show_from`)."""
    ticket = lock_ticket(session, ticket_id, counter_id)
    states.TICKET.next(ticket.state, "no_show")
    if now < no_show_from(session, ticket, now=now):
        raise Refused("{label} may still be on the way. Call again first.", label=ticket.label)
    move(session, ticket, "no_show", pressed=press(session, counter_id, by), now=now)
    emit(session, events.TicketNoShow(ticket.id, ticket.centre_id), now=now)
    return ticket


def no_show_from(session: Session, ticket: Ticket, *, now: datetime | None = None) -> datetime:
    """From when the called visitor may be declared absent, by the discipline of the call (or of `now`)."""
    called_at = session.scalar(
        select(TicketPeriod.from_at)
        .where(TicketPeriod.ticket_id == ticket.id, TicketPeriod.verb == "call")
        .order_by(TicketPeriod.from_at.desc())
        .limit(1)
    ) or since(session, ticket)
    return rules.no_show_from(
        called_at=called_at,
        recalls=ticket.recalls,
        patient=rules.needs_patience(ticket.visitor_class, sign_language=ticket.sign_language),
        discipline=standing.discipline_at(session, ticket.centre_id, now=now or called_at),
    )


def transfer(
    session: Session,
    ticket_id: str,
    service_point_id: str,
    *,
    now: datetime,
    counter_id: str | None = None,
    by: str | None = None,
) -> Ticket:
    """It was the wrong line: to another service. The label and the rank of arrival stay; nobody starts anew."""
    ticket = lock_ticket(session, ticket_id, counter_id)
    point = _point_for(session, ticket, service_point_id)
    hand = press(session, counter_id, by)
    move(session, ticket, "transfer", changes={"service_point_id": point.id}, pressed=hand, now=now)
    session.refresh(ticket, ["service_point"])
    emit(session, events.TicketTransferred(ticket.id, ticket.centre_id), now=now)
    return ticket


def forward(
    session: Session,
    ticket_id: str,
    service_point_id: str,
    *,
    now: datetime,
    counter_id: str | None = None,
    by: str | None = None,
) -> Ticket:
    """Done at this point; into the line of the next with the same label and the rank that course.py explains."""
    ticket = lock_ticket(session, ticket_id, counter_id)
    point = _point_for(session, ticket, service_point_id)
    changes = {
        "service_point_id": point.id,
        "ranked_from": course.forwarded_from(waited=waited_so_far(session, ticket), now=now),
        "eligible_at": now,
        "called_at": None,
        "recalls": 0,
        "stage": ticket.stage + 1,
    }
    move(session, ticket, "forward", changes=changes, pressed=press(session, counter_id, by), now=now)
    session.refresh(ticket, ["service_point"])
    know_near(session, ticket, position_of(session, ticket, now=now), now=now)
    emit(session, events.TicketForwarded(ticket.id, ticket.centre_id, point.id), now=now)
    return ticket


def waited_so_far(session: Session, ticket: Ticket) -> timedelta:
    """The ended waits of this visit; an appointment's before its time don't count."""
    rows = session.execute(
        select(TicketPeriod.from_at, TicketPeriod.to_at).where(
            TicketPeriod.ticket_id == ticket.id,
            TicketPeriod.state == states.WAITING,
            TicketPeriod.to_at.is_not(None),
        )
    )
    first = ticket.eligible_at if ticket.stage == 0 else None
    waits = (ended - max(began, first or began) for began, ended in rows if ended is not None)
    return sum((max(wait, timedelta()) for wait in waits), timedelta())


def cancel(
    session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None, by: str | None = None
) -> Ticket:
    """The visitor doesn't want the turn any more."""
    ticket = lock_ticket(session, ticket_id, counter_id)
    move(session, ticket, "cancel", pressed=press(session, counter_id, by), now=now)
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


def _point_for(session: Session, ticket: Ticket, service_point_id: str) -> ServicePoint:
    """Where a ticket may be sent. Raises Mistake saying why not."""
    point = session.get(ServicePoint, service_point_id)
    if point is None or point.centre_id != ticket.centre_id or not point.active:
        raise Mistake("This service is not offered here at present. Please choose another.", field="service")
    if ticket.section not in point.sections:
        raise Mistake("This service is not offered in this section. Please choose another.", field="service")
    if point.id == ticket.service_point_id:
        raise Mistake("{label} is already in this line.", field="service", label=ticket.label)
    return point
