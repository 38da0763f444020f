"""At the kiosk: an identity number, then the code that went to the phone on file. Nobody learns who is known here.

The device forgets the visitor with the end of the page's minutes, or as soon as the next one starts again.
"""

import hmac
from datetime import timedelta
from hashlib import sha256

from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import Mistake, Refused
from messaging.numbers import codes, rules, service
from messaging.rules import can_be_written_to
from reception.visitors import service as visitors
from reception.visitors.models import Visitor
from web.appointment.guesses import Guesses
from web.forms import Form
from web.http import Context, Pages, everyone
from web.kiosk.steps import Step, step_of

pages = Pages()
KEY = "codes of numbers"
COOKIE = "majlis_kiosk_number"
VALID = timedelta(minutes=5)
guesses = Guesses()


@pages.get("/kiosk/{centre}/number", audience=everyone)
def ask(ctx: Context) -> Response:
    return _show(step_of(ctx), Form(ctx), "ask")


@pages.post("/kiosk/{centre}/number", audience=everyone)
def send(ctx: Context) -> Response:
    """The same answer for whoever is known and whoever is not."""
    step, form = step_of(ctx), Form(ctx)
    try:
        visitor = visitors.by_identity_number(ctx.session, str(ctx.form.get("identity_number") or ""))
    except Mistake as mistake:
        form.add("identity_number", ctx.say(mistake))
        return _show(step, form, "ask", status=422)
    if visitor is not None and can_be_written_to(visitor.phone):
        try:
            with ctx.session.begin_nested():
                codes.ask(
                    ctx.session,
                    visitor.phone,
                    owner_id=visitor.id,
                    device=_device(step),
                    place=rules.KIOSK,
                    language=ctx.lang,
                    key=ctx.settings.key(KEY),
                    now=ctx.now,
                )
        except Refused:  # one is on its way already; to say so would tell that somebody is known
            pass
    elif guesses.missed(_device(step), now=ctx.now):
        form.add("", ctx._("That was asked too often. Please call a member of staff."))
        return _show(step, form, "ask", status=429)
    until = str(int((ctx.now + VALID).timestamp()))
    said = f"{visitor.id if visitor else '-'}.{until}"
    _cookie(ctx, step, f"{said}.{_signature(ctx, said)}", int(VALID.total_seconds()))
    return ctx.redirect(step.address("number/code"))


@pages.get("/kiosk/{centre}/number/code", audience=everyone)
def code(ctx: Context) -> Response:
    step = step_of(ctx)
    if _asked(ctx) is None:
        return ctx.redirect(step.address("number"))
    return _show(step, Form(ctx), "code", wrong=ctx.query.get("wrong", ""))


@pages.post("/kiosk/{centre}/number/code", audience=everyone)
def check(ctx: Context) -> Response:
    """A wrong try is counted, so it redirects: an error page would take the counting back."""
    step, asked = step_of(ctx), _asked(ctx)
    if asked is None:
        return ctx.redirect(step.address("number"))
    visitor = ctx.session.get(Visitor, asked)
    result = codes.WRONG
    if visitor is not None:
        result = _checked(ctx.session, ctx, visitor)
    if result == codes.RIGHT and visitor is not None:
        service.welcome_campaigns(ctx.session, visitor.phone, bool(ctx.form.get("campaigns")), now=ctx.now)
        _cookie(ctx, step, "", 0)
        return ctx.redirect(step.address("number/done"))
    return ctx.redirect(step.address("number/code") + f"&wrong={'1' if result == codes.WRONG else 'over'}")


@pages.get("/kiosk/{centre}/number/done", audience=everyone)
def done(ctx: Context) -> Response:
    return _show(step_of(ctx), Form(ctx), "done")


def _checked(session: Session, ctx: Context, visitor: Visitor) -> str:
    return codes.check(
        session,
        visitor.phone,
        owner_id=visitor.id,
        typed=str(ctx.form.get("code") or ""),
        key=ctx.settings.key(KEY),
        now=ctx.now,
    )


def _show(step: Step, form: Form, stage: str, *, status: int = 200, wrong: str = "") -> Response:
    return step.show("number", status=status, form=form, stage=stage, wrong=wrong, current=0)


def _device(step: Step) -> str:
    address = step.ctx.request.client.host if step.ctx.request.client else ""
    return f"kiosk:{step.centre.code}:{step.kiosk.id if step.kiosk else address}"


def _asked(ctx: Context) -> str | None:
    said, _, signature = ctx.request.cookies.get(COOKIE, "").rpartition(".")
    if not said or not hmac.compare_digest(signature.encode(), _signature(ctx, said).encode()):
        return None
    visitor_id, _, until = said.partition(".")
    return visitor_id if ctx.now.timestamp() < int(until) else None


def _signature(ctx: Context, said: str) -> str:
    return hmac.digest(ctx.settings.key("who verifies a number at a kiosk"), said.encode(), sha256).hex()


def _cookie(ctx: Context, step: Step, value: str, seconds: int) -> None:
    ctx.cookies.append(
        {
            "key": COOKIE,
            "value": value,
            "max_age": seconds,
            "path": f"/kiosk/{step.centre.code}/number",
            "httponly": True,
            "samesite": "lax",
            "secure": ctx.settings.secure_cookies,
        }
    )
