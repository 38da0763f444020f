"""Texts to who waits for an appointment. An offer names the day in every way and until when it is kept."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.calendar import When, moment
from core.settings import Settings
from messaging import service as messages
from queueing.appointments import calendar
from queueing.waitlist import service
from queueing.waitlist.events import OfferLapsed, OfferWithdrawn, PlaceOffered, WaitlistJoined, WaitlistOver
from reception.appointed.texts import send_link
from reception.notify.texts import tell
from reception.petitions.models import Petition

OFFER, EARLIER, OFFER_LINK = "waitlist_offer", "waitlist_earlier", "waitlist_link"


def text_waitlist_joined(session: Session, event: WaitlistJoined, *, now: datetime, settings: Settings) -> None:
    if service.get(session, event.waiting_id).for_earlier:
        _tell(session, event, "waitlist_earlier_joined", key=event.waiting_id, case=False, now=now, settings=settings)
        return
    _tell(session, event, "waitlist_joined", key=event.waiting_id, case=True, now=now, settings=settings)


def text_place_offered(session: Session, event: PlaceOffered, *, now: datetime, settings: Settings) -> None:
    """Only while it can still be answered: a text that comes too late would send somebody on a way for nothing."""
    offer = service.get_offer(session, event.offer_id)
    petition = session.get(Petition, event.petition_id)
    if petition is None or not service.stands(offer, now=now):
        return
    slot = offer.slot
    tell(
        session,
        petition,
        EARLIER if offer.waiting.for_earlier else OFFER,
        lambda lang: {
            "when": moment(slot.starts_at, lang, settings.timezone),
            "place": slot.place(lang),
            "until": When(offer.until, settings.timezone).said(lang),
        },
        key=offer.id,
        expires_at=offer.until,
        now=now,
    )
    send_link(
        session,
        offer.appointment,
        petition,
        key=f"{OFFER_LINK}:{offer.id}",
        template=OFFER_LINK,
        now=now,
        settings=settings,
    )


def text_offer_lapsed(session: Session, event: OfferLapsed, *, now: datetime, settings: Settings) -> None:
    messages.overtake(session, ("petition", event.petition_id), event.offer_id, now=now)
    earlier = service.get(session, event.waiting_id).for_earlier
    template = "waitlist_earlier_passed" if earlier else "waitlist_paused" if event.paused else "waitlist_passed"
    _tell(session, event, template, key=event.offer_id, case=False, now=now, settings=settings)


def text_offer_withdrawn(session: Session, event: OfferWithdrawn, *, now: datetime, settings: Settings) -> None:
    """To who waits on; whoever has an appointment instead has the texts of that."""
    messages.overtake(session, ("petition", event.petition_id), event.offer_id, now=now)
    waiting = service.of_petition(session, event.petition_id)
    if waiting is not None and (waiting.for_earlier or calendar.current(session, event.petition_id) is None):
        _tell(session, event, "waitlist_withdrawn", key=event.offer_id, case=False, now=now, settings=settings)


def text_waitlist_over(session: Session, event: WaitlistOver, *, now: datetime, settings: Settings) -> None:
    """Who has an appointment loses nothing by it, and is reminded of that one alone."""
    if service.get(session, event.waiting_id).for_earlier:
        return
    _tell(session, event, "waitlist_over", key=event.waiting_id, case=True, now=now, settings=settings)


def _tell(
    session: Session,
    event: WaitlistJoined | OfferLapsed | OfferWithdrawn | WaitlistOver,
    template: str,
    *,
    key: str,
    case: bool,
    now: datetime,
    settings: Settings,
) -> None:
    petition = session.get(Petition, event.petition_id)
    if petition is None:
        return
    fields = {"phone": settings.hotline_number} | ({"case": petition.case_number} if case else {})
    tell(session, petition, template, lambda lang: fields, key=key, now=now)
