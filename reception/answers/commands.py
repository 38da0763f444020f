"""What each command does. A verb that the rules refuse changes nothing and is answered with what is so instead."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from core import audit
from core.errors import NotFound, Refused
from core.language import N_
from messaging.inbound import rules as understand
from messaging.inbound import service as inbound
from messaging.inbound import words
from messaging.numbers import service as numbers
from queueing.appointments.models import Appointment
from reception.answers import asking, meant, rules
from reception.answers.exchange import Exchange
from reception.appointed import replies
from reception.centres.models import Centre
from reception.hotline import service as hotline
from reception.notify.texts import follow_link
from reception.petitions.models import Petition
from reception.petitions.states import SETTLED

CALL_REASON = N_("Asked by text to be called.")
WRITE_REASON = N_("Sent a text that no rule understands. It stands under Messages.")
AT = {"at": "text message"}
CITIES = 8  # named in a text; more would be a letter


def answered_question(x: Exchange, question: str, detail: dict[str, Any], *, since: datetime) -> str | None:
    """What the text is as an answer to the question that is open `since` then; None where it is something else."""
    if question == understand.ASK_CANCEL:
        return _answered_cancel(x, str(detail.get("appointment", "")), since=since)
    if question == understand.ASK_EITHER and x.command.name in (words.YES, words.NO):
        return _either(x, str(detail.get("appointment", "")))
    if question == understand.ASK_OFFER:
        return _answered_offer(x, str(detail.get("offer", "")), since=since)
    if question == understand.ASK_CITY and x.command.name == words.UNKNOWN:
        return centre(x)
    return None


def _answered_cancel(x: Exchange, appointment_id: str, *, since: datetime) -> str | None:
    """There is no way back: a “yes” that may have meant an offer, texted since the question, cancels nothing."""
    said = x.command.name
    if meant.texted_since(x.session, x.text.from_number, since - rules.READ_IN, now=x.now):
        return _either(x, appointment_id) if said in (words.YES, words.NO) else None
    if said in (words.ACCEPT, words.DECLINE) and asking.standing(x).offers:  # the words for an offer
        return None
    if said in (words.YES, words.CANCEL, words.ACCEPT):
        return _cancel(x, appointment_id)
    return _kept(x, appointment_id) if said in (words.NO, words.DECLINE, words.CONFIRM) else None


def _either(x: Exchange, appointment_id: str) -> str | None:
    ahead = asking.standing(x)
    appointment = _now_is(x, ahead, appointment_id)
    if appointment is None:
        return None
    if ahead.offers:
        return asking.offer_or_cancel(x, ahead.offers, appointment)
    return asking.really_cancel(x, appointment) if x.command.name == words.YES else _kept(x, appointment_id)


def _answered_offer(x: Exchange, offer_id: str, *, since: datetime) -> str | None:
    """The one that was named; not once it has ended, or another one was texted since."""
    if meant.texted_since(x.session, x.text.from_number, since, but=offer_id, now=x.now):
        return None
    if all(offer.id != offer_id for offer in asking.standing(x).offers):
        return None
    if x.command.name in (words.YES, words.ACCEPT):
        return _accept(x, offer_id)
    return _decline(x, offer_id) if x.command.name in (words.NO, words.DECLINE) else None


def help_(x: Exchange) -> str:
    x.dialogue.helped_at = x.now
    x.reply_with_phone("reply_help")
    return rules.HELPED


def unknown(x: Exchange) -> str:
    """Once a day what can be sent; after that a person reads. What somebody on file writes is read in any case."""
    first = not understand.helped_lately(x.dialogue.helped_at, now=x.now)
    x.needs_person = bool(x.caller.on_file) or not first
    if first:
        x.dialogue.helped_at = x.now
        x.reply_with_phone("reply_unknown")
    return rules.NOT_UNDERSTOOD


def start(x: Exchange) -> str:
    numbers.start(x.session, x.text.from_number, now=x.now)
    x.reply("reply_started")
    return rules.STARTED


def arabic(x: Exchange) -> str:
    return _language(x, "ar")


def english(x: Exchange) -> str:
    return _language(x, "en")


def status(x: Exchange) -> str:
    """The case that is named, or the one that last moved; only to whose it is."""
    if not x.caller.people:
        return _verify(x)
    wanted = select(Petition).where(Petition.visitor_id.in_(x.caller.ids))
    if x.command.case:
        wanted = wanted.where(Petition.case_number == x.command.case)
    petition = x.session.scalar(
        wanted.order_by(Petition.state.in_(SETTLED), Petition.changed_at.desc(), Petition.id.desc()).limit(1)
    )
    if petition is None:
        x.reply_with_phone("reply_no_case")
        return rules.NO_CASE
    audit.note(x.session, "read", "petition", petition.id, now=x.now, detail=AT)
    x.reply(
        "reply_status",
        case=petition.case_number,
        status=rules.status_words(petition.state, x.caller.language),
        link=follow_link(x.settings, petition),
    )
    return rules.STATUS


def confirm(x: Exchange) -> str:
    """The next appointment; without one, an offer that waits is meant."""
    if not x.caller.people:
        return _verify(x)
    ahead = asking.standing(x)
    if ahead.appointments:
        return _come(x, ahead)
    return accept(x) if ahead.offers else _none(x)


def yes(x: Exchange) -> str:
    """An offer runs out, an appointment doesn't: it is the offer that a bare “yes” answers."""
    if not x.caller.people:
        return _verify(x)
    return accept(x) if asking.standing(x).offers else confirm(x)


def no(x: Exchange) -> str:
    if not x.caller.people:
        return _verify(x)
    return decline(x) if asking.standing(x).offers else cancel(x)


def cancel(x: Exchange) -> str:
    """There is no way back from a cancelled time: it is named, and asked once more."""
    if not x.caller.people:
        return _verify(x)
    ahead = asking.standing(x)
    if not ahead.appointments:
        return decline(x) if ahead.offers else _none(x)
    return _ask_cancel(x, ahead)


def move(x: Exchange) -> str:
    """To choose another time one must see the free ones: the link goes out in a text of its own."""
    if not x.caller.people:
        return _verify(x)
    ahead = asking.standing(x)
    if not ahead.appointments:
        return _none(x)
    if ahead.only_appointment is None:
        return asking.which_appointment(x, ahead.appointments)
    try:
        with x.session.begin_nested():
            replies.send_link(x.session, x.caller.ids, ahead.only_appointment.id, now=x.now, settings=x.settings)
    except (NotFound, Refused):
        return _none(x)
    return rules.LINK


def accept(x: Exchange) -> str:
    """The offer that was read; without one, an appointment is meant."""
    if not x.caller.people:
        return _verify(x)
    ahead = asking.standing(x)
    if not ahead.offers:
        return _come(x, ahead) if ahead.appointments else _no_offer(x)
    offer = asking.meant_offer(x, ahead.offers)
    return _accept(x, offer.id) if offer else asking.this_offer(x, ahead.offers)


def decline(x: Exchange) -> str:
    if not x.caller.people:
        return _verify(x)
    ahead = asking.standing(x)
    if not ahead.offers:
        return _no_offer(x)
    offer = asking.meant_offer(x, ahead.offers)
    return _decline(x, offer.id) if offer else asking.this_offer(x, ahead.offers)


def centre(x: Exchange) -> str:
    """Nobody's secret: anybody may ask where a centre is."""
    centres = list(x.session.scalars(select(Centre).where(Centre.active).order_by(Centre.code)))
    lang = x.caller.language
    found = rules.named_place(x.command.rest, centres) or (centres[0] if len(centres) == 1 else None)
    if found is not None:
        x.reply("reply_centre", place=f"{found.name(lang)}، {found.place(lang)}" if lang == "ar" else
                f"{found.name(lang)}, {found.place(lang)}", phone=x.settings.hotline_number)  # fmt: skip
        return rules.CENTRE
    if not centres:
        return help_(x)
    inbound.ask(x.dialogue, understand.ASK_CITY, now=x.now)
    joint = "، " if lang == "ar" else ", "
    x.reply("reply_which_city", places=joint.join(rules.short_names([one.name(lang) for one in centres[:CITIES]])))
    return rules.ASKED_CITY


def call(x: Exchange) -> str:
    """On the hotline's list where it is known whom to call; else a person looks at the text."""
    if x.caller.on_file:
        person = (x.caller.people or x.caller.on_file)[0]
        hotline.call_back(
            x.session,
            visitor_id=person.id,
            reason=CALL_REASON,
            unique_key=f"text:{person.id}:{x.now.date().isoformat()}",
            now=x.now,
        )
    else:
        x.needs_person = True
    x.reply_with_phone("reply_call")
    return rules.CALL


COMMANDS: dict[str, Callable[[Exchange], str]] = {
    words.HELP: help_,
    words.EMPTY: help_,
    words.LANGUAGE: help_,
    words.UNKNOWN: unknown,
    words.START: start,
    words.ARABIC: arabic,
    words.ENGLISH: english,
    words.STATUS: status,
    words.CONFIRM: confirm,
    words.YES: yes,
    words.NO: no,
    words.CANCEL: cancel,
    words.MOVE: move,
    words.ACCEPT: accept,
    words.DECLINE: decline,
    words.CENTRE: centre,
    words.CALL: call,
}


def _language(x: Exchange, lang: str) -> str:
    """Of this number, and of everybody's record that has it: their notices come in it from now on."""
    numbers.set_language(x.session, x.text.from_number, lang, now=x.now)
    for person in x.caller.on_file:
        if person.language != lang:
            person.language = lang
            audit.note(x.session, "change", "visitor", person.id, now=x.now, detail={"fields": ["language"], **AT})
    x.reply("reply_language", language=lang)
    return rules.LANGUAGE


def _verify(x: Exchange) -> str:
    x.reply("reply_verify", link=f"{x.settings.url}/follow")
    return rules.UNVERIFIED


def _accept(x: Exchange, offer_id: str) -> str:
    """The confirmation of the booking, which leaves by itself, is the answer."""
    try:
        with x.session.begin_nested():
            replies.accept(x.session, x.caller.ids, offer_id, now=x.now)
    except (NotFound, Refused):
        return _no_offer(x)
    return rules.ACCEPTED


def _decline(x: Exchange, offer_id: str) -> str:
    try:
        with x.session.begin_nested():
            replies.decline(x.session, x.caller.ids, offer_id, now=x.now)
    except (NotFound, Refused):
        return _no_offer(x)
    x.reply("reply_declined")
    return rules.DECLINED


def _come(x: Exchange, ahead: replies.Standing) -> str:
    appointment = ahead.only_appointment
    if appointment is None:
        return asking.which_appointment(x, ahead.appointments)
    try:
        with x.session.begin_nested():
            replies.come(x.session, x.caller.ids, appointment.id, now=x.now)
    except (NotFound, Refused):
        return _none(x)
    x.reply("reply_confirmed", when=asking.when(x, appointment.slot))
    return rules.CONFIRMED


def _cancel(x: Exchange, appointment_id: str) -> str:
    """The text of every cancellation, which leaves by itself, is the answer."""
    try:
        with x.session.begin_nested():
            replies.cancel(x.session, x.caller.ids, appointment_id, now=x.now)
    except (NotFound, Refused):
        ahead = asking.standing(x)
        now_is = _now_is(x, ahead, appointment_id)
        if now_is is not None:
            return asking.really_cancel(x, now_is)
        return _ask_cancel(x, ahead) if ahead.appointments else _none(x)
    return rules.CANCELLED


def _kept(x: Exchange, appointment_id: str) -> str:
    appointment = _now_is(x, asking.standing(x), appointment_id)
    if appointment is None:
        return _none(x)
    x.reply("reply_kept", when=asking.when(x, appointment.slot))
    return rules.KEPT


def _ask_cancel(x: Exchange, ahead: replies.Standing) -> str:
    if ahead.only_appointment is None:
        return asking.which_appointment(x, ahead.appointments)
    return asking.really_cancel(x, ahead.only_appointment)


def _now_is(x: Exchange, ahead: replies.Standing, appointment_id: str) -> Appointment | None:
    """What stands for the appointment that was asked about: itself, or what it was moved to in the meantime."""
    asked = x.session.get(Appointment, appointment_id)
    if asked is None:
        return None
    return next((row for row in ahead.appointments if row.petition_id == asked.petition_id), None)


def _none(x: Exchange) -> str:
    x.reply_with_phone("reply_no_appointment")
    return rules.NO_APPOINTMENT


def _no_offer(x: Exchange) -> str:
    x.reply_with_phone("reply_no_offer")
    return rules.NO_OFFER
