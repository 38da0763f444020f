"""Exports: asking for a film, a second person's word, how far it is, and fetching it."""

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from core import audit, clock
from core.audit import AuditEntry
from core.errors import NotFound
from core.staff.models import Staff, StaffRole
from core.staff.rules import AIDE, OFFICER, OFFICIAL
from reception.petitions.models import Petition
from recordings import access
from recordings.archive.service import viewable
from recordings.archive.states import READY as RECORDING_READY
from recordings.export import rules, service
from recordings.export.models import Export
from recordings.export.states import ASKED, FAILED, MACHINE, MAKING, READY, UNDER_WAY
from web.exports.words import FORMATS, PROBLEMS, STATES, STEPS
from web.forms import Form
from web.http import Context, Pages, staff
from web.keys import key_ring
from web.ranges import given

pages = Pages()
viewers = staff(OFFICIAL, AIDE, OFFICER)
seconds = staff(OFFICIAL, AIDE)


@pages.get("/exports", audience=viewers)
def index(ctx: Context) -> Response:
    waiting, mine = service.for_me(ctx.session, ctx.staff.id, now=ctx.now)
    may_agree = bool(seconds.roles and seconds.roles & ctx.staff.roles)
    return ctx.render(
        "exports/index.html",
        waiting=[(export, *_told(ctx, export)) for export in waiting if may_agree],
        mine=[(export, *_told(ctx, export)) for export in mine],
        states=STATES,
    )


@pages.get("/library/{recording_id}/export", audience=viewers)
def ask_form(ctx: Context) -> Response:
    return _form(ctx, Form(ctx, format=rules.MP4, lang=ctx.lang))


@pages.post("/library/{recording_id}/export", audience=viewers)
def ask(ctx: Context) -> Response:
    form = Form(ctx)
    purpose = form.text("purpose", max=120)
    format = form.choice("format", rules.FORMATS)
    lang = form.choice("lang", ("ar", "en"))
    if form.errors:
        return _form(ctx, form, status=422)
    export = service.ask(
        ctx.session,
        ctx.path("recording_id"),
        by=ctx.staff.id,
        purpose=purpose,
        format=format,
        lang=lang,
        now=ctx.now,
    )
    ctx.flash(ctx._("Asked for. It is made as soon as a second person agrees."))
    return ctx.redirect(f"/exports/{export.id}")


@pages.get("/exports/{export_id}", audience=viewers)
def show(ctx: Context) -> Response:
    export = service.seen(ctx.session, ctx.path("export_id"), ctx.staff.id, now=ctx.now)
    audit.note(
        ctx.session, "read", "recording", export.recording_id, now=ctx.now, detail={"export": export.id}
    )  # the page names people and a purpose
    mine = rules.may_stop(export.asked_by, export.decided_by, ctx.staff.id)
    what, who = _told(ctx, export)
    return ctx.render(
        "exports/show.html",
        export=export,
        case=what,
        requester=who,
        second=ctx.session.get(Staff, export.decided_by) if export.decided_by else None,
        state=STATES[export.state],
        format=FORMATS[export.format][0],
        problem=PROBLEMS.get(export.problem or "") if export.state == FAILED else None,
        under_way=export.state in UNDER_WAY,
        making=export.state == MAKING,
        may_decide=export.state == ASKED
        and export.asked_by != ctx.staff.id
        and bool(seconds.roles and seconds.roles & ctx.staff.roles),
        may_cancel=mine and MACHINE.allows(export.state, "cancel"),
        may_try=mine and MACHINE.allows(export.state, "try again"),
        may_fetch=rules.fetchable(export.state, export.asked_by, ctx.staff.id, export.until, now=ctx.now),
        ready=export.state == READY,
        story=[(row, ctx.session.get(Staff, row.actor_id or "")) for row in story_of(ctx.session, export)],
        steps=STEPS,
    )


@pages.post("/exports/{export_id}/agree", audience=seconds)
def agree(ctx: Context) -> Response:
    service.agree(ctx.session, ctx.path("export_id"), by=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("Agreed. The film is being made."))
    return _back(ctx)


@pages.post("/exports/{export_id}/decline", audience=seconds)
def decline(ctx: Context) -> Response:
    service.decline(ctx.session, ctx.path("export_id"), by=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("Declined. No film is made."))
    return _back(ctx)


@pages.post("/exports/{export_id}/cancel", audience=viewers)
def cancel(ctx: Context) -> Response:
    service.cancel(ctx.session, ctx.path("export_id"), by=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("Cancelled. What there was of the film is destroyed."))
    return ctx.redirect("/exports")


@pages.post("/exports/{export_id}/try-again", audience=viewers)
def try_again(ctx: Context) -> Response:
    service.try_again(ctx.session, ctx.path("export_id"), by=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("The film is being made once more."))
    return _back(ctx)


@pages.get("/exports/{export_id}/file", audience=viewers)
def fetch(ctx: Context) -> Response:
    """The film, for the one who asked alone; in ranges too, so that a broken download can go on."""
    asked = ctx.request.headers.get("range")
    export, opened = access.fetch(
        ctx.write,
        ctx.staff.id,
        ctx.path("export_id"),
        folder=ctx.settings.exports_dir,
        keyring=key_ring(ctx.settings),
        clock=clock.now,
        first=asked is None or asked.startswith("bytes=0-"),
    )
    headers = {
        "content-disposition": f'attachment; filename="{_file_name(ctx, export)}"',
        "etag": f'"{export.sha256}"',
    }
    return given(opened, asked, rules.MEDIA_TYPES[export.format], headers)


@pages.get("/exports/{export_id}/proof", audience=viewers)
def film_proof(ctx: Context) -> Response:
    """The signed lines that go with a film, byte for byte, for those who may see the export."""
    export = service.seen(ctx.session, ctx.path("export_id"), ctx.staff.id, now=ctx.now)
    if export.proof is None:
        raise NotFound
    audit.note(ctx.session, "read", "recording", export.recording_id, now=ctx.now, detail={"page": "export"})
    name = f"{_file_name(ctx, export)}.proof"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}
    return Response(export.proof, headers=headers, media_type="text/plain")


def story_of(session: Session, export: Export) -> list[AuditEntry]:
    """What was done with it, earliest first: rows of the recording's own trail."""
    rows = session.query(AuditEntry).filter(
        AuditEntry.subject_id == export.recording_id, AuditEntry.action.in_(STEPS), AuditEntry.at >= export.asked_at
    )
    return [row for row in rows.order_by(AuditEntry.at) if row.detail.get("export") == export.id]


def _form(ctx: Context, form: Form, *, status: int = 200) -> Response:
    recording = viewable(ctx.session, ctx.path("recording_id"), ctx.staff.id, now=ctx.now)
    office = select(Staff).join(StaffRole).where(StaffRole.role.in_([OFFICIAL, AIDE]), Staff.active).distinct()
    people = {person.id: person for person in ctx.session.scalars(office.order_by(Staff.name_ar))}
    could = service.seconds(ctx.session, recording.id, people, asked_by=ctx.staff.id, now=ctx.now)
    return ctx.render(
        "exports/ask.html",
        status=status,
        recording=recording,
        petition=ctx.session.get(Petition, recording.petition_id),
        possible=recording.state == RECORDING_READY and bool(recording.renditions),
        seconds=[people[id_] for id_ in could],
        form=form,
        formats=FORMATS,
        kept=rules.KEPT.days,
    )


def _told(ctx: Context, export: Export) -> tuple[Petition | None, Staff | None]:
    """Whose case it is about, who asked."""
    return ctx.session.get(Petition, export.recording.petition_id), ctx.session.get(Staff, export.asked_by)


def _file_name(ctx: Context, export: Export) -> str:
    petition = ctx.session.get(Petition, export.recording.petition_id)
    number = "".join(c for c in (petition.case_number if petition else "") if c.isascii() and (c.isalnum() or c == "-"))
    return f"majlis-{number or export.recording_id}.{export.format}"


def _back(ctx: Context) -> Response:
    return ctx.redirect(f"/exports/{ctx.path('export_id')}")
