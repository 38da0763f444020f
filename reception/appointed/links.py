"""One-time links: made for a text, opened by their token, and closed by what becomes of the appointment."""

import secrets
import string
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from queueing.appointments.models import Appointment
from queueing.appointments.states import CANCELLED, EXPIRED, HELD, MOVED
from queueing.waitlist import service as waitlist
from queueing.waitlist.models import Offer
from queueing.waitlist.states import ACCEPTED
from reception.appointed import rules
from reception.appointed.models import AppointmentLink, AppointmentWord
from reception.petitions.models import Petition

_ALPHABET = string.ascii_letters + string.digits  # no mark at the end that a phone would leave out of the link
TOKEN_LENGTH = 22  # 131 bits


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link leads to. `now_is` is the appointment that took its place, shown for a while to who moved it."""

    link: AppointmentLink
    appointment: Appointment
    petition: Petition
    standing: str
    coming: bool
    now_is: Appointment | None
    offer: Offer | None = None  # it began as an offer of the waitlist

    @property
    def mine(self) -> bool:
        """Whether this link itself has just made the change."""
        return self.link.spent_at is not None


def token_hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def new_token() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(TOKEN_LENGTH))


def make(session: Session, appointment_id: str, *, now: datetime) -> str:
    """A new link's token, which is kept nowhere. Earlier ones stay good: either text may be the one at hand."""
    token = new_token()
    session.add(AppointmentLink(token_hash=token_hash(token), appointment_id=appointment_id, made_at=now))
    session.flush()
    return token


def open_(session: Session, token: str, *, now: datetime, lock: bool = False) -> Opened:
    """Raises NotFound for a link that was never sent. `lock`: for a change, so that presses queue up."""
    query = select(AppointmentLink).where(AppointmentLink.token_hash == token_hash(token))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    link = session.scalar(query)
    if link is None:
        raise NotFound("There is no such appointment.")
    appointment = session.get_one(Appointment, link.appointment_id, populate_existing=lock)
    petition = session.get_one(Petition, appointment.petition_id)
    offer = waitlist.offer_of(session, appointment.id)
    standing = rules.standing(appointment.state, appointment.slot.starts_at, now=now)
    if offer is not None and _only_offered(offer, appointment):
        standing = rules.offer_standing(offer.state, stands=waitlist.stands(offer, now=now))
    return Opened(
        link=link,
        appointment=appointment,
        petition=petition,
        standing=standing,
        offer=offer,
        coming=session.get(AppointmentWord, appointment.id) is not None,
        now_is=_successor(session, link, appointment, now=now),
    )


def _only_offered(offer: Offer, appointment: Appointment) -> bool:
    return appointment.state in (HELD, EXPIRED) or (appointment.state == CANCELLED and offer.state != ACCEPTED)


def _successor(
    session: Session, link: AppointmentLink, appointment: Appointment, *, now: datetime
) -> Appointment | None:
    """The one that has its code by now: the office may have moved it on, or called it off."""
    if appointment.state != MOVED or not rules.shows_outcome(link.spent_at, now=now):
        return None
    return session.scalar(select(Appointment).where(Appointment.code == appointment.code, Appointment.state != MOVED))
