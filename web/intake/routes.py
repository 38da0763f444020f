"""Take a petition: who, what, of which type, with which papers. Every answer keeps what was typed."""

from typing import Any

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
from reception.duplicates import rules as like_rules
from reception.files import service as files
from reception.files.models import Attachment
from reception.files.rules import ACCEPT
from reception.parties import rules as party_rules
from reception.parties import service as parties
from reception.petitions import catalogue, drafts, queries, service, states, story, urgency
from reception.petitions.models import PetitionDraft
from reception.visitors import service as visitors
from reception.visitors.models import Visitor
from web.cases import papers
from web.cases.view import show as show_case
from web.cases.view import since_midnight, told
from web.forms import Form
from web.http import Context, Pages, staff
from web.intake import alike, onfile, people
from web.intake.form import check, misread, typed

pages = Pages()
ONLY = staff(RECEPTIONIST)


def show(ctx: Context, template: str, **values: Any) -> Response:
    """Render with the words that the form's parts need."""
    return show_case(
        ctx,
        template,
        like_reasons=like_rules.REASONS,
        relation_names=party_rules.RELATIONS,
        pairs=lambda choices: [(choice, choice) for choice in choices],
        **values,
    )


@pages.get("/intake", audience=ONLY)
def index(ctx: Context) -> Response:
    draft = _draft(ctx)
    if draft is None and "draft" in ctx.query:  # sent or discarded: the browser's way back led here
        return ctx.redirect("/intake")
    ticket = _ticket(ctx, draft.ticket_id if draft else ctx.query.get("ticket"))
    form = Form(ctx, **(draft.values if draft else _from_ticket(ticket)))
    if draft and "check" in ctx.query:
        check(ctx, form, _waiting(ctx, draft.id))
    return _page(ctx, form, draft.id if draft else new_id(), ticket)


@pages.post("/intake", audience=ONLY, before=papers.prepare)
def enter(ctx: Context) -> Response:
    form = Form(ctx)
    draft_id = _draft_id(ctx)
    ticket = _ticket(ctx, str(ctx.form.get("ticket") or ""))
    for reason in _take(ctx, draft_id):
        form.add("papers", reason)
    waiting = _waiting(ctx, draft_id)
    checked = check(ctx, form, waiting)
    change = onfile.find(ctx, form.values)
    sure = (change is None or change.confirmed) and alike.find(ctx, form.values).asked
    if checked is not None and not form.errors and sure:
        with form.catch(), ctx.session.begin_nested():
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
                details=checked.details,
                now=ctx.now,
            )
            people.enter(ctx, petition, checked.people, waiting)
            drafts.discard(ctx.session, draft_id, staff_id=ctx.staff.id)
            if ticket:
                tickets.attach(ctx.session, ticket.id, petition_id=petition.id, visitor_id=petition.visitor_id)
            return ctx.redirect(f"/intake/done/{petition.id}")
    # Kept, and shown again from there: no page of the browser's history asks to be sent once more.
    _save(ctx, draft_id)
    shown = Form(ctx)
    check(ctx, shown, waiting)
    for field, message in form.errors.items():
        if field not in shown.errors:  # what the fields alone don't tell, a refused paper for one
            ctx.flash(message, "danger")
    return ctx.redirect(f"/intake?draft={draft_id}&check=1")


@pages.post("/intake/alike", audience=ONLY)
def look_alike(ctx: Context) -> Response:
    """Open petitions that this may repeat, for the page's script while one writes."""
    return show(ctx, "intake/alike.html", alike=_alike(ctx, typed(ctx)))


@pages.post("/intake/person", audience=ONLY)
def add_person(ctx: Context) -> Response:
    """One more row, without scripts: what was typed is kept."""
    draft_id = _draft_id(ctx)
    _save(ctx, draft_id)
    return ctx.redirect(f"/intake?draft={draft_id}&rows={len(people.rows(typed(ctx))) + 1}#part-people")


@pages.post("/intake/take-over", audience=ONLY)
def take_over(ctx: Context) -> Response:
    """Go on with what a colleague began for the visitor who stands here now."""
    ticket = str(ctx.form.get("ticket") or "")
    draft = drafts.take_over(ctx.session, ticket, staff_id=ctx.staff.id, now=ctx.now)
    return ctx.redirect(f"/intake?draft={draft.id}")


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
    one = found[0] if len(found) == 1 else None
    known = queries.of_visitor(ctx.session, ctx.staff, one.id) if one else []
    family = parties.household(ctx.session, one.id) if one else []
    html = show(ctx, "intake/known.html", known=known, visitor=one, family=family)
    wrong = "" if found else misread(ctx, text)
    return JSONResponse({"found": [_as_values(v) for v in found], "html": bytes(html.body).decode(), "wrong": wrong})


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


@pages.post("/intake/papers", audience=ONLY, before=papers.prepare)
def upload(ctx: Context) -> Response:
    """Papers, pages from the camera (`scan`), a dictated `note`, or the `proof` that somebody may act for another."""
    draft_id = _draft_id(ctx)
    return _papers(ctx, draft_id, _take(ctx, draft_id))


@pages.get("/intake/papers/{file_id}/{page}", audience=ONLY)
def look(ctx: Context) -> Response:
    """A page of a paper that waits in one's own form."""
    paper = _own(ctx, ctx.path("file_id"))
    number = ctx.path("page")
    return papers.picture(ctx, paper, int(number) if number.isdecimal() else 0)


@pages.get("/intake/papers/{file_id}", audience=ONLY)
def listen(ctx: Context) -> Response:
    return papers.response(ctx, _own(ctx, ctx.path("file_id")))


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
        beside=parties.of_petition(ctx.session, petition.id),
        told_to=parties.told(ctx.session, petition, now=ctx.now),
        papers=files.of_petition(ctx.session, petition.id),
        address=address,
        code=Markup(code),  # noqa: S704 - our own drawing
        routed=petition.state != states.RECEIVED,
        items=told(ctx, steps),
    )


def _take(ctx: Context, draft_id: str) -> list[str]:
    """Keep whatever files came with a form; returns a reason for each that was refused."""
    form = Form(ctx)
    return [
        *papers.take(ctx, form.files("papers"), draft_id=draft_id)[1],
        *papers.take_scan(ctx, form.files(papers.SCAN), draft_id=draft_id, kind=_kind(ctx))[1],
        *papers.take(ctx, form.files(papers.NOTE), draft_id=draft_id, kind=files.NOTE)[1],
        *papers.take(ctx, form.files("proof"), draft_id=draft_id, kind=files.PROOF)[1],
    ]


def _kind(ctx: Context) -> str:
    return files.PROOF if ctx.form.get("as") == files.PROOF else files.PAPER


def _own(ctx: Context, file_id: str) -> Attachment:
    """A paper of one's own unsent form. Raises NotFound for any other."""
    paper = files.get(ctx.session, file_id, petition_id=None)
    if paper.uploaded_by != ctx.staff.id:
        raise NotFound("There is no such paper.")
    return paper


def _waiting(ctx: Context, draft_id: str) -> list[Attachment]:
    return files.pending(ctx.session, staff_id=ctx.staff.id, draft_id=draft_id)


def _alike(ctx: Context, values: dict[str, str]) -> alike.Alike:
    found = alike.find(ctx, values)
    alike.write_down(ctx, found)
    return found


def _page(ctx: Context, form: Form, draft_id: str, ticket: Ticket | None) -> Response:
    visitor = None
    with_number = form.values.get("identity_number", "")
    if with_number and "identity_number" not in form.errors:
        try:
            visitor = visitors.by_identity_number(ctx.session, with_number)
        except Mistake:
            visitor = None
    tree = catalogue.tree(ctx.session)
    waiting = _waiting(ctx, draft_id)
    rows = people.rows(form.values)
    more = ctx.query.get("rows", "")
    if more.isdecimal() and len(rows) < int(more) <= party_rules.MOST:
        rows.append({"n": str(max((int(row["n"]) for row in rows), default=0) + 1)})
    elsewhere = None
    if ticket is not None and "draft" not in ctx.query:
        elsewhere = drafts.left_at_another_counter(ctx.session, ticket.id, staff_id=ctx.staff.id)
    change = onfile.find(ctx, form.values) if "check" in ctx.query else None
    if change is not None:
        onfile.write_down(ctx, form.values)
        if not change.confirmed:
            form.add("on_file", ctx._("Other details are on file. Please ask the visitor, and confirm the new ones."))
    kind = next((leaf for branch in tree for leaf in branch.leaves() if leaf.id == form.values.get("type")), None)
    returned, count, _pages = queries.at_the_centre(ctx.session, ctx.staff, size=6)
    return show(
        ctx,
        "intake/index.html",
        form=form,
        kind=kind,
        on_file=change,
        people=rows,
        family=parties.household(ctx.session, visitor.id) if visitor else [],
        powers=[(key, ctx._(words)) for key, words in party_rules.POWERS.items()],
        relations=[(key, ctx._(words)) for key, words in party_rules.RELATIONS.items()],
        alike=_alike(ctx, form.values) if "check" in ctx.query else alike.Alike(),
        elsewhere=elsewhere,
        draft_id=draft_id,
        ticket=ticket,
        centre=_centre(ctx),
        tree=tree,
        unsorted=_unsorted(ctx, tree),
        papers=waiting,
        paper_errors=[],
        accept=ACCEPT,
        max_mb=ctx.settings.upload_limit // (1024 * 1024),
        visitor=visitor,
        known=queries.of_visitor(ctx.session, ctx.staff, visitor.id) if visitor else [],
        others=[draft for draft in drafts.of_staff(ctx.session, ctx.staff.id) if draft.id != draft_id],
        today=queries.received_today(ctx.session, ctx.staff, since=since_midnight(ctx), limit=6),
        returned=returned,
        returned_count=count,
    )


def _unsorted(ctx: Context, tree: list[catalogue.Branch]) -> str:
    """What the type for everything else is called here."""
    for branch in tree:
        if branch.type.code == "other":
            last = [branch.type, *branch.leaves()][-1]
            return last.name(ctx.lang)
    return ""


def _papers(ctx: Context, draft_id: str, refused: list[str]) -> Response:
    return show(ctx, "intake/papers.html", papers=_waiting(ctx, draft_id), paper_errors=refused, draft_id=draft_id)


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
