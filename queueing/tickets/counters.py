"""Who sits where, and who is asked for at the kiosk."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import Refused
from core.events import emit
from queueing.tickets import events
from queueing.tickets.models import Counter, HelpRequest
from queueing.tickets.moves import finish, put_back
from queueing.tickets.queries import current
from queueing.tickets.steps import lock_counter, need_free


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
    if not counter.open or counter.staff_id != staff_id or counter.back_at is not None:
        counter.open, counter.staff_id, counter.back_at = True, staff_id, None
        emit(session, events.CounterOpened(counter.id, counter.centre_id), now=now)
    return counter


def close_counter(session: Session, counter_id: str, *, now: datetime) -> Counter:
    """Refused while a visitor is at the counter."""
    counter = lock_counter(session, counter_id)
    need_free(session, counter)
    if counter.open:
        counter.open, counter.staff_id, counter.back_at = False, None, None
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
