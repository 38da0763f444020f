"""What the pages of texts share: who may see what, the tabs, and what is covered."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from core.calendar import digits
from core.errors import Refused
from core.language import N_
from core.staff.models import Staff
from core.staff.rules import ADMIN, AIDE, HOTLINE, MANAGER
from messaging.inbound import service as inbound
from messaging.inbound.models import InboundAnswer
from messaging.models import InboundText, Message
from messaging.numbers.models import VerifiedNumber
from messaging.templates import REPLY
from reception import access
from reception.answers import rules as answers
from reception.petitions.models import Petition
from reception.visitors.models import Visitor
from web.forms import Form
from web.http import Context, staff

readers = staff(AIDE, MANAGER, HOTLINE, ADMIN)
keepers = staff(AIDE, ADMIN)  # of words, campaigns and the pilot: any two of them are the two persons
answerers = staff(AIDE, HOTLINE)  # who reads what people write

CASE = "petition"  # the subject of a text about a case
NAMELESS = (
    "reply_help", "reply_unknown", "reply_verify", "reply_no_case", "reply_no_appointment", "reply_no_offer",
    "reply_centre", "reply_which_city", "reply_language", "reply_stopped", "reply_started", "reply_call",
    "reply_too_many",
)  # fmt: skip
"""Answers to texts that tell of no case. Others may, and stand under the text that they answer, not under a case."""
OF_NO_CASE = (
    answers.STOPPED, answers.STARTED, answers.LANGUAGE, answers.HELPED, answers.TOO_MANY, answers.IGNORED,
    answers.NO_CASE, answers.UNVERIFIED, answers.NO_APPOINTMENT, answers.NO_OFFER, answers.CENTRE, answers.ASKED_CITY,
    answers.CALL, answers.NOT_UNDERSTOOD,
)  # fmt: skip
"""What may come of anybody's text. All else comes only where there is a case."""

CURRENCIES = {"SAR": N_("SAR")}  # as it stands behind an amount; others as the settings write them

_TABS = (
    ("/messages", N_("Outgoing"), "message", readers),
    ("/messages/inbox", N_("Incoming"), "inbox", answerers),
    ("/messages/campaigns", N_("Campaigns"), "users", keepers),
    ("/messages/texts", N_("Words"), "edit", keepers),
    ("/messages/gateways", N_("Gateways"), "signal", readers),
    ("/messages/pilot", N_("Pilot"), "shield", keepers),
)


def tabs(ctx: Context, here: str) -> list[dict[str, object]]:
    waiting = inbound.waiting(ctx.session) if answerers.admits(ctx.staff) else 0
    return [
        {
            "href": href,
            "label": ctx._(label),
            "icon": icon,
            "current": href == here,
            **({"count": waiting} if href == "/messages/inbox" and waiting else {}),
        }
        for href, label, icon, audience in _TABS
        if audience.admits(ctx.staff)
    ]


def discreet(person: Staff) -> bool:
    """An administrator who is nothing else: looks after the delivery, not after people."""
    return not person.roles & {AIDE, MANAGER, HOTLINE}


def keyless(person: Staff) -> bool:
    """Who gets no link to a case: it opens the page as its visitor, and an agent asks a caller first who they are.

    The office and a manager see the case itself.
    """
    return AIDE not in person.roles and bool(person.roles & {HOTLINE, ADMIN})


def within(ctx: Context) -> ColumnElement[bool] | None:
    """Which texts this person may see, as a condition on Message; None where no border applies.

    A manager those of the cases they see. The hotline all but those of cases that are hidden from it, and but answers
    to a number whose owner has such a case: what they tell is not filed under it.
    """
    if AIDE in ctx.staff.roles or discreet(ctx.staff):
        return None
    seen = access.visible(select(Petition.id).where(Petition.id == Message.subject_id), ctx.staff)
    of_cases = and_(Message.subject_kind == CASE, seen.correlate(Message).exists())
    if HOTLINE not in ctx.staff.roles:
        return of_cases
    may_tell = and_(Message.message_class == REPLY, Message.template.not_in(NAMELESS))
    told = and_(may_tell, _has_hidden(ctx, Message.to_number))
    return or_(of_cases, and_(Message.subject_kind != CASE, ~told))


def heard(ctx: Context) -> ColumnElement[bool] | None:
    """Which texts of people this person may read, as a condition on InboundText with its answer; None: all of them.

    What waits for a person is read by whoever answers, whatever it tells. What a rule has answered shows, by the
    answer, that there is a case: it is left out where the number's owner has a hidden one.
    """
    if AIDE in ctx.staff.roles:
        return None
    plain = or_(InboundAnswer.outcome.is_(None), InboundAnswer.needs_person, InboundAnswer.outcome.in_(OF_NO_CASE))
    return or_(plain, ~_has_hidden(ctx, InboundText.from_number))


def _has_hidden(ctx: Context, number: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether somebody with this number has a case that is hidden from the reader."""
    on_file = select(Visitor.id).where(Visitor.phone == number)
    owners = select(VerifiedNumber.owner_id).where(VerifiedNumber.number == number)
    theirs = or_(
        Petition.visitor_id.in_(on_file.correlate(number.class_)),
        Petition.visitor_id.in_(owners.correlate(number.class_)),
    )
    return access.hidden(select(Petition.id).where(theirs), ctx.staff).correlate(number.class_).exists()


def body(ctx: Context, message: Message) -> str:
    """The text; for who gets no key, without the part of a link that opens a case."""
    return covered(message.body) if keyless(ctx.staff) else message.body


def covered(text: str) -> str:
    return re.sub(r"(https?://\S+/)[^\s/]+", r"\1••••", text)


def money(ctx: Context, amount: Decimal) -> str:
    """What it costs, in the reader's digits; nothing where no price is set."""
    if not amount:
        return ""
    shown = str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))
    currency = ctx.settings.sms_currency
    return f"{digits(shown, ctx.lang)} {ctx._(CURRENCIES.get(currency, currency))}"


def page_number(ctx: Context) -> int:
    asked = ctx.query.get("page", "1")
    return max(int(asked), 1) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1


@contextmanager
def trying(ctx: Context, form: Form) -> Iterator[None]:
    """A Mistake stands beside its field; a Refused above the form, which keeps what was typed."""
    try:
        with form.catch():
            yield
    except Refused as refusal:
        form.add("", ctx.say(refusal))
