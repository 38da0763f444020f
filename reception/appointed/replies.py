"""What a text from a visitor's own number may do to an appointment or an offer. The words of the texts are not ours.

Whoever calls has verified the number: `visitor_ids` are the people it belongs to (a family may share one), and each
verb does only what is theirs, or what they are told of as somebody's agent or beside somebody: whom a text asks, may
answer it. Anything else is NotFound, as if it did not exist. A refusal says what is so instead, and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core import audit
from core.errors import NotFound, Refused
from core.language import N_
from core.settings import Settings
from queueing.appointments import calendar
from queueing.appointments import service as appointments
from queueing.appointments.models import Appointment, Slot
from queueing.appointments.states import BOOKED
from queueing.waitlist import service as waitlist
from queueing.waitlist.models import Offer, Waiting
from queueing.waitlist.states import OFFERED, OPEN
from reception.appointed import rules, texts
from reception.appointed.models import AppointmentWord
from reception.parties import service as parties
from reception.petitions.models import Petition

AT = {"at": "text message"}
CANCELLED_BY_TEXT = N_("Cancelled by the visitor with a text message")
_NONE = N_("You have no appointment ahead.")
_NO_OFFER = N_("There is no time kept for you at present.")


@dataclass(frozen=True, slots=True)
class Standing:
    """What a number's people have before them: appointments in order of time, and times offered to them."""

    appointments: tuple[Appointment, ...]
    offers: tuple[Offer, ...]

    @property
    def only_appointment(self) -> Appointment | None:
        """Named without a doubt; None with none, and with several."""
        return self.appointments[0] if len(self.appointments) == 1 else None

    @property
    def only_offer(self) -> Offer | None:
        return self.offers[0] if len(self.offers) == 1 else None


def standing(session: Session, visitor_ids: Sequence[str], *, now: datetime) -> Standing:
    """Everything that these people could answer to."""
    beside = parties.told_beside(session, visitor_ids, now=now)
    booked = session.scalars(
        select(Appointment)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(or_(Appointment.visitor_id.in_(visitor_ids), Appointment.petition_id.in_(beside)))
        .where(Appointment.state == BOOKED, Slot.starts_at > now)
        .order_by(Slot.starts_at, Appointment.id)
    )
    offers = session.scalars(
        select(Offer)
        .join(Waiting, Waiting.id == Offer.waiting_id)
        .where(or_(Waiting.visitor_id.in_(visitor_ids), Waiting.petition_id.in_(beside)))
        .where(Waiting.state == OFFERED, Offer.state == OPEN, Offer.until > now)
        .order_by(Offer.until, Offer.id)
    )
    return Standing(tuple(booked), tuple(row for row in offers if waitlist.stands(row, now=now)))


def by_code(session: Session, visitor_ids: Sequence[str], code: str, *, now: datetime) -> Appointment:
    """The appointment that a text names by its code. Raises NotFound, also for somebody else's."""
    try:
        found = calendar.by_code(session, code)
    except NotFound:
        raise NotFound(_NONE) from None
    return _mine(session, visitor_ids, found.id, now=now)


def come(session: Session, visitor_ids: Sequence[str], appointment_id: str, *, now: datetime) -> Appointment:
    """“I will come.” Said twice is said once."""
    appointment = _mine(session, visitor_ids, appointment_id, now=now)
    if session.get(AppointmentWord, appointment.id) is None:
        session.add(AppointmentWord(appointment_id=appointment.id, said_at=now))
        audit.note(session, "confirm appointment", "petition", appointment.petition_id, now=now, detail=AT)
        session.flush()
    return appointment


def cancel(session: Session, visitor_ids: Sequence[str], appointment_id: str, *, now: datetime) -> Appointment:
    """Ask "are you sure" first: there is no way back. The visitor is told by the text of every cancellation."""
    appointment = _mine(session, visitor_ids, appointment_id, now=now)
    appointments.cancel(session, appointment.id, reason=CANCELLED_BY_TEXT, by=rules.BY_VISITOR, now=now)
    audit.note(session, "cancel appointment", "petition", appointment.petition_id, now=now, detail=AT)
    return appointment


def send_link(
    session: Session, visitor_ids: Sequence[str], appointment_id: str, *, now: datetime, settings: Settings
) -> Appointment:
    """To move it one must see the free times: a fresh link goes to who asks, in a text of its own, one a minute."""
    appointment = _mine(session, visitor_ids, appointment_id, now=now)
    petition = session.get_one(Petition, appointment.petition_id)
    key = f"{texts.LINK}:asked:{appointment.id}:{now.isoformat(timespec='minutes')}"
    beside = [party.visitor for party in parties.of_petition(session, petition.id)]
    asking = [person for person in (petition.visitor, *beside) if person.id in visitor_ids][:1]
    texts.send_link(session, appointment, petition, key=key, people=asking, now=now, settings=settings)
    return appointment


def accept(session: Session, visitor_ids: Sequence[str], offer_id: str, *, now: datetime) -> Appointment:
    """The offered time is theirs; its confirmation follows by text as for every booking. Refused when it has ended."""
    offer = _offer(session, visitor_ids, offer_id, now=now)
    appointment = waitlist.accept(session, offer.id, by=rules.BY_VISITOR, now=now)
    audit.note(session, "accept offer", "petition", appointment.petition_id, now=now, detail=AT)
    return appointment


def decline(
    session: Session, visitor_ids: Sequence[str], offer_id: str, *, now: datetime, keep: bool = True
) -> Waiting:
    """Not this time: they go on waiting in the same turn, or with `keep=False` leave the list."""
    offer = _offer(session, visitor_ids, offer_id, now=now)
    waiting = waitlist.decline(session, offer.id, keep=keep, by=rules.BY_VISITOR, now=now)
    audit.note(session, "decline offer", "petition", waiting.petition_id, now=now, detail=AT)
    return waiting


def _mine(session: Session, visitor_ids: Sequence[str], appointment_id: str, *, now: datetime) -> Appointment:
    appointment = session.get(Appointment, appointment_id, populate_existing=True)
    if appointment is None or not _concerns(session, visitor_ids, appointment, now=now):
        raise NotFound(_NONE)
    stands = rules.standing(appointment.state, appointment.slot.starts_at, now=now)
    if stands != rules.OPEN:
        raise Refused(rules.CLOSED_WORDS[stands])
    return appointment


def _offer(session: Session, visitor_ids: Sequence[str], offer_id: str, *, now: datetime) -> Offer:
    offer = session.get(Offer, offer_id, populate_existing=True)
    if offer is None or not _concerns(session, visitor_ids, offer.waiting, now=now):
        raise NotFound(_NO_OFFER)
    return offer


def _concerns(session: Session, visitor_ids: Sequence[str], row: Appointment | Waiting, *, now: datetime) -> bool:
    return row.visitor_id in visitor_ids or row.petition_id in parties.told_beside(session, visitor_ids, now=now)
