"""The verbs of the waitlist. Whatever changes a place locks its day first (queueing.appointments), then a row here.

An offer is a hold of the calendar with a row that says for whom and why. Both are made in one transaction, and what has
become of the hold is what has become of the offer: nothing stays kept for longer than the hold does, and no place is
kept for two, wherever a process dies.
"""

from datetime import datetime, timedelta

from sqlalchemy import Select, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import MajlisError, NotFound, Refused
from core.events import emit
from core.language import N_
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from queueing.appointments import states as held
from queueing.appointments.models import Appointment, Slot
from queueing.tickets import standing
from queueing.tickets.rules import DEFAULT, REGULAR, Discipline
from queueing.waitlist import events, rules
from queueing.waitlist.models import Offer, Waiting
from queueing.waitlist.states import (
    ACCEPTED,
    DECLINED,
    IN_LINE,
    LAPSED,
    OFFER,
    OFFERED,
    OPEN,
    PAUSED,
    REFUSED_BY_VISITOR,
    WAITING,
    WAITLIST,
    WITHDRAWN,
)

BY = "waitlist"  # in place of a member of staff's id
SLOTS_LOOKED_AT = 40  # for each kind of wish
_ENDED = N_("This offer has ended, and the time has gone to the next in line.")
_DECLINED = N_("Offer of the waitlist declined")
_CLOSED = N_("The time is not offered any more")
_LEFT = N_("Left the waitlist with an answer")


def join(
    session: Session,
    *,
    petition_id: str,
    visitor_id: str,
    label: str,
    by: str,
    zone: str,
    now: datetime,
    kind: str = "",
    centre_id: str | None = None,
    official_id: str | None = None,
    needs_interpreter: bool = False,
    visitor_class: str = REGULAR,
    urgent: bool = False,
    earliest: datetime | None = None,
    latest: datetime | None = None,
) -> Waiting:
    """Wait for a place. Raises Mistake for wishes that nothing fits, Refused for who waits or has an appointment."""
    rules.check(
        kind=kind,
        centre_id=centre_id,
        visitor_class=visitor_class,
        earliest=earliest,
        latest=latest,
        zone=zone,
        now=now,
    )
    current = calendar.current(session, petition_id)
    if current is not None and current.state != held.HELD:
        raise Refused("This petition has an appointment already. Move it instead of booking a second one.")
    waiting = Waiting(
        id=new_id(),
        petition_id=petition_id,
        visitor_id=visitor_id,
        label=label,
        kind=kind,
        centre_id=centre_id or None,
        official_id=official_id or None,
        needs_interpreter=needs_interpreter,
        earliest=earliest,
        latest=latest,
        visitor_class=visitor_class,
        urgent=urgent,
        state=WAITLIST.initial,
        joined_at=now,
        joined_by=by,
        changed_at=now,
        unanswered=0,
        reason="",
    )
    try:
        with session.begin_nested():
            session.add(waiting)
    except IntegrityError as error:
        raise Refused("This petition is on the waitlist already.") from error
    emit(session, events.WaitlistJoined(waiting.id, petition_id, visitor_id), now=now)
    return waiting


def leave(session: Session, waiting_id: str, *, reason: str, by: str, now: datetime) -> Waiting:
    """Wait no longer; a place that is kept by an offer goes on to the next."""
    WAITLIST.next(get(session, waiting_id).state, "leave")
    offer = open_offer(session, waiting_id)
    if offer is not None and settle(session, offer.id, now=now).state == OPEN:
        _let_go(session, offer, WITHDRAWN, why=reason, by=by, now=now)
    waiting = _moved(session, waiting_id, IN_LINE, "leave", now=now, reason=reason)
    emit(session, events.WaitlistLeft(waiting.id, waiting.petition_id, waiting.visitor_id), now=now)
    return waiting


def resume(session: Session, waiting_id: str, *, now: datetime) -> Waiting:
    """Somebody has spoken to them: times are offered again. The waiting counts from the first day, as before."""
    waiting = _moved(session, waiting_id, (PAUSED,), "resume", now=now, unanswered=0)
    emit(session, events.WaitlistResumed(waiting.id, waiting.petition_id, waiting.visitor_id), now=now)
    return waiting


def set_urgent(session: Session, petition_id: str, *, urgent: bool, now: datetime) -> None:
    session.execute(
        update(Waiting)
        .where(Waiting.petition_id == petition_id, Waiting.state.in_(IN_LINE))
        .values(urgent=urgent, changed_at=now)
    )


def offer_next(session: Session, slot_id: str, *, now: datetime) -> Offer | None:
    """Keep a free place for the next in line whom it fits; None when there is nobody, or no time to ask anybody.

    Who comes first is read without a lock and decided under that of the calendar's day: whoever was given something
    else meanwhile is passed over, and two workers never keep one place twice.
    """
    slot = session.get(Slot, slot_id, populate_existing=True)
    if slot is None or slot.state != held.OPEN or slot.taken >= slot.capacity:
        return None
    discipline = discipline_for(session, slot.centre_id, now=now)
    line = {row.id: row for row in _candidates(session, slot, now=now)}
    turn, reasons = rules.order(line.values(), now=now, discipline=discipline)
    passed: list[str] = []
    for waiting_id in turn:
        waiting = line[waiting_id]
        until = rules.answer_until(slot.starts_at, urgent=waiting.urgent, zone=slot.zone, now=now)
        offer = _offered(session, slot, waiting, until, now=now) if until else None
        if offer is not None:
            offer.reasons = rules.without(reasons, passed).as_json()
            session.flush()
            return offer
        passed.append(waiting_id)
    return None


def accept(session: Session, offer_id: str, *, by: str, now: datetime) -> Appointment:
    """The kept place becomes an appointment. Raises Refused once the offer has ended."""
    offer = get_offer(session, offer_id)
    if offer.state == ACCEPTED:
        raise Refused("You have taken this time already.")
    if not stands(offer, now=now):
        raise Refused(_ENDED)
    appointment = appointments.confirm(session, offer.appointment_id, by=by, now=now)
    _answered(session, offer, "accept", now=now)
    waiting = _moved(session, offer.waiting_id, (OFFERED,), "serve", now=now, unanswered=0)
    emit(
        session,
        events.OfferAccepted(offer.id, waiting.id, appointment.id, waiting.petition_id, waiting.visitor_id),
        now=now,
    )
    emit(session, events.WaitlistServed(waiting.id, waiting.petition_id, waiting.visitor_id), now=now)
    return appointment


def decline(session: Session, offer_id: str, *, keep: bool, by: str, now: datetime) -> Waiting:
    """Not this time. `keep`: wait on in the same turn; else leave the list. Raises Refused when it is too late."""
    offer = get_offer(session, offer_id)
    if not stands(offer, now=now):
        raise Refused(_ENDED)
    _let_go(session, offer, DECLINED, why=_DECLINED, by=by, now=now)
    waiting = _moved(session, offer.waiting_id, (OFFERED,), "pass", now=now, unanswered=0)
    emit(session, events.OfferDeclined(offer.id, waiting.id, waiting.petition_id, waiting.visitor_id, keep), now=now)
    return waiting if keep else leave(session, waiting.id, reason=_LEFT, by=by, now=now)


def settle(session: Session, offer_id: str, *, now: datetime) -> Offer:
    """Let an open offer follow what has become of its hold: run out, confirmed at a desk, or let go for another."""
    offer = get_offer(session, offer_id)
    appointment = offer.appointment
    if offer.state != OPEN or appointment.state == held.HELD:
        return offer
    if appointment.state not in (held.EXPIRED, held.CANCELLED):
        _answered(session, offer, "accept", now=now)
        serve(session, appointment.petition_id, now=now)
        return offer
    run_out = appointment.state == held.EXPIRED and offer.until <= now
    _answered(session, offer, "lapse" if run_out else "withdraw", now=now)
    if not run_out:
        waiting = _moved(session, offer.waiting_id, (OFFERED,), "pass", now=now)
        emit(session, events.OfferWithdrawn(offer.id, waiting.id, waiting.petition_id, waiting.visitor_id), now=now)
        return offer
    unanswered = offer.waiting.unanswered + 1
    paused = unanswered >= rules.MOST_UNANSWERED
    waiting = _moved(
        session, offer.waiting_id, (OFFERED,), "pause" if paused else "pass", now=now, unanswered=unanswered
    )
    emit(session, events.OfferLapsed(offer.id, waiting.id, waiting.petition_id, waiting.visitor_id, paused), now=now)
    return offer


def serve(session: Session, petition_id: str, *, now: datetime) -> Waiting | None:
    """The petition has an appointment, however it came by it: it waits no longer."""
    waiting = of_petition(session, petition_id)
    if waiting is None:
        return None
    offer = open_offer(session, waiting.id)
    if offer is not None:
        _answered(session, offer, "accept" if offer.appointment.state in held.KEPT else "withdraw", now=now)
    waiting = _moved(session, waiting.id, IN_LINE, "serve", now=now, unanswered=0)
    emit(session, events.WaitlistServed(waiting.id, petition_id, waiting.visitor_id), now=now)
    return waiting


def sweep(session: Session, *, now: datetime) -> bool:
    """One step of what is due; whether there was one. A short transaction each: nobody waits for a long list.

    Holds that are over are let go by the calendar's own sweep.
    """
    due = select(Offer.id).join(Appointment, Appointment.id == Offer.appointment_id)
    ended = session.scalar(due.where(Offer.state == OPEN, Appointment.state != held.HELD).limit(1))
    if ended is not None:
        settle(session, ended, now=now)
        return True
    closed = session.scalar(
        due.join(Slot, Slot.id == Offer.slot_id).where(Offer.state == OPEN, Slot.state != held.OPEN).limit(1)
    )
    if closed is not None:
        _withdraw(session, get_offer(session, closed), now=now)
        return True
    in_line = list(session.scalars(select(Waiting).where(Waiting.state.in_((WAITING, PAUSED)))))
    for waiting in in_line:
        if rules.is_outlasted(waiting.latest, urgent=waiting.urgent, now=now):
            waiting = _moved(session, waiting.id, (WAITING, PAUSED), "outlast", now=now)
            emit(session, events.WaitlistOver(waiting.id, waiting.petition_id, waiting.visitor_id), now=now)
            return True
    return _offer_one(session, [row for row in in_line if row.state == WAITING], now=now)


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


def discipline_for(session: Session, centre_id: str | None, *, now: datetime) -> Discipline:
    """The rates that hang in the centre's hall; for the audience, which is at the office, those of the ministry."""
    return standing.discipline_at(session, centre_id, now=now) if centre_id else DEFAULT


def _candidates(session: Session, slot: Slot, *, now: datetime) -> list[Waiting]:
    refused = exists().where(
        Offer.waiting_id == Waiting.id, Offer.slot_id == slot.id, Offer.state.in_(REFUSED_BY_VISITOR)
    )
    has_one = exists().where(Appointment.petition_id == Waiting.petition_id, Appointment.state.in_(held.LIVE))
    rows = session.scalars(
        select(Waiting).where(Waiting.state == WAITING, ~refused, ~has_one).execution_options(populate_existing=True)
    )
    return [row for row in rows if rules.fits(row, slot, now=now)]


def _offered(session: Session, slot: Slot, waiting: Waiting, until: datetime, *, now: datetime) -> Offer | None:
    """The hold and its offer, or nothing at all: the place can't be had for this person after all."""
    try:
        with session.begin_nested():
            hold = appointments.hold(
                session,
                slot_id=slot.id,
                visitor_id=waiting.visitor_id,
                petition_id=waiting.petition_id,
                by=BY,
                minutes=(until - now) // timedelta(minutes=1),
                needs_interpreter=waiting.needs_interpreter,
                urgent=waiting.urgent,
                now=now,
            )
            pushed_out = exists().where(
                Appointment.petition_id == waiting.petition_id,
                Appointment.state == held.EXPIRED,
                Appointment.changed_at == now,
                Appointment.booked_by != BY,
            )
            if session.scalar(select(pushed_out)):  # somebody at a desk was talking a time over with them
                raise Refused(_ENDED)
            waiting = _moved(session, waiting.id, (WAITING,), "offer", now=now)
            offer = Offer(
                id=new_id(),
                waiting_id=waiting.id,
                waiting=waiting,
                slot_id=slot.id,
                appointment_id=hold.id,
                appointment=hold,
                state=OFFER.initial,
                offered_at=now,
                until=until,
                reasons={},
            )
            session.add(offer)
            session.flush()
            emit(
                session,
                events.PlaceOffered(offer.id, waiting.id, hold.id, slot.id, waiting.petition_id, waiting.visitor_id),
                now=now,
            )
        return offer
    except MajlisError:
        return None


def _offer_one(session: Session, line: list[Waiting], *, now: datetime) -> bool:
    """The first free place, in order of time, that somebody in this line can be given."""
    looked: set[str] = set()
    wishes = {(row.kind, row.centre_id, row.official_id, row.needs_interpreter, row.urgent) for row in line}
    for kind, centre_id, official_id, signs, urgent in sorted(wishes, key=lambda wish: (not wish[4], str(wish))):
        alike = [
            row
            for row in line
            if (row.kind, row.centre_id, row.official_id, row.needs_interpreter, row.urgent)
            == (kind, centre_id, official_id, signs, urgent)
        ]
        free = appointments.open_slots(
            session,
            now=now,
            kind=kind or None,
            centre_id=centre_id,
            official_id=official_id,
            needs_interpreter=signs,
            urgent=urgent,
            since=min((row.earliest or now for row in alike), default=now),
            until=max(row.latest for row in alike if row.latest) if all(row.latest for row in alike) else None,
            limit=SLOTS_LOOKED_AT,
        )
        for slot in free:
            if slot.id in looked:
                continue
            looked.add(slot.id)
            if _candidates(session, slot, now=now) and offer_next(session, slot.id, now=now):
                return True
    return False


def _withdraw(session: Session, offer: Offer, *, now: datetime) -> None:
    """The slot was closed (a holiday, say): whoever was asked is told, and waits on in the same turn."""
    _let_go(session, offer, WITHDRAWN, why=_CLOSED, by=BY, now=now)
    waiting = _moved(session, offer.waiting_id, (OFFERED,), "pass", now=now)
    emit(session, events.OfferWithdrawn(offer.id, waiting.id, waiting.petition_id, waiting.visitor_id), now=now)


def _let_go(session: Session, offer: Offer, state: str, *, why: str, by: str, now: datetime) -> None:
    """End an open offer with its hold. The calendar's day is locked by it, and decides who was first."""
    appointments.cancel(session, offer.appointment_id, reason=why, by=by, now=now)
    _answered(session, offer, {DECLINED: "decline", WITHDRAWN: "withdraw", LAPSED: "lapse"}[state], now=now)


def _answered(session: Session, offer: Offer, verb: str, *, now: datetime) -> None:
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
        raise Refused(_ENDED)


def _moved(
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


def in_line(query: Select[tuple[Waiting]] | None = None) -> Select[tuple[Waiting]]:
    """Those who wait, in order of coming; a page narrows it."""
    return (
        (query if query is not None else select(Waiting)).where(Waiting.state.in_(IN_LINE)).order_by(Waiting.joined_at)
    )
