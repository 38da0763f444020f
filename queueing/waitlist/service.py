"""What people do on the waitlist: join it, wish otherwise, answer an offer, leave. Each locks as `offering` says."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import new_id
from core.errors import Refused
from core.events import emit
from core.language import N_
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from queueing.appointments import states as held
from queueing.appointments.models import Appointment
from queueing.tickets.rules import REGULAR
from queueing.waitlist import events, rules
from queueing.waitlist.line import (
    ENDED,
    answered,
    discipline_for,
    get,
    get_offer,
    in_line,
    moved,
    of_petition,
    offer_of,
    offers_to,
    open_offer,
    stands,
    starts_of,
)
from queueing.waitlist.models import Waiting
from queueing.waitlist.offering import BY, let_go, offer_next, serve, settle, sweep
from queueing.waitlist.states import ACCEPTED, DECLINED, IN_LINE, OFFERED, OPEN, PAUSED, UNOFFERED, WAITLIST, WITHDRAWN

__all__ = [
    "BY", "accept", "change", "decline", "discipline_for", "get", "get_offer", "in_line", "join", "leave",
    "of_petition", "offer_next", "offer_of", "offers_to", "open_offer", "resume", "serve", "set_urgent", "settle",
    "stands", "starts_of", "sweep",
]  # fmt: skip

_DECLINED = N_("Offer of the waitlist declined")
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
    for_earlier: bool = False,
) -> Waiting:
    """Wait for a place. Raises Mistake for wishes that nothing fits, Refused for who waits or has an appointment.

    With an appointment one may wait `for_earlier`: for a time on an earlier day, for which the appointment is given
    back only when it is taken. Refused for who has none, or for whom no earlier day is left.
    """
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
    if for_earlier:
        _need_later(current, urgent=urgent, zone=zone, now=now)
    elif current is not None and current.state != held.HELD:
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
        for_earlier=for_earlier,
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
    """Wait no longer; a place that is kept by an offer goes on to the next.

    Raises Refused when a time is offered at this very moment: it is let go by leaving once more.
    """
    WAITLIST.next(get(session, waiting_id).state, "leave")
    offer = open_offer(session, waiting_id)
    kept = offer is not None and settle(session, offer.id, now=now).state == OPEN
    if offer is not None and kept:
        let_go(session, offer, WITHDRAWN, why=reason, by=by, now=now)
    waiting = moved(session, waiting_id, (OFFERED,) if kept else UNOFFERED, "leave", now=now, reason=reason)
    emit(session, events.WaitlistLeft(waiting.id, waiting.petition_id, waiting.visitor_id), now=now)
    return waiting


def change(
    session: Session,
    waiting_id: str,
    *,
    zone: str,
    now: datetime,
    kind: str,
    centre_id: str | None,
    official_id: str | None,
    earliest: datetime | None,
    latest: datetime | None,
    needs_interpreter: bool,
    visitor_class: str,
) -> Waiting:
    """Other wishes. Broader ones keep the turn; with others the waiting counts from now (`rules.keeps_turn`).

    What the visitor needs or is counted as is no wish and costs no turn. Raises Mistake as `join` does, Refused while a
    time is offered: that is answered first.
    """
    rules.check(
        kind=kind,
        centre_id=centre_id,
        visitor_class=visitor_class,
        earliest=earliest,
        latest=latest,
        zone=zone,
        now=now,
    )
    waiting = get(session, waiting_id)
    if waiting.state == OFFERED:
        raise Refused("A time is offered at present. Wait for the answer, or take it back by taking them off the list.")
    wishes: dict[str, object] = {
        "kind": kind, "centre_id": centre_id or None, "official_id": official_id or None, "earliest": earliest,
        "latest": latest,
    }  # fmt: skip
    keeps = rules.keeps_turn({name: getattr(waiting, name) for name in rules.WISHES}, wishes)
    values = wishes | {"needs_interpreter": needs_interpreter, "visitor_class": visitor_class}
    values |= {} if keeps else {"joined_at": now}
    waiting = moved(session, waiting_id, (waiting.state,), "change", now=now, **values)
    emit(session, events.WishesChanged(waiting.id, waiting.petition_id, waiting.visitor_id, keeps), now=now)
    return waiting


def resume(session: Session, waiting_id: str, *, now: datetime) -> Waiting:
    """Somebody has spoken to them: times are offered again. The waiting counts from the first day, as before."""
    waiting = moved(session, waiting_id, (PAUSED,), "resume", now=now, unanswered=0)
    emit(session, events.WaitlistResumed(waiting.id, waiting.petition_id, waiting.visitor_id), now=now)
    return waiting


def set_urgent(session: Session, petition_id: str, *, urgent: bool, now: datetime) -> None:
    session.execute(
        update(Waiting)
        .where(Waiting.petition_id == petition_id, Waiting.state.in_(IN_LINE))
        .values(urgent=urgent, changed_at=now)
    )


def accept(session: Session, offer_id: str, *, by: str, now: datetime) -> Appointment:
    """The kept place becomes an appointment. Raises Refused once the offer has ended."""
    offer = get_offer(session, offer_id)
    if offer.state == ACCEPTED:
        raise Refused("You have taken this time already.")
    if not stands(offer, now=now):
        raise Refused(ENDED)
    appointment = appointments.confirm(session, offer.appointment_id, by=by, now=now)
    answered(session, offer, "accept", now=now)
    waiting = moved(session, offer.waiting_id, (OFFERED,), "serve", now=now, unanswered=0)
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
        raise Refused(ENDED)
    let_go(session, offer, DECLINED, why=_DECLINED, by=by, now=now)
    waiting = moved(session, offer.waiting_id, (OFFERED,), "pass", now=now, unanswered=0)
    emit(session, events.OfferDeclined(offer.id, waiting.id, waiting.petition_id, waiting.visitor_id, keep), now=now)
    return waiting if keep else leave(session, waiting.id, reason=_LEFT, by=by, now=now)


def _need_later(current: Appointment | None, *, urgent: bool, zone: str, now: datetime) -> None:
    if current is None or current.state != held.BOOKED:
        raise Refused("There is no appointment that could be given back for an earlier one.")
    until = rules.earlier_until(current.slot.starts_at, zone=current.slot.zone or zone)
    if rules.is_outlasted(until, urgent=urgent, now=now):
        raise Refused("No day is left before this appointment on which an earlier one could be.")
