"""What the worker does: a free place is kept for the next in line, and an offer follows what becomes of its hold.

Whatever changes a place locks its day first (queueing.appointments), then a row here. An offer is a hold of the
calendar with a row that says for whom and why. Both are made in one transaction, and what has become of the hold is
what has become of the offer: nothing stays kept for longer than the hold does, and no place is kept for two, wherever a
process dies.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import MajlisError, Refused
from core.events import emit
from core.language import N_
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from queueing.appointments import states as held
from queueing.appointments.models import Appointment, Slot
from queueing.waitlist import events, rules
from queueing.waitlist.line import ENDED, answered, discipline_for, get_offer, moved, of_petition, open_offer, starts_of
from queueing.waitlist.models import Offer, Waiting
from queueing.waitlist.states import (
    DECLINED,
    LAPSED,
    OFFER,
    OFFERED,
    OPEN,
    REFUSED_BY_VISITOR,
    UNOFFERED,
    WAITING,
    WITHDRAWN,
)

BY = "waitlist"  # in place of a member of staff's id
SLOTS_LOOKED_AT = 40  # for each kind of wish
_CLOSED = N_("The time is not offered any more")


def offer_next(session: Session, slot_id: str, *, now: datetime) -> Offer | None:
    """Keep a free place for the next in line whom it fits; None when there is nobody, or no time to ask anybody.

    Who comes first is read without a lock and decided under that of the calendar's day: whoever was given something
    else meanwhile is passed over, and two workers never keep one place twice.
    """
    slot = session.get(Slot, slot_id, populate_existing=True)
    if slot is None or slot.state != held.OPEN or slot.taken >= slot.capacity:
        return None
    discipline = discipline_for(session, slot.centre_id, now=now)
    for line in rules.lines(_candidates(session, slot, now=now)):
        turn, reasons = rules.order(line, now=now, discipline=discipline)
        rows = {row.id: row for row in line}
        passed: list[str] = []
        for waiting_id in turn:
            waiting = rows[waiting_id]
            until = rules.answer_until(slot.starts_at, urgent=waiting.urgent, zone=slot.zone, now=now)
            offer = keep_for(session, slot, waiting, until, now=now) if until else None
            if offer is not None:
                offer.reasons = rules.without(reasons, passed).as_json()
                session.flush()
                return offer
            passed.append(waiting_id)
    return None


def settle(session: Session, offer_id: str, *, now: datetime) -> Offer:
    """Let an open offer follow what has become of its hold: run out, confirmed at a desk, or let go for another."""
    offer = get_offer(session, offer_id)
    appointment = offer.appointment
    if offer.state != OPEN or appointment.state == held.HELD:
        return offer
    if appointment.state not in (held.EXPIRED, held.CANCELLED):
        answered(session, offer, "accept", now=now)
        _served(session, offer.waiting_id, (OFFERED,), now=now)
        return offer
    run_out = appointment.state == held.EXPIRED and offer.until <= now
    answered(session, offer, "lapse" if run_out else "withdraw", now=now)
    if not run_out:
        waiting = moved(session, offer.waiting_id, (OFFERED,), "pass", now=now)
        emit(session, events.OfferWithdrawn(offer.id, waiting.id, waiting.petition_id, waiting.visitor_id), now=now)
        return offer
    unanswered = offer.waiting.unanswered + 1
    paused = unanswered >= rules.MOST_UNANSWERED
    waiting = moved(
        session, offer.waiting_id, (OFFERED,), "pause" if paused else "pass", now=now, unanswered=unanswered
    )
    emit(session, events.OfferLapsed(offer.id, waiting.id, waiting.petition_id, waiting.visitor_id, paused), now=now)
    return offer


def serve(session: Session, petition_id: str, *, now: datetime) -> Waiting | None:
    """The petition has an appointment, however it came by it: it waits no longer.

    What is kept by an offer is let go. Raises Refused when a time is offered at this very moment: whoever asks again
    ends that offer, too.
    """
    waiting = of_petition(session, petition_id)
    if waiting is None:
        return None
    offer = open_offer(session, waiting.id)
    if offer is not None:
        if offer.appointment.state == held.HELD:  # first, since the calendar's day is locked before the offer
            appointments.let_go(session, offer.appointment_id, now=now)
        answered(session, offer, "accept" if offer.appointment.state in held.KEPT else "withdraw", now=now)
    return _served(session, waiting.id, (OFFERED,) if offer else UNOFFERED, now=now)


def _served(session: Session, waiting_id: str, states: tuple[str, ...], *, now: datetime) -> Waiting:
    waiting = moved(session, waiting_id, states, "serve", now=now, unanswered=0)
    emit(session, events.WaitlistServed(waiting.id, waiting.petition_id, waiting.visitor_id), now=now)
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
        withdraw(session, get_offer(session, closed), now=now)
        return True
    pointless = next((offer for offer in _for_earlier(session) if _is_pointless(session, offer)), None)
    if pointless is not None:
        withdraw(session, pointless, now=now)
        return True
    in_line = list(session.scalars(select(Waiting).where(Waiting.state.in_(UNOFFERED))))
    latest = {row.id: row.latest for row in in_line} | _bounds(session, in_line, now=now)
    for waiting in in_line:
        if rules.is_outlasted(latest[waiting.id], urgent=waiting.urgent, now=now):
            waiting = moved(session, waiting.id, UNOFFERED, "outlast", now=now)
            emit(session, events.WaitlistOver(waiting.id, waiting.petition_id, waiting.visitor_id), now=now)
            return True
    return _offer_one(session, [row for row in in_line if row.state == WAITING], latest, now=now)


def _bounds(session: Session, line: Sequence[Waiting], *, now: datetime) -> dict[str, datetime | None]:
    """Until when a place must begin for those who have an appointment; `now` where that is gone, and nothing can."""
    rows = [row for row in line if row.for_earlier]
    has = starts_of(session, [row.petition_id for row in rows])
    found: dict[str, datetime | None] = {}
    for row in rows:
        slot = has.get(row.petition_id)
        until = rules.earlier_until(slot.starts_at, zone=slot.zone) if slot else now
        found[row.id] = min(until, row.latest or until)
    return found


def _for_earlier(session: Session) -> list[Offer]:
    """Open offers to who has an appointment."""
    query = select(Offer).join(Waiting, Waiting.id == Offer.waiting_id)
    return list(session.scalars(query.where(Offer.state == OPEN, Waiting.state == OFFERED, Waiting.for_earlier)))


def _is_pointless(session: Session, offer: Offer) -> bool:
    """The visitor has come by an earlier appointment, or is there already."""
    current = calendar.current(session, offer.waiting.petition_id)
    return current is not None and (current.state != held.BOOKED or current.slot.starts_at <= offer.slot.starts_at)


def _candidates(session: Session, slot: Slot, *, now: datetime) -> list[Waiting]:
    refused = exists().where(
        Offer.waiting_id == Waiting.id, Offer.slot_id == slot.id, Offer.state.in_(REFUSED_BY_VISITOR)
    )
    has_one = exists().where(
        Appointment.petition_id == Waiting.petition_id, Appointment.state.in_(held.LIVE), ~Appointment.for_earlier
    )
    query = select(Waiting).where(Waiting.state == WAITING, ~refused, or_(Waiting.for_earlier, ~has_one))
    rows = session.scalars(query.execution_options(populate_existing=True)).all()
    fitting = [row for row in rows if rules.fits(row, slot, now=now)]
    has = starts_of(session, [row.petition_id for row in fitting if row.for_earlier])
    starts = {petition_id: other.starts_at for petition_id, other in has.items()}
    return [
        row
        for row in fitting
        if not row.for_earlier or rules.is_earlier(slot.starts_at, starts.get(row.petition_id), zone=slot.zone)
    ]


def keep_for(session: Session, slot: Slot, waiting: Waiting, until: datetime, *, now: datetime) -> Offer | None:
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
                for_earlier=waiting.for_earlier,
                now=now,
            )
            pushed_out = exists().where(
                Appointment.petition_id == waiting.petition_id,
                Appointment.state == held.EXPIRED,
                Appointment.changed_at == now,
                Appointment.booked_by != BY,
            )
            if session.scalar(select(pushed_out)):  # somebody at a desk was talking a time over with them
                raise Refused(ENDED)
            waiting = moved(session, waiting.id, (WAITING,), "offer", now=now)
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


def _offer_one(session: Session, line: list[Waiting], latest: Mapping[str, datetime | None], *, now: datetime) -> bool:
    """The first free place, in order of time, that somebody in this line can be given."""
    looked: set[str] = set()
    groups: dict[tuple[str, str | None, str | None, bool, bool], list[tuple[datetime | None, datetime | None]]] = {}
    for row in line:  # as they are now: another worker may change a row while we look
        wish = (row.kind, row.centre_id, row.official_id, row.needs_interpreter, row.urgent)
        groups.setdefault(wish, []).append((row.earliest, latest[row.id]))
    for wish in sorted(groups, key=lambda wish: (not wish[4], str(wish))):
        kind, centre_id, official_id, signs, urgent = wish
        spans = groups[wish]
        free = appointments.open_slots(
            session,
            now=now,
            kind=kind or None,
            centre_id=centre_id,
            official_id=official_id,
            needs_interpreter=signs,
            urgent=urgent,
            since=min(earliest or now for earliest, _ in spans),
            until=_last([last for _, last in spans]),
            limit=SLOTS_LOOKED_AT,
        )
        for slot in free:
            if slot.id in looked:
                continue
            looked.add(slot.id)
            if _candidates(session, slot, now=now) and offer_next(session, slot.id, now=now):
                return True
    return False


def _last(bounds: Sequence[datetime | None]) -> datetime | None:
    """The latest of them; None where somebody has none."""
    known = [bound for bound in bounds if bound is not None]
    return max(known) if len(known) == len(bounds) else None


def withdraw(session: Session, offer: Offer, *, now: datetime) -> None:
    """The slot was closed (by a holiday) or is of no use any more: who was asked is told, and keeps the turn."""
    let_go(session, offer, WITHDRAWN, why=_CLOSED, by=BY, now=now)
    waiting = moved(session, offer.waiting_id, (OFFERED,), "pass", now=now)
    emit(session, events.OfferWithdrawn(offer.id, waiting.id, waiting.petition_id, waiting.visitor_id), now=now)


def let_go(session: Session, offer: Offer, state: str, *, why: str, by: str, now: datetime) -> None:
    """End an open offer with its hold. The calendar's day is locked by it, and decides who was first."""
    appointments.cancel(session, offer.appointment_id, reason=why, by=by, now=now)
    answered(session, offer, {DECLINED: "decline", WITHDRAWN: "withdraw", LAPSED: "lapse"}[state], now=now)
