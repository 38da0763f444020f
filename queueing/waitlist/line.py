"""Rows of the waitlist read and brought into their next state; what people and what the worker do builds on it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from core.errors import NotFound, Refused
from core.language import N_
from queueing.appointments import states as held
from queueing.appointments.models import Appointment, Slot
from queueing.tickets import standing
from queueing.tickets.rules import DEFAULT, Discipline
from queueing.waitlist.models import Offer, Waiting
from queueing.waitlist.states import IN_LINE, OFFER, OPEN, WAITLIST

ENDED = N_("This offer has ended, and the time has gone to the next in line.")


def get(session: Session, waiting_id: str) -> Waiting:
    waiting = session.get(Waiting, waiting_id, populate_existing=True)
    if waiting is None:
        raise NotFound("There is nothing here.")
    return waiting


def get_offer(session: Session, offer_id: str) -> Offer:
    offer = session.get(Offer, offer_id, populate_existing=True)
    if offer is None:
        raise NotFound("There is no such offer.")
    return offer


def stands(offer: Offer, *, now: datetime) -> bool:
    """Whether an answer still counts. The hold is the truth; the row follows it. A closed slot is offered no longer."""
    kept = offer.state == OPEN and offer.appointment.state == held.HELD
    return kept and offer.slot.state == held.OPEN and now < offer.until


def of_petition(session: Session, petition_id: str) -> Waiting | None:
    """The petition's place in line, if it has one."""
    return session.scalar(select(Waiting).where(Waiting.petition_id == petition_id, Waiting.state.in_(IN_LINE)))


def open_offer(session: Session, waiting_id: str) -> Offer | None:
    return session.scalar(select(Offer).where(Offer.waiting_id == waiting_id, Offer.state == OPEN))


def offer_of(session: Session, appointment_id: str) -> Offer | None:
    """The offer whose hold this appointment is or was."""
    return session.scalar(select(Offer).where(Offer.appointment_id == appointment_id))


def offers_to(session: Session, waiting_id: str) -> list[Offer]:
    """All that was offered, the newest first."""
    query = select(Offer).where(Offer.waiting_id == waiting_id)
    return list(session.scalars(query.order_by(Offer.offered_at.desc(), Offer.id.desc())))


def in_line(query: Select[tuple[Waiting]] | None = None) -> Select[tuple[Waiting]]:
    """Those who wait, in order of coming; a page narrows it."""
    return (
        (query if query is not None else select(Waiting)).where(Waiting.state.in_(IN_LINE)).order_by(Waiting.joined_at)
    )


def discipline_for(session: Session, centre_id: str | None, *, now: datetime) -> Discipline:
    """The rates that hang in the centre's hall; for the audience, which is at the office, those of the ministry."""
    return standing.discipline_at(session, centre_id, now=now) if centre_id else DEFAULT


def starts_of(session: Session, petition_ids: Collection[str]) -> dict[str, Slot]:
    """The slots of those petitions which have an appointment that could still be given back."""
    booked = (Appointment.state == held.BOOKED, ~Appointment.for_earlier)
    query = select(Appointment).where(Appointment.petition_id.in_(petition_ids), *booked)
    return {row.petition_id: row.slot for row in session.scalars(query)} if petition_ids else {}


def answered(session: Session, offer: Offer, verb: str, *, now: datetime) -> None:
    """Raises Refused when somebody else was faster."""
    changed = session.execute(
        update(Offer)
        .where(Offer.id == offer.id, Offer.state == OPEN)
        .values(state=OFFER.next(OPEN, verb), answered_at=now)
        .returning(Offer.id)
        .execution_options(synchronize_session=False)
    ).first()
    session.refresh(offer)
    if changed is None:
        raise Refused(ENDED)


def moved(
    session: Session, waiting_id: str, states: tuple[str, ...], verb: str, *, now: datetime, **values: object
) -> Waiting:
    """The row in its next state, if it still was in one of `states`. Raises Refused otherwise."""
    targets = {WAITLIST.next(state, verb) for state in states}
    changed = session.execute(
        update(Waiting)
        .where(Waiting.id == waiting_id, Waiting.state.in_(states))
        .values(state=targets.pop(), changed_at=now, **values)
        .returning(Waiting.id)
        .execution_options(synchronize_session=False)
    ).first()
    waiting = get(session, waiting_id)
    if changed is None:
        WAITLIST.next(waiting.state, verb)
        raise Refused("Somebody else is arranging this appointment at this moment. Please look again.")
    return waiting
