"""Calling: who comes to this counter now, and once more for whoever did not hear it."""

from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.errors import Refused
from core.events import emit
from core.ids import new_id
from queueing.tickets import events, rules, standing, states
from queueing.tickets.lines import candidates, open_counters
from queueing.tickets.models import Counter, Ticket
from queueing.tickets.moves import finish as finish_ticket
from queueing.tickets.steps import Press, counter_for, lock_ticket, locking, log_call, move, need_free, press


def call_next(
    session: Session, counter_id: str, staff_id: str | None, *, now: datetime, finish: str | None = None
) -> Ticket | None:
    """Call whoever's turn it is at this counter; None when nobody waits for it.

    `finish` is the visitor at the counter, whose visit ends with the same press: `undo` takes both back together.
    Raises Refused while the counter is closed, is another's, or still has a visitor.
    """
    counter = counter_for(session, counter_id, staff_id)
    hand = Press(counter.id, staff_id or counter.staff_id, new_id())
    if finish is not None:
        finish_ticket(session, finish, now=now, counter_id=counter.id, pressed=hand)
    need_free(session, counter)
    version = standing.version_at(session, counter.centre_id, now=now)
    discipline = standing.discipline_of(version)
    line = {one.id: one for one in candidates(session, counter.centre_id, now=now)}
    others = [c.desk() for c in open_counters(session, counter.centre_id)]
    while True:
        chosen, reasons = rules.choose(
            line.values(),
            counter.desk(),
            now=now,
            others=others,
            discipline=discipline,
        )
        if chosen is None:
            return None
        here = select(Ticket).where(Ticket.id == chosen.id, Ticket.state == states.WAITING)
        ticket = session.scalar(locking(here, skip_locked=True)) or _waited_for(session, here)
        if ticket is None:
            del line[chosen.id]  # a rival has it
        elif ticket.candidate() == chosen:
            break
        else:  # it has just been sent to another line, or made urgent: weigh again
            line[chosen.id] = ticket.candidate()
    changes = {"called_at": now, "first_called_at": ticket.first_called_at or now, "recalls": 0}
    move(session, ticket, "call", counter=counter, changes=changes, pressed=hand, now=now)
    log_call(
        session,
        ticket,
        counter,
        staff_id,
        "call",
        reasons.as_json(),
        discipline_id=version.id if version else None,
        now=now,
    )
    emit(session, events.TicketCalled(ticket.id, ticket.centre_id, counter.id, ticket.label), now=now)
    return ticket


def _waited_for(session: Session, here: Select[tuple[Ticket]]) -> Ticket | None:
    """The ticket, when whoever held it is done; None where a rival has called it.

    Not every lock is a rival's call: somebody notes whose ticket it is, or what its visitor was told. To pass it over
    then would call the next in line first. A lock on what was called is let go of at once: whoever kept it, and waited
    for another, could meet a clerk who came the other way.
    """
    point = session.begin_nested()
    ticket = session.scalar(locking(here))
    if ticket is None:
        point.rollback()
    else:
        point.commit()
    return ticket


def recall(session: Session, ticket_id: str, *, now: datetime, counter_id: str | None = None) -> Ticket:
    """Call the same visitor once more. Refused within ten seconds of the last call: the hall is still saying it."""
    ticket = lock_ticket(session, ticket_id, counter_id)
    states.TICKET.next(ticket.state, "recall")
    if ticket.called_at and now - ticket.called_at < rules.RECALL_SPACING:
        raise Refused("{label} has just been called. Please give the visitor a moment.", label=ticket.label)
    assert ticket.counter_id
    counter = session.get_one(Counter, ticket.counter_id)
    hand = press(session, counter.id, counter.staff_id)
    move(session, ticket, "recall", changes={"called_at": now, "recalls": ticket.recalls + 1}, pressed=hand, now=now)
    log_call(session, ticket, counter, counter.staff_id, "recall", {}, now=now)
    emit(session, events.TicketRecalled(ticket.id, ticket.centre_id, counter.id, ticket.label), now=now)
    return ticket
