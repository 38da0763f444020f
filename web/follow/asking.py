"""`/follow`: a case number and the telephone that stands in the case, then the code that was sent to it.

Whoever asks learns nothing from the answer: a code is said to be on its way whether these two belong together or not,
every ask counts towards the address's measure, and a code that opens nothing is told in one sentence, whatever the
reason.
"""

import hmac
import re
from datetime import timedelta

from starlette.responses import Response

from core.errors import Refused
from core.staff.rules import source_of
from core.text import latin_digits
from messaging.numbers import codes
from messaging.numbers.rules import PORTAL
from reception.parties import service as parties
from reception.petitions import service
from reception.petitions.models import Petition
from reception.visitors import rules as visitor_rules
from reception.visitors.models import Visitor
from web.appointment.guesses import Guesses
from web.follow.opened import open_here
from web.forms import Form
from web.http import Context, Pages, everyone

pages = Pages()
COOKIE = "majlis_follow_asked"
VALID = timedelta(minutes=10)
guesses = Guesses()


@pages.get("/follow", audience=everyone)
def ask(ctx: Context) -> Response:
    return _page(ctx, "follow/ask.html", form=Form(ctx))


@pages.post("/follow", audience=everyone)
def send(ctx: Context) -> Response:
    form = Form(ctx)
    number = case_number(form.values.get("case", ""))
    if not number:
        form.add("case", ctx._("A case number looks like 48-000123. It stands on your receipt."))
    phone = ""
    with form.catch():
        phone = visitor_rules.phone(form.values.get("phone", ""))
    if form.errors:
        return _page(ctx, "follow/ask.html", form=form, status=422)
    if guesses.too_often(_address(ctx), now=ctx.now):  # asked before anything is looked up
        form.add("case", ctx._("That was asked too often. Please wait a quarter of an hour, or call the free hotline."))
        return _page(ctx, "follow/ask.html", form=form, status=429)
    found = _known(ctx, number, phone)
    if found is not None:
        _, visitor = found
        try:
            with ctx.session.begin_nested():
                codes.ask(
                    ctx.session,
                    phone,
                    owner_id=visitor.id,
                    device=f"address:{source_of(_address(ctx))}",
                    place=PORTAL,
                    language=ctx.lang,
                    key=ctx.settings.key("codes of numbers"),
                    now=ctx.now,
                )
        except Refused:  # one is on its way already; to say so would tell that the two belong together
            pass
    until = str(int((ctx.now + VALID).timestamp()))
    said = f"{number}.{phone.removeprefix('+')}.{until}"
    ctx.cookies.append(
        {
            "key": COOKIE,
            "value": f"{said}.{_signature(ctx, said)}",
            "max_age": int(VALID.total_seconds()),
            "path": "/follow",
            "httponly": True,
            "samesite": "lax",
            "secure": ctx.settings.secure_cookies,
        }
    )
    return ctx.redirect("/follow/code")


@pages.get("/follow/code", audience=everyone)
def code(ctx: Context) -> Response:
    if _asked(ctx) is None:
        return ctx.redirect("/follow")
    return _page(ctx, "follow/code.html", form=Form(ctx), asked=_asked(ctx), wrong="wrong" in ctx.query)


@pages.post("/follow/code", audience=everyone)
def check(ctx: Context) -> Response:
    """A wrong try is counted, so it redirects: an error page would take the counting back. Spent, late, never sent or
    wrong look alike: the difference would tell that the two belong together."""
    asked = _asked(ctx)
    if asked is None:
        ctx.flash(ctx._("The time for this code is over. Please ask for a new one."), "wait")
        return ctx.redirect("/follow")
    found = _known(ctx, *asked)
    if found is not None:
        petition, visitor = found
        result = codes.check(
            ctx.session,
            asked[1],
            owner_id=visitor.id,
            typed=str(ctx.form.get("code") or ""),
            key=ctx.settings.key("codes of numbers"),
            now=ctx.now,
        )
        if result == codes.RIGHT:
            open_here(ctx, petition, by=visitor)
            return ctx.redirect(f"/p/{petition.follow_code}")
    return ctx.redirect("/follow/code?wrong=1")


def case_number(text: str) -> str:
    """`48-000123` as it may be typed: either script, without its dash, without its zeros. Empty for none."""
    typed = re.sub(r"[\s\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", latin_digits(text)).replace("–", "-")
    if re.fullmatch(r"\d{8}", typed):
        return f"{typed[:2]}-{typed[2:]}"
    found = re.fullmatch(r"(\d{2})[-/](\d{1,6})", typed)
    return f"{found[1]}-{int(found[2]):06d}" if found else ""


def _known(ctx: Context, number: str, phone: str) -> tuple[Petition, Visitor] | None:
    petition = service.by_case_number(ctx.session, number)
    if petition is None:
        return None
    visitor = parties.follower(ctx.session, petition, phone, now=ctx.now)
    return (petition, visitor) if visitor is not None else None


def _asked(ctx: Context) -> tuple[str, str] | None:
    """What this device asked for, if that is not too long ago."""
    said, _, signature = ctx.request.cookies.get(COOKIE, "").rpartition(".")
    if not said or not hmac.compare_digest(signature.encode(), _signature(ctx, said).encode()):
        return None
    number, phone, until = said.split(".")
    return (number, f"+{phone}") if ctx.now.timestamp() < int(until) else None


def _signature(ctx: Context, said: str) -> str:
    return hmac.digest(ctx.settings.key("what was asked to follow"), said.encode(), "sha256").hex()


def _address(ctx: Context) -> str:
    return ctx.request.client.host if ctx.request.client else ""


def _page(ctx: Context, template: str, *, status: int = 200, **values: object) -> Response:
    response = ctx.render(template, status=status, **values)
    response.headers["x-robots-tag"] = "noindex, nofollow, noarchive"
    return response
