"""The case page, its verbs, its papers."""

from collections.abc import Sequence

from sqlalchemy import select
from starlette.responses import Response

from core import audit
from core.errors import NotFound, Refused
from core.staff.models import Staff
from core.staff.rules import AIDE, HOTLINE, MANAGER, OFFICER, OFFICIAL, RECEPTIONIST, VERIFIER
from reception import access
from reception.centres.setup import departments_at_work
from reception.directives import service as directives
from reception.directives import states as directive_states
from reception.files import service as files
from reception.files.rules import ACCEPT
from reception.petitions import catalogue, entries, opinions, queries, service, story, urgency
from reception.petitions.models import Petition, PetitionNote
from web.cases import door, papers
from web.cases.slots import panels
from web.cases.verbs import VERBS, offered
from web.cases.view import asked_by_type, show, told
from web.cases.why import why_due
from web.forms import Form
from web.http import Context, Pages, staff

pages = Pages()
GOES_BACK = (
    "transfer", "dispatch", "send_back", "return", "verify", "close", "acknowledge", "agree_urgent", "decline_urgent",
    "refuse", "give_opinion",
)  # fmt: skip
READERS = staff(RECEPTIONIST, VERIFIER, MANAGER, OFFICER, OFFICIAL, AIDE, HOTLINE)


@pages.get("/cases/{id}", audience=READERS)
def case(ctx: Context) -> Response:
    petition = access.petition_for(ctx.session, ctx.staff, ctx.path("id"))
    if not door.may_open(ctx, petition):
        return ctx.redirect(f"/hotline/cases/{petition.id}")  # asks who is calling
    audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now)
    return _page(ctx, petition, Form(ctx))


@pages.post("/cases/{id}/papers", audience=READERS, before=papers.prepare)
def add_papers(ctx: Context) -> Response:
    """Good papers are kept even when one among them is refused."""
    petition = door.require(ctx, ctx.path("id"), "paper")
    kept, refused = papers.take(ctx, Form(ctx).files("papers"))
    if kept:
        ids = [paper.id for paper in kept]
        entries.add_paper(ctx.session, petition.id, file_ids=ids, staff_id=ctx.staff.id, now=ctx.now)
        text = ctx.ngettext("One paper was added.", "{n} papers were added.", len(kept))
        ctx.flash(text.format(n=len(kept)))
    for reason in refused:
        ctx.flash(reason, "danger")
    if not kept and not refused:
        ctx.flash(ctx._("Choose a paper first."), "danger")
    return ctx.redirect(f"/cases/{petition.id}")


@pages.get("/cases/{id}/files/{file_id}", audience=READERS)
def paper(ctx: Context) -> Response:
    petition = door.case_of(ctx, ctx.path("id"))
    if not access.may_read_text(ctx.staff, petition):
        raise NotFound("There is no such paper.")
    return papers.response(ctx, files.get(ctx.session, ctx.path("file_id"), petition_id=petition.id))


@pages.get("/cases/{id}/{verb}", audience=READERS)
def verb_address(ctx: Context) -> Response:
    """Where a refused form leaves the browser: a reload and the live refresh find the case."""
    if ctx.path("verb") not in VERBS:
        raise NotFound("There is nothing here.")
    return ctx.redirect(f"/cases/{access.petition_for(ctx.session, ctx.staff, ctx.path('id')).id}")


@pages.post("/cases/{id}/{verb}", audience=READERS)
def act(ctx: Context) -> Response:
    """One verb. A mistake shows the case again with its dialog open and what was typed in it."""
    name = ctx.path("verb")
    verb = VERBS.get(name)
    if verb is None:
        raise NotFound("There is nothing here.")
    form = Form(ctx)
    seen = door.case_of(ctx, ctx.path("id"))
    beside = service.by_case_number(ctx.session, form.text("into", required=False)) if name == "merge" else None
    try:
        petition = door.require(ctx, seen.id, name, beside=beside)
    except Refused:
        return _overtaken(ctx, form, name)
    with form.catch(), ctx.session.begin_nested():
        verb.act(ctx, petition, form)
    if form.errors:
        audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now)
        return _page(ctx, petition, form, open_dialog=name, status=422)
    ctx.flash(ctx._(verb.done))
    back = str(ctx.form.get("back") or "")
    own = back.startswith("/") and not back.startswith("//") and "\\" not in back
    if own and name in GOES_BACK:
        return ctx.redirect(back)
    return ctx.redirect(f"/cases/{petition.id}")


def _overtaken(ctx: Context, form: Form, name: str) -> Response:
    """Two were at it, or one in two windows: the second sees what the first did, and keeps what was typed. For whom it
    never was, it is refused as ever."""
    petition = access.petition_for(ctx.session, ctx.staff, ctx.path("id"))
    steps = story.story(ctx.session, petition.id)
    theirs = any(name in access.MAY.get(role, ()) for role in ctx.staff.roles)
    if not access.may_read_text(ctx.staff, petition) or not steps or not theirs:
        raise Refused("This can't be done now: the case has moved on, or it is for others to do.")
    audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now)
    last, own = next(iter(told(ctx, steps[-1:]))), steps[-1].staff_id == ctx.staff.id
    unsent = "\n\n".join(
        value
        for field in ("answer", "reason", "question", "text", "reply", "note")
        if (value := form.values.get(field))
    )
    return _page(ctx, petition, Form(ctx), status=409, overtaken=last, unsent=unsent, own=own)


def _page(
    ctx: Context, petition: Petition, form: Form, *, open_dialog: str = "", status: int = 200, **more: object
) -> Response:
    readable = access.may_read_text(ctx.staff, petition)
    steps = (story.story if readable else story.public_story)(ctx.session, petition.id)
    allowed = access.verbs(ctx.session, ctx.staff, petition)
    asked_opinions = opinions.of_petition(ctx.session, petition.id)
    merged_into = ctx.session.get(Petition, petition.merged_into_id) if petition.merged_into_id else None
    if merged_into is not None and not access.may_see(ctx.session, ctx.staff, merged_into):
        merged_into = None
    return show(
        ctx,
        "cases/case.html",
        status=status,
        petition=petition,
        readable=readable,
        items=told(ctx, steps),
        papers=files.of_petition(ctx.session, petition.id) if readable else [],
        written=_signed(ctx, queries.notes(ctx.session, petition.id)) if readable else [],
        back=_list_of(ctx, petition),
        earlier=[p for p in queries.of_visitor(ctx.session, ctx.staff, petition.visitor_id) if p.id != petition.id],
        proposal=urgency.pending(ctx.session, petition.id),
        directives=directives.of_petition(ctx.session, petition.id) if readable else [],
        directive_names=directive_states.NAMES,
        returned=queries.latest_note(ctx.session, petition.id, "missing") if petition.state == "returned" else None,
        panels=panels(ctx, petition),
        why=why_due(ctx, petition),
        asked=asked_by_type(ctx, petition),
        asked_opinions=asked_opinions,
        awaited=sum(row.state == "asked" for row in asked_opinions),
        merged=merged_into,
        verbs=offered(allowed),
        allowed=allowed,
        departments=[d for d in departments_at_work(ctx.session) if d.id != petition.department_id],
        tree=catalogue.tree(ctx.session) if "reclassify" in allowed else [],
        close_reasons=service.CLOSE_REASONS,
        accept=ACCEPT,
        max_mb=ctx.settings.upload_limit // (1024 * 1024),
        form=form,
        open_dialog=open_dialog,
        **more,
    )


def _signed(ctx: Context, notes: Sequence[PetitionNote]) -> list[tuple[PetitionNote, str]]:
    """Each with who wrote it; empty where the visitor did."""
    wanted = select(Staff).where(Staff.id.in_({note.staff_id for note in notes if note.staff_id}))
    names = {one.id: one.name(ctx.lang) for one in ctx.session.scalars(wanted)}
    return [(note, names.get(note.staff_id or "", "")) for note in notes]


def _list_of(ctx: Context, petition: Petition) -> str:
    """The list that this person works through, at the shelf on which the case lies now."""
    if OFFICER in ctx.staff.roles and petition.department_id == ctx.staff.department_id:
        shelf = next((name for name, held in queries.SHELVES.items() if petition.state in held), "")
        return f"/department?shelf={shelf}" if shelf else "/department"
    return "/office" if ctx.staff.roles & {AIDE, OFFICIAL} else ""
