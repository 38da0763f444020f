"""What is asked back where an answer could mean several things. Nothing is changed by asking."""

from collections.abc import Sequence

from core.calendar import When, moment
from messaging.inbound import rules as understand
from messaging.inbound import service as inbound
from queueing.appointments.models import Appointment, Slot
from queueing.waitlist.models import Offer
from reception.answers import meant, rules
from reception.answers.exchange import Exchange
from reception.appointed import links, replies
from reception.petitions.models import Petition

MOST = 4  # texts in answer to one


def standing(x: Exchange) -> replies.Standing:
    return replies.standing(x.session, x.caller.ids, now=x.now)


def when(x: Exchange, slot: Slot) -> str:
    return moment(slot.starts_at, x.caller.language, x.settings.timezone)


def meant_offer(x: Exchange, offers: Sequence[Offer]) -> Offer | None:
    """The offer that this text answers; None where it is in doubt."""
    out = meant.texted(x.session, x.text.from_number, now=x.now)
    found = rules.meant([offer.id for offer in offers], out, at=x.text.received_at)
    return next((offer for offer in offers if offer.id == found), None)


def really_cancel(x: Exchange, appointment: Appointment) -> str:
    inbound.ask(x.dialogue, understand.ASK_CANCEL, now=x.now, appointment=appointment.id)
    x.reply("reply_cancel_sure", when=when(x, appointment.slot))
    return rules.ASKED_CANCEL


def this_offer(x: Exchange, offers: Sequence[Offer]) -> str:
    """By its time where it is one; of several each with its own link."""
    if len(offers) > 1:
        for offer in offers[:MOST]:
            _with_link(x, "reply_which_offer", offer.appointment, offer.waiting.label)
        return rules.ASKED_WHICH
    (offer,) = offers
    inbound.ask(x.dialogue, understand.ASK_OFFER, now=x.now, offer=offer.id)
    x.reply("reply_offer_sure", case=offer.waiting.label, when=when(x, offer.slot))
    return rules.ASKED_OFFER


def which_appointment(x: Exchange, appointments: Sequence[Appointment]) -> str:
    for appointment in appointments[:MOST]:
        case = x.session.get_one(Petition, appointment.petition_id).case_number
        _with_link(x, "reply_which_appointment", appointment, case)
    return rules.ASKED_WHICH


def offer_or_cancel(x: Exchange, offers: Sequence[Offer], appointment: Appointment) -> str:
    """Both by words of their own: a bare “yes” is neither."""
    if len(offers) > 1:
        return this_offer(x, offers)
    inbound.ask(x.dialogue, understand.ASK_EITHER, now=x.now, appointment=appointment.id)
    x.reply("reply_offer_or_cancel", offer=_short(x, offers[0].slot), when=_short(x, appointment.slot))
    return rules.ASKED_EITHER


def _short(x: Exchange, slot: Slot) -> str:
    return When(slot.starts_at, x.settings.timezone).said(x.caller.language)


def _with_link(x: Exchange, template: str, appointment: Appointment, case: str) -> None:
    token = links.make(x.session, appointment.id, now=x.now)
    link = f"{x.settings.url}/a/{token}"
    x.reply(template, about=appointment.id, secret=token, case=case, when=_short(x, appointment.slot), link=link)
