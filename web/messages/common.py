"""What the pages of texts share: who may see what, the tabs, and words of states."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import Select, select

from core.calendar import digits
from core.errors import Refused
from core.language import N_
from core.staff.models import Staff
from core.staff.rules import ADMIN, AIDE, HOTLINE, MANAGER
from messaging.inbound import service as inbound
from messaging.models import Message
from reception import access
from reception.petitions.models import Petition
from web.forms import Form
from web.http import Context, staff

readers = staff(AIDE, MANAGER, HOTLINE, ADMIN)
keepers = staff(AIDE, ADMIN)  # of words, campaigns and the pilot: any two of them are the two persons
answerers = staff(AIDE, HOTLINE)  # who reads what people write

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


def within(ctx: Context) -> Select[str] | None:
    """The cases whose texts a manager may see; None where no such border applies."""
    if ctx.staff.roles & {AIDE, HOTLINE, ADMIN}:
        return None
    return access.visible(select(Petition.id), ctx.staff)


def body(ctx: Context, message: Message) -> str:
    """The text; for an administrator without the part of a link that opens a case."""
    return re.sub(r"(https?://\S+/)[^\s/]+", r"\1••••", message.body) if discreet(ctx.staff) else message.body


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
