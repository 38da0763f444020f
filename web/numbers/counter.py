"""`/phone/{petition}`: the clerk has seen the identity card; the visitor reads the code out from the phone."""

from starlette.responses import Response

from core import audit
from core.errors import Mistake
from core.staff.rules import AIDE, HOTLINE, MANAGER, RECEPTIONIST, VERIFIER
from messaging.numbers import codes, rules, service
from messaging.rules import can_be_written_to
from reception.petitions.models import Petition
from web.cases import door
from web.forms import Form
from web.http import Context, Pages, staff
from web.messages.common import trying

pages = Pages()
clerks = staff(RECEPTIONIST, VERIFIER, MANAGER, HOTLINE, AIDE)
KEY = "codes of numbers"


@pages.get("/phone/{petition_id}", audience=clerks)
def show(ctx: Context) -> Response:
    return _page(ctx, _petition(ctx), Form(ctx))


@pages.post("/phone/{petition_id}/send", audience=clerks)
def send(ctx: Context) -> Response:
    petition, form = _petition(ctx), Form(ctx)
    visitor = petition.visitor
    with trying(ctx, form):
        if not can_be_written_to(visitor.phone):
            raise Mistake("This is not a complete phone number with its country code.")
        codes.ask(
            ctx.session,
            visitor.phone,
            owner_id=visitor.id,
            device=f"staff:{ctx.staff.id}",
            place=rules.COUNTER,
            language=visitor.language,
            key=ctx.settings.key(KEY),
            now=ctx.now,
        )
    if form.errors:
        return _page(ctx, petition, form, status=422)
    ctx.flash(ctx._("The code is on its way. Ask the visitor to read it out."), "info")
    return ctx.redirect(f"/phone/{petition.id}")


@pages.post("/phone/{petition_id}/check", audience=clerks)
def check(ctx: Context) -> Response:
    """A wrong try is counted, so it redirects: an error page would take the counting back."""
    petition = _petition(ctx)
    visitor = petition.visitor
    result = codes.check(
        ctx.session,
        visitor.phone,
        owner_id=visitor.id,
        typed=str(ctx.form.get("code") or ""),
        key=ctx.settings.key(KEY),
        by_staff=ctx.staff.id,
        now=ctx.now,
    )
    if result == codes.RIGHT:
        service.welcome_campaigns(ctx.session, visitor.phone, bool(ctx.form.get("campaigns")), now=ctx.now)
        ctx.flash(ctx._("The number is verified."))
    elif result == codes.WRONG:
        ctx.flash(ctx._("That was not the code. Please compare it with the phone."), "wait")
    else:
        ctx.flash(ctx._("This code opens nothing any more. Please send a new one."), "wait")
    return ctx.redirect(f"/phone/{petition.id}")


def _petition(ctx: Context) -> Petition:
    return door.case_of(ctx, ctx.path("petition_id"))


def _page(ctx: Context, petition: Petition, form: Form, *, status: int = 200) -> Response:
    visitor = petition.visitor
    audit.note(ctx.session, "read", "visitor", visitor.id, now=ctx.now)
    return ctx.render(
        "numbers/counter.html",
        status=status,
        petition=petition,
        visitor=visitor,
        verified=service.verified(ctx.session, visitor.phone, visitor.id),
        waiting=codes.waiting(ctx.session, visitor.phone, visitor.id, now=ctx.now),
        wishes=service.known(ctx.session, visitor.phone),
        form=form,
    )
