"""One list, the most pressing first: a manager's own centre, the office all of them.

Beside it whoever is to be called about a secret case: the hotline, which calls about all others, knows nothing of it.
"""

from starlette.responses import Response

from core import audit
from core.staff.models import Staff
from core.staff.rules import AIDE, HOTLINE, MANAGER, OFFICIAL
from reception import access
from reception.centres import service as centres
from reception.hotline import concerns, rules, service
from reception.hotline.models import Concern
from reception.hotline.states import CONCERN_NAMES, WITH_CENTRE
from reception.petitions.models import Petition
from web.forms import Form
from web.hotline import calling
from web.http import Context, Pages, staff

pages = Pages()
READERS = staff(MANAGER, AIDE, OFFICIAL)
CALLERS = staff(MANAGER, AIDE)


@pages.get("/concerns", audience=READERS)
def index(ctx: Context) -> Response:
    return _page(ctx, Form(ctx))


@pages.post("/concerns/call-backs/{id}", audience=CALLERS)
def called_back(ctx: Context) -> Response:
    task, form = service.one(ctx.session, ctx.path("id"), ctx.staff), Form(ctx)
    if not calling.called(ctx, form, task):
        return _page(ctx, form, open_call_back=task.id, status=422)
    return ctx.redirect("/concerns")


@pages.post("/concerns/call-backs/{id}/drop", audience=CALLERS)
def give_up(ctx: Context) -> Response:
    task, form = service.one(ctx.session, ctx.path("id"), ctx.staff), Form(ctx)
    if not calling.given_up(ctx, form, task):
        return _page(ctx, form, open_call_back=task.id, status=422)
    return ctx.redirect("/concerns")


@pages.get("/concerns/call-backs/{id}", audience=CALLERS)
def call_left_behind(ctx: Context) -> Response:
    """Where a refused form leaves the browser."""
    service.one(ctx.session, ctx.path("id"), ctx.staff)
    return ctx.redirect("/concerns")


@pages.get("/concerns/call-backs/{id}/drop", audience=CALLERS)
def give_up_left_behind(ctx: Context) -> Response:
    return call_left_behind(ctx)


@pages.get("/concerns/{id}/{verb}", audience=READERS)
def left_behind(ctx: Context) -> Response:
    """Where a refused form leaves the browser."""
    concerns.concern_for(ctx.session, ctx.staff, ctx.path("id"))
    return ctx.redirect("/concerns")


@pages.post("/concerns/{id}/answer", audience=READERS)
def answer(ctx: Context) -> Response:
    """What was found out and done. Whoever complained is called by the hotline."""
    concern = concerns.concern_for(ctx.session, ctx.staff, ctx.path("id"))
    form = Form(ctx)
    text = form.text("answer", max=2000, lines=True)
    if form.errors:
        return _page(ctx, form, open_concern=concern.id, status=422)
    _require(ctx, concern)
    concerns.answer(ctx.session, concern.id, text=text, staff_id=ctx.staff.id, now=ctx.now)
    ctx.flash(
        ctx._("Answered. The hotline calls the visitor and tells it.") if concern.visitor_id else ctx._("Answered.")
    )
    return ctx.redirect("/concerns")


@pages.post("/concerns/{id}/raise", audience=READERS)
def escalate(ctx: Context) -> Response:
    concern = concerns.concern_for(ctx.session, ctx.staff, ctx.path("id"))
    _require(ctx, concern)
    concerns.escalate(ctx.session, concern.id, now=ctx.now)
    ctx.flash(ctx._("The minister's office has it before it now."))
    return ctx.redirect("/concerns")


def _require(ctx: Context, concern: Concern) -> None:
    if not concerns.may_answer(ctx.staff, concern):
        raise concerns.gone()


def _page(ctx: Context, form: Form, *, open_concern: str = "", open_call_back: str = "", status: int = 200) -> Response:
    done = "done" in ctx.query
    rows = concerns.seen_by(ctx.session, ctx.staff, answered=done)
    petitions = {row.petition_id: ctx.session.get(Petition, row.petition_id) for row in rows if row.petition_id}
    for petition_id in petitions:
        audit.note(ctx.session, "find", "petition", petition_id, now=ctx.now, detail={"at": "concerns"})
    return ctx.render(
        "concerns/index.html",
        status=status,
        rows=rows,
        done=done,
        petitions=petitions,
        open_case={key: access.may_see_petition(ctx.session, ctx.staff, key) for key in petitions},
        people={
            person: ctx.session.get(Staff, person)
            for row in rows
            for person in (row.raised_by, row.answered_by)
            if person
        },
        centre_of={place.id: place for place in centres.centres(ctx.session)},
        names=CONCERN_NAMES,
        abouts=rules.ABOUT,
        mine={row.id: concerns.may_answer(ctx.staff, row) for row in rows},
        with_centre=WITH_CENTRE,
        waiting=calling.waiting(ctx) if HOTLINE not in ctx.staff.roles else [],
        form=form,
        open_concern=open_concern,
        open_call_back=open_call_back,
        live=f"concerns:{ctx.staff.centre_id}" if MANAGER in ctx.staff.roles else "office",
    )
