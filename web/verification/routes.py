"""The queue of unchecked cases, and the check itself: identity, papers, type."""

from starlette.responses import Response

from core import audit
from core.staff.rules import VERIFIER
from reception import access
from reception.files import service as files
from reception.petitions import catalogue, queries, story, urgency
from reception.petitions.models import Petition
from web.cases.verbs import VERBS
from web.cases.view import show, told
from web.forms import Form
from web.http import Context, Pages, staff

pages = Pages()
ONLY = staff(VERIFIER)


@pages.get("/verification", audience=ONLY)
def index(ctx: Context) -> Response:
    waiting = queries.to_verify(ctx.session, ctx.staff)
    return _page(ctx, waiting[0] if waiting else None, waiting, Form(ctx))


@pages.get("/verification/{id}", audience=ONLY)
def one(ctx: Context) -> Response:
    petition = access.petition_for(ctx.session, ctx.staff, ctx.path("id"))
    return _page(ctx, petition, queries.to_verify(ctx.session, ctx.staff), Form(ctx))


@pages.post("/verification/{id}", audience=ONLY)
def decide(ctx: Context) -> Response:
    """Pass or return; a corrected type is taken over first, in the same step."""
    name = "return" if ctx.form.get("decision") == "return" else "verify"
    petition = access.require(ctx.session, ctx.staff, ctx.path("id"), name)
    form = Form(ctx)
    with form.catch(), ctx.session.begin_nested():
        kind = str(ctx.form.get("type") or petition.type_id)
        if kind != petition.type_id:
            VERBS["reclassify"].act(ctx, petition, form)
        VERBS[name].act(ctx, petition, form)
    if form.errors:
        return _page(ctx, petition, queries.to_verify(ctx.session, ctx.staff), form, status=422)
    ctx.flash(ctx._(VERBS[name].done))
    return ctx.redirect("/verification")


def _page(
    ctx: Context, petition: Petition | None, waiting: list[Petition], form: Form, *, status: int = 200
) -> Response:
    if petition is not None:
        audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now, detail={"at": "verification"})
    return show(
        ctx,
        "verification/index.html",
        status=status,
        petition=petition,
        waiting=waiting,
        allowed=access.verbs(ctx.session, ctx.staff, petition) if petition else set(),
        papers=files.of_petition(ctx.session, petition.id) if petition else [],
        proposal=urgency.pending(ctx.session, petition.id) if petition else None,
        returned=queries.latest_note(ctx.session, petition.id, "missing") if petition else None,
        completed=queries.latest_verification(ctx.session, petition.id) if petition else None,
        tree=catalogue.tree(ctx.session),
        items=told(ctx, story.story(ctx.session, petition.id)) if petition else [],
        form=form,
        chosen_wrong=set(form.many("wrong")),
        centre_id=ctx.staff.centre_id,
    )
