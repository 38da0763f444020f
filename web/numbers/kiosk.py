"""At the kiosk: an identity number, then the code that went to the phone on file. Nobody learns who is known here.

The device forgets the visitor with the end of the page's minutes, or as soon as the next one starts again. What it
keeps meanwhile is sealed and of one length: whoever is known and whoever is not look alike, in the answers, in what the
device holds, and in how often may be asked.
"""

from datetime import timedelta

from sqlalchemy.orm import Session
from starlette.responses import Response

from core.errors import Mistake, Refused
from core.ids import new_id
from core.staff.rules import source_of
from messaging.numbers import codes, rules, service
from messaging.rules import can_be_written_to
from reception.visitors import service as visitors
from reception.visitors.models import Visitor
from web.appointment.guesses import Guesses
from web.forms import Form
from web.http import Context, Pages, everyone
from web.kiosk.steps import Step, step_of
from web.numbers import sealed

pages = Pages()
KEY, SEAL = "codes of numbers", "who verifies a number at a kiosk"
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
    if guesses.too_often(_asker(step), now=ctx.now):
        form.add("", ctx._("That was asked too often. Please call a member of staff."))
        return _show(step, form, "ask", status=429)
    if visitor is not None and can_be_written_to(visitor.phone):
        try:
            with ctx.session.begin_nested():
                codes.ask(
                    ctx.session,
                    visitor.phone,
                    owner_id=visitor.id,
                    device=f"kiosk:{step.centre.code}:{source_of(_asker(step))}",
                    place=rules.KIOSK,
                    language=ctx.lang,
                    key=ctx.settings.key(KEY),
                    now=ctx.now,
                )
        except Refused:  # one is on its way already; to say so would tell that somebody is known
            pass
    asked = visitor.id if visitor is not None else new_id()  # nobody's
    kept = sealed.seal(f"{asked}.{int((ctx.now + VALID).timestamp())}", ctx.settings.key(SEAL))
    _cookie(ctx, step, kept, int(VALID.total_seconds()))
    return ctx.redirect(step.address("number/code"))


@pages.get("/kiosk/{centre}/number/code", audience=everyone)
def code(ctx: Context) -> Response:
    step = step_of(ctx)
    if _asked(ctx) is None:
        return ctx.redirect(step.address("number"))
    return _show(step, Form(ctx), "code", wrong="wrong" in ctx.query)


@pages.post("/kiosk/{centre}/number/code", audience=everyone)
def check(ctx: Context) -> Response:
    """A wrong try is counted, so it redirects: an error page would take the counting back. Spent, late, never sent or
    wrong look alike: the difference would tell that somebody is known."""
    step, asked = step_of(ctx), _asked(ctx)
    if asked is None:
        return ctx.redirect(step.address("number"))
    visitor = ctx.session.get(Visitor, asked)
    if visitor is not None and _checked(ctx.session, ctx, visitor) == codes.RIGHT:
        service.welcome_campaigns(ctx.session, visitor.phone, bool(ctx.form.get("campaigns")), now=ctx.now)
        _cookie(ctx, step, "", 0)
        return ctx.redirect(step.address("number/done"))
    return ctx.redirect(step.address("number/code") + "&wrong=1")


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


def _show(step: Step, form: Form, stage: str, *, status: int = 200, wrong: bool = False) -> Response:
    return step.show("number", status=status, form=form, stage=stage, wrong=wrong, current=0)


def _asker(step: Step) -> str:
    """The device of the centre, or else the address that asks."""
    if step.kiosk is not None:
        return step.kiosk.id
    return step.ctx.request.client.host if step.ctx.request.client else ""


def _asked(ctx: Context) -> str | None:
    """Whom this device asked for, known or not, if that is not too long ago."""
    said = sealed.opened(ctx.request.cookies.get(COOKIE, ""), ctx.settings.key(SEAL))
    visitor_id, _, until = (said or "").partition(".")
    return visitor_id if until and ctx.now.timestamp() < int(until) else None


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
