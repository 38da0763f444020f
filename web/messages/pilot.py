"""The pilot: which numbers get real texts, and what is held back for all others."""

from starlette.responses import Response

from core import audit
from core.staff.models import Staff
from core.staff.rules import AIDE
from messaging import allowed, service
from messaging.rules import masked
from reception.visitors import rules as visitors
from web.forms import Form
from web.http import Context, Pages
from web.messages.common import covered, keepers, tabs, trying
from web.messages.outbox import shown
from web.messages.titles import TITLES

pages = Pages()


@pages.get("/messages/pilot", audience=keepers)
def pilot(ctx: Context) -> Response:
    return _page(ctx, Form(ctx))


@pages.post("/messages/pilot/numbers", audience=keepers)
def allow(ctx: Context) -> Response:
    """Added numbers get what was held for them, too."""
    form = Form(ctx)
    note = form.text("note", max=120)
    number = ""
    with form.catch("number"):
        number = visitors.phone(str(ctx.form.get("number") or ""))
    if not form.errors:
        with trying(ctx, form):
            allowed.allow(ctx.session, number, note=note, by=ctx.staff.id, now=ctx.now)
    if form.errors:
        return _page(ctx, form, status=422)
    ctx.flash(ctx._("This number gets real texts from now on."))
    return ctx.redirect("/messages/pilot")


@pages.post("/messages/pilot/numbers/remove", audience=keepers)
def disallow(ctx: Context) -> Response:
    allowed.disallow(ctx.session, str(ctx.form.get("number") or ""), by=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("This number gets no real texts any more."))
    return ctx.redirect("/messages/pilot")


@pages.post("/messages/pilot/{message_id}/release", audience=keepers)
def release(ctx: Context) -> Response:
    message = service.release(ctx.session, ctx.path("message_id"), now=ctx.now)
    audit.note(ctx.session, "release text", "message", message.id, now=ctx.now)
    ctx.flash(ctx._("The text leaves now."))
    return ctx.redirect("/messages/pilot")


@pages.post("/messages/pilot/{message_id}/drop", audience=keepers)
def drop(ctx: Context) -> Response:
    message = service.drop(ctx.session, ctx.path("message_id"), now=ctx.now)
    audit.note(ctx.session, "drop text", "message", message.id, now=ctx.now)
    ctx.flash(ctx._("The text is taken back."))
    return ctx.redirect("/messages/pilot")


def _page(ctx: Context, form: Form, *, status: int = 200) -> Response:
    rows = allowed.numbers(ctx.session)
    plain = AIDE in ctx.staff.roles  # an administrator keeps the list, whatever else they are
    people = {row.added_by: ctx.session.get(Staff, row.added_by) for row in rows}
    return ctx.render(
        "messages/pilot.html",
        status=status,
        tab_items=tabs(ctx, "/messages/pilot"),
        on=ctx.settings.sms_pilot,
        held=[
            shown(ctx, message) | ({} if plain else {"to": masked(message.to_number), "body": covered(message.body)})
            for message in service.held(ctx.session)
        ],
        titles=TITLES,
        numbers=[
            {
                "number": row.number,
                "shown": row.number if plain else masked(row.number),
                "note": row.note,
                "by": person.name(ctx.lang) if (person := people[row.added_by]) else "",
                "at": row.added_at,
            }
            for row in rows
        ],
        form=form,
    )
