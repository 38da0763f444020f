"""Take a petition: who, what, of which type, with which papers. Every answer keeps what was typed."""

import segno
from markupsafe import Markup
from starlette.responses import JSONResponse, Response

from core import audit
from core.db import new_id
from core.errors import Mistake, NotFound
from core.staff.rules import RECEPTIONIST
from queueing.tickets import service as tickets
from queueing.tickets.models import Ticket
from reception import access
from reception.centres.models import Centre
from reception.files import service as files
from reception.files.rules import ACCEPT
from reception.petitions import catalogue, drafts, queries, service, states, story, urgency
from reception.petitions.models import PetitionDraft
from reception.visitors import service as visitors
from reception.visitors.models import Visitor
from web.cases import papers
from web.cases.view import show, since_midnight, told
from web.forms import Form
from web.http import Context, Pages, staff
from web.intake.form import check, typed

pages = Pages()
ONLY = staff(RECEPTIONIST)


@pages.get("/intake", audience=ONLY)
def index(ctx: Context) -> Response:
    draft = _draft(ctx)
    if draft is None and "draft" in ctx.query:  # sent or discarded: the browser's way back led here
        return ctx.redirect("/intake")
    ticket = _ticket(ctx, draft.ticket_id if draft else ctx.query.get("ticket"))
    form = Form(ctx, **(draft.values if draft else _from_ticket(ticket)))
    if draft and "check" in ctx.query:
        check(ctx, form)
    return _page(ctx, form, draft.id if draft else new_id(), ticket)


@pages.post("/intake", audience=ONLY)
def enter(ctx: Context) -> Response:
    form = Form(ctx)
    draft_id = _draft_id(ctx)
    ticket = _ticket(ctx, str(ctx.form.get("ticket") or ""))
    _, refused = papers.take(ctx, form.files("papers"), draft_id=draft_id)
    for reason in refused:
        form.add("papers", reason)
    checked = check(ctx, form)
    if checked is not None and not form.errors:
        with form.catch(), ctx.session.begin_nested():
            waiting = files.pending(ctx.session, staff_id=ctx.staff.id, draft_id=draft_id)
            petition = service.receive(
                ctx.session,
                visitor=visitors.register(ctx.session, **checked.visitor, now=ctx.now),  # type: ignore[arg-type]
                type=checked.type,
                subject=checked.subject,
                body=checked.body,
                urgency=checked.urgency,
                urgent_reason=checked.urgent_reason,
                centre_id=_centre(ctx).id,
                ticket_id=ticket.id if ticket else None,
                staff_id=ctx.staff.id,
                files=[paper.id for paper in waiting],
                now=ctx.now,
            )
            drafts.discard(ctx.session, draft_id, staff_id=ctx.staff.id)
            if ticket:
                tickets.attach(ctx.session, ticket.id, petition_id=petition.id, visitor_id=petition.visitor_id)
            return ctx.redirect(f"/intake/done/{petition.id}")
    # Kept, and shown again from there: no page of the browser's history asks to be sent once more.
    _save(ctx, draft_id)
    shown = Form(ctx)
    check(ctx, shown)
    for field, message in form.errors.items():
        if field not in shown.errors:  # what the fields alone don't tell, a refused paper for one
            ctx.flash(message, "danger")
    return ctx.redirect(f"/intake?draft={draft_id}&check=1")


@pages.post("/intake/draft", audience=ONLY)
def keep(ctx: Context) -> Response:
    """Called by the page while one writes."""
    _save(ctx, _draft_id(ctx))
    return Response(status_code=204)


@pages.post("/intake/discard", audience=ONLY)
def discard(ctx: Context) -> Response:
    draft_id = _draft_id(ctx)
    for paper in files.pending(ctx.session, staff_id=ctx.staff.id, draft_id=draft_id):
        files.discard(ctx.session, papers.store_of(ctx.settings), paper.id, staff_id=ctx.staff.id, now=ctx.now)
    drafts.discard(ctx.session, draft_id, staff_id=ctx.staff.id)
    ctx.flash(ctx._("The draft was discarded."))
    return ctx.redirect("/intake")


@pages.post("/intake/visitor", audience=ONLY)
def look_up(ctx: Context) -> Response:
    """Known visitors for what was typed, for the page's script. Posted, so that no number stands in an address."""
    text = str(ctx.form.get("q") or "")
    found = visitors.search(ctx.session, text, limit=6)
    for visitor in found:
        audit.note(ctx.session, "read", "visitor", visitor.id, now=ctx.now, detail={"at": "intake"})
    known = queries.of_visitor(ctx.session, ctx.staff, found[0].id) if len(found) == 1 else []
    html = show(ctx, "intake/known.html", known=known, visitor=found[0] if len(found) == 1 else None)
    return JSONResponse({"found": [_as_values(v) for v in found], "html": bytes(html.body).decode()})


@pages.post("/intake/lookup", audience=ONLY)
def look_up_without_script(ctx: Context) -> Response:
    draft_id = _draft_id(ctx)
    values = typed(ctx)
    visitor = visitors.find(ctx.session, values.get("identity_number", ""))
    if visitor is not None:
        audit.note(ctx.session, "read", "visitor", visitor.id, now=ctx.now, detail={"at": "intake"})
        values |= _as_values(visitor)
    else:
        ctx.flash(ctx._("Nobody is known by this yet: write the name and the phone number."), "info")
    _save(ctx, draft_id, values)
    return ctx.redirect(f"/intake?draft={draft_id}")


@pages.post("/intake/papers", audience=ONLY)
def upload(ctx: Context) -> Response:
    draft_id = _draft_id(ctx)
    _, refused = papers.take(ctx, Form(ctx).files("papers"), draft_id=draft_id)
    return _papers(ctx, draft_id, refused)


@pages.post("/intake/papers/remove", audience=ONLY)
def remove(ctx: Context) -> Response:
    draft_id = _draft_id(ctx)
    file_id = str(ctx.form.get("file") or "")
    files.discard(ctx.session, papers.store_of(ctx.settings), file_id, staff_id=ctx.staff.id, now=ctx.now)
    if "x-script" in ctx.request.headers:
        return _papers(ctx, draft_id, [])
    _save(ctx, draft_id)
    return ctx.redirect(f"/intake?draft={draft_id}")


@pages.get("/intake/done/{id}", audience=ONLY)
def done(ctx: Context) -> Response:
    petition = access.petition_for(ctx.session, ctx.staff, ctx.path("id"))
    audit.note(ctx.session, "read", "petition", petition.id, now=ctx.now)
    steps = story.story(ctx.session, petition.id)
    sent = next((step for step in reversed(steps) if step.kind in ("routed", "sent_up", "unrouted")), None)
    address = f"{ctx.settings.url}/p/{petition.follow_code}"
    code = segno.make(address, error="m").svg_inline(scale=4, border=0, dark="#000", omitsize=True)
    return show(
        ctx,
        "intake/done.html",
        petition=petition,
        sent=sent,
        proposal=urgency.pending(ctx.session, petition.id),
        papers=files.of_petition(ctx.session, petition.id),
        address=address,
        code=Markup(code),  # noqa: S704 - our own drawing
        routed=petition.state != states.RECEIVED,
        items=told(ctx, steps),
    )


def _page(ctx: Context, form: Form, draft_id: str, ticket: Ticket | None) -> Response:
    visitor = None
    with_number = form.values.get("identity_number", "")
    if with_number and "identity_number" not in form.errors:
        try:
            visitor = visitors.by_identity_number(ctx.session, with_number)
        except Mistake:
            visitor = None
    tree = catalogue.tree(ctx.session)
    return show(
        ctx,
        "intake/index.html",
        form=form,
        draft_id=draft_id,
        ticket=ticket,
        centre=_centre(ctx),
        tree=tree,
        unsorted=_unsorted(ctx, tree),
        papers=files.pending(ctx.session, staff_id=ctx.staff.id, draft_id=draft_id),
        paper_errors=[],
        accept=ACCEPT,
        max_mb=ctx.settings.upload_limit // (1024 * 1024),
        visitor=visitor,
        known=queries.of_visitor(ctx.session, ctx.staff, visitor.id) if visitor else [],
        others=[draft for draft in drafts.of_staff(ctx.session, ctx.staff.id) if draft.id != draft_id],
        today=queries.received_today(ctx.session, ctx.staff, since=since_midnight(ctx), limit=6),
        returned=queries.sent_back(ctx.session, ctx.staff, limit=6),
    )


def _unsorted(ctx: Context, tree: list[catalogue.Branch]) -> str:
    """What the type for everything else is called here."""
    for branch in tree:
        if branch.type.code == "other":
            last = [branch.type, *branch.leaves()][-1]
            return last.name(ctx.lang)
    return ""


def _papers(ctx: Context, draft_id: str, refused: list[str]) -> Response:
    waiting = files.pending(ctx.session, staff_id=ctx.staff.id, draft_id=draft_id)
    return show(ctx, "intake/papers.html", papers=waiting, paper_errors=refused, draft_id=draft_id)


def _draft(ctx: Context) -> PetitionDraft | None:
    if wanted := ctx.query.get("draft"):
        return drafts.get(ctx.session, wanted, staff_id=ctx.staff.id)
    if ticket := ctx.query.get("ticket"):
        return drafts.of_ticket(ctx.session, ticket, staff_id=ctx.staff.id)
    return None


def _draft_id(ctx: Context) -> str:
    """The form's own draft. Raises NotFound for what never came from our page."""
    draft_id = str(ctx.form.get("draft") or "")
    if not (draft_id.isalnum() and len(draft_id) == 26):
        raise NotFound("There is no such draft.")
    return draft_id


def _save(ctx: Context, draft_id: str, values: dict[str, str] | None = None) -> None:
    drafts.save(
        ctx.session,
        draft_id,
        values=typed(ctx) if values is None else values,
        staff_id=ctx.staff.id,
        ticket_id=str(ctx.form.get("ticket") or "") or None,
        now=ctx.now,
    )


def _centre(ctx: Context) -> Centre:
    centre = ctx.session.get(Centre, ctx.staff.centre_id or "")
    if centre is None:
        raise NotFound("Your account belongs to no centre yet.")
    return centre


def _ticket(ctx: Context, ticket_id: str | None) -> Ticket | None:
    """The ticket being served, if it is one of this centre."""
    found = ctx.session.get(Ticket, ticket_id) if ticket_id else None
    return found if found is not None and found.centre_id == ctx.staff.centre_id else None


def _from_ticket(ticket: Ticket | None) -> dict[str, str]:
    if ticket is None:
        return {}
    return {
        "language": ticket.language,
        "section": ticket.section,
        "sign_language": "1" if ticket.sign_language else "",
    }


def _as_values(visitor: Visitor) -> dict[str, str]:
    return {
        "identity_number": visitor.identity_number,
        "name": visitor.name,
        "phone": visitor.phone,
        "language": visitor.language,
        "section": visitor.section,
        "sign_language": "1" if visitor.sign_language else "",
    }
