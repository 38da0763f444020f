"""Orders given by word of mouth: written down, read back and signed, assigned, carried out with proof."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from starlette.responses import Response

from core import audit
from core.calendar import at_local, local_day
from core.errors import MajlisError
from core.staff.models import Staff
from core.staff.rules import AIDE, OFFICIAL
from reception import access
from reception.centres import service as centres
from reception.centres.models import Department
from reception.centres.setup import departments_at_work
from reception.directives import service
from reception.directives.models import Directive, DirectiveReport
from reception.directives.rules import reading
from reception.directives.states import ASSIGNED, DIRECTIVE, FULFILLED, MARKED, SIGNED, WITHDRAWN, WRITTEN
from reception.files.rules import ACCEPT
from reception.petitions import entries
from reception.petitions import service as petitions
from reception.petitions.models import Petition
from recordings.archive import service as recordings
from recordings.archive.leave import may_view
from recordings.archive.models import Recording
from recordings.archive.states import DESTROYED
from video.meetings.models import Meeting
from web.cases import papers
from web.forms import Form
from web.http import Context, Pages, staff
from web.office.engagements import officials

pages = Pages()
office = staff(AIDE, OFFICIAL)

WAY = (MARKED, WRITTEN, SIGNED, ASSIGNED, FULFILLED)
BEFORE_S = 15.0  # the recording opens this long before the mark
CLOSING = (15, 0)  # an order is due at the end of office hours


@pages.get("/office/directives", audience=office)
def index(ctx: Context) -> Response:
    done, by_day = ctx.query.get("show") == "done", ctx.query.get("by") == "day"
    rows = _done(ctx) if done else service.open_ones(ctx.session, by_day=by_day)
    petitions, departments = _around(ctx, rows)
    return ctx.render(
        "office/directives.html",
        rows=rows,
        done=done,
        petitions=petitions,
        departments=departments,
        by_day=by_day,
        reports=service.reports(ctx.session, [row.id for row in rows]),
        counts={"open": service.open_count(ctx.session)},
    )


@pages.get("/office/directives/new", audience=office)
def new(ctx: Context) -> Response:
    return _new(ctx, Form(ctx), number=ctx.query.get("case", "")[:20])


@pages.post("/office/directives", audience=office)
def create(ctx: Context) -> Response:
    """An order given where nothing was recorded: at the audience, by telephone. The giver signs it as ever."""
    form = Form(ctx)
    number, text = form.text("case", max=20), form.text("text", max=4000, lines=True)
    given_by = form.choice("given_by", [person.id for person in officials(ctx.session)])
    petition = petitions.by_case_number(ctx.session, number) if number else None
    if number and (petition is None or not access.may_see(ctx.session, ctx.staff, petition)):
        form.add("case", ctx._("There is no such petition."))
    if form.errors or petition is None:
        return _new(ctx, form, status=422)
    try:
        row = service.order(ctx.session, petition.id, given_by=given_by, text=text, by=ctx.staff.id, now=ctx.now)
    except MajlisError as error:
        form.add(getattr(error, "field", None) or "", ctx.say(error))
        return _new(ctx, form, status=422)
    ctx.flash(ctx._("The order is written down. The official reads it back and signs it."))
    return ctx.redirect(f"/office/directives/{row.id}")


def _new(ctx: Context, form: Form, *, number: str = "", status: int = 200) -> Response:
    people = officials(ctx.session)
    own = [person.id for person in people if person.id == ctx.staff.id]
    petition = petitions.by_case_number(ctx.session, form.values.get("case") or number)
    seen = petition if petition and access.may_see(ctx.session, ctx.staff, petition) else None
    return ctx.render(
        "office/directive_new.html",
        status=status,
        form=form,
        number=number,
        petition=seen,
        giver=own[0] if own else (people[0].id if len(people) == 1 else ""),
        giver_options=[(person.id, person.name(ctx.lang)) for person in people],
    )


@pages.get("/office/directives/{directive_id}", audience=office)
def show(ctx: Context) -> Response:
    return _page(ctx, service.get(ctx.session, ctx.path("directive_id")), Form(ctx))


@pages.get("/office/directives/{directive_id}/{verb}", audience=office)
def verb_address(ctx: Context) -> Response:
    """Where a refused form leaves the browser: a reload and the live refresh find the order."""
    return ctx.redirect(f"/office/directives/{service.get(ctx.session, ctx.path('directive_id')).id}")


@pages.post("/office/directives/{directive_id}/write", audience=office)
def write(ctx: Context) -> Response:
    return _do(ctx, lambda form, id_: service.write(
        ctx.session, id_, text=form.text("text", max=4000, lines=True), by=ctx.staff.id, now=ctx.now
    ), ctx._("The order is written down. The official reads it back and signs it."))  # fmt: skip


@pages.post("/office/directives/{directive_id}/sign", audience=staff(OFFICIAL))
def sign(ctx: Context) -> Response:
    return _do(
        ctx,
        lambda form, id_: service.sign(
            ctx.session,
            id_,
            by=ctx.staff.id,
            now=ctx.now,
            giver=_giver(ctx, service.get(ctx.session, id_)),
            read=form.text("read", required=False),
        ),
        ctx._("The order is signed."),
    )


@pages.post("/office/directives/{directive_id}/assign", audience=office)
def assign(ctx: Context) -> Response:
    return _do(ctx, lambda form, id_: service.assign(
        ctx.session, id_, department_id=form.text("department"), due_at=_due(ctx, form), by=ctx.staff.id, now=ctx.now
    ), ctx._("The order is with the department, and the visitor is being told."))  # fmt: skip


@pages.post("/office/directives/{directive_id}/report", audience=office)
def report(ctx: Context) -> Response:
    return _do(ctx, lambda form, id_: service.report(
        ctx.session, id_, text=form.text("progress", max=4000, lines=True), by=ctx.staff.id, now=ctx.now
    ), ctx._("Written down."))  # fmt: skip


@pages.post("/office/directives/{directive_id}/fulfil", audience=office, before=papers.prepare)
def fulfil(ctx: Context) -> Response:
    return _do(
        ctx,
        lambda form, id_: carry_out(ctx, form, service.get(ctx.session, id_)),
        ctx._("The order is carried out, and the visitor is being told."),
    )


def carry_out(ctx: Context, form: Form, order: Directive) -> None:
    """With proof in words, and a paper where one is sent: it is kept with the petition. Raises Mistake."""
    proof = form.text("proof", max=4000, lines=True)
    if form.errors:
        return
    with ctx.session.begin_nested():
        kept, refused = papers.take(ctx, form.files("paper")[:1])
        if refused:
            form.add("paper", refused[0])
            return
        by = {"staff_id": ctx.staff.id, "now": ctx.now}
        for paper in kept:
            entries.add_paper(ctx.session, order.petition_id, file_ids=[paper.id], **by)
        file_id = kept[0].id if kept else None
        service.fulfil(ctx.session, order.id, proof=proof, proof_file_id=file_id, by=ctx.staff.id, now=ctx.now)


@pages.post("/office/directives/{directive_id}/withdraw", audience=office)
def withdraw(ctx: Context) -> Response:
    return _do(
        ctx,
        lambda form, id_: service.withdraw(ctx.session, id_, by=ctx.staff.id, now=ctx.now),
        ctx._("The mark was taken back."),
    )


def _do(ctx: Context, verb: object, said: str) -> Response:
    """Run one verb; what is wrong with the form stands beside its field."""
    directive_id, form = ctx.path("directive_id"), Form(ctx)
    try:
        verb(form, directive_id)  # type: ignore[operator]
    except MajlisError as error:
        form.add(getattr(error, "field", None) or "", ctx.say(error))
    if form.errors:
        return _page(ctx, service.get(ctx.session, directive_id), form, status=422)
    ctx.flash(said)
    return ctx.redirect(f"/office/directives/{directive_id}")


def _page(ctx: Context, directive: Directive, form: Form, *, status: int = 200) -> Response:
    petition = ctx.session.get_one(Petition, directive.petition_id)
    audit.note(ctx.session, "read", "directive", directive.id, now=ctx.now)
    ids = [
        directive.marked_by,
        directive.written_by,
        directive.signed_by,
        directive.assigned_by,
        directive.fulfilled_by,
    ]
    reports = service.reports(ctx.session, [directive.id])[directive.id]
    ids += [directive.given_by, *(row.staff_id for row in reports)]
    people = list(ctx.session.scalars(select(Staff).where(Staff.id.in_([one for one in ids if one]))))
    names = {person.id: person.name(ctx.lang) for person in people}
    return ctx.render(
        "office/directive.html",
        status=status,
        directive=directive,
        petition=petition,
        meeting=ctx.session.get(Meeting, directive.meeting_id),
        department=ctx.session.get(Department, directive.department_id) if directive.department_id else None,
        department_options=[(one.id, one.name(ctx.lang)) for one in departments_at_work(ctx.session)],
        story=_story(ctx, directive, reports, names),
        giver=names.get(directive.given_by or "", ""),
        accept=ACCEPT,
        way=WAY,
        verbs=set(DIRECTIVE.verbs(directive.state)),
        place=place_in_recording(ctx, directive),
        part=recorded(ctx, directive),
        form=form,
        may_sign=_may_sign(ctx, directive),
        read=reading(directive.text),
        today=local_day(ctx.now, ctx.settings.timezone),
    )


def _giver(ctx: Context, directive: Directive) -> str | None:
    """Whose word it is: the official named by the office, or the one whose meeting it was."""
    if directive.given_by:
        return directive.given_by
    meeting = ctx.session.get(Meeting, directive.meeting_id)
    return meeting.official_id if meeting else None


def _may_sign(ctx: Context, directive: Directive) -> bool:
    giver = ctx.session.get(Staff, _giver(ctx, directive) or "")
    return OFFICIAL in ctx.staff.roles and (giver is None or not giver.active or giver.id == ctx.staff.id)


def recorded(ctx: Context, directive: Directive) -> Recording | None:
    """The part of the meeting's record in which the mark lies."""
    found = [
        row
        for row in recordings.of_meeting(ctx.session, directive.meeting_id)
        if row.started_at and row.started_at <= directive.marked_at
    ]
    return max(found, key=lambda row: row.started_at) if found else None


def place_in_recording(ctx: Context, directive: Directive) -> str | None:
    """The address at which the recording plays the moment, a little before it, for those who may view it."""
    part = recorded(ctx, directive)
    if part is None or part.state == DESTROYED or not may_view(ctx.session, part, ctx.staff.id, now=ctx.now):
        return None
    seconds = max((directive.marked_at - part.started_at).total_seconds() - BEFORE_S, 0)
    return f"/library/{part.id}?t={seconds:.0f}"


def _story(
    ctx: Context, row: Directive, reports: Sequence[DirectiveReport], names: dict[str, str]
) -> list[dict[str, object]]:
    """The steps that were taken, the newest first."""
    marked = ctx._("Marked in the recording") if row.meeting_id else ctx._("Written by the office")
    steps: list[tuple[datetime | None, str | None, str, str, str]] = [
        (row.marked_at, row.marked_by, marked, "flag", "neutral"),
        (row.written_at, row.written_by, ctx._("Written down"), "edit", "neutral"),
        (row.signed_at, row.signed_by, ctx._("Read back and signed"), "check", "good"),
        (row.assigned_at, row.assigned_by, ctx._("Assigned"), "send", "info"),
        (row.fulfilled_at, row.fulfilled_by, ctx._("Carried out"), "check", "good"),
    ]
    said: dict[datetime, str] = {}
    for one in reversed(reports):
        said[one.at] = one.text
        steps.append((one.at, one.staff_id, ctx._("Progress"), "edit", "info"))
    taken = sorted(((step[0], n, step) for n, step in enumerate(steps) if step[0] is not None), reverse=True)
    return [
        {"at": at, "title": title, "icon": icon, "tone": tone, "who": names.get(by or "", ""), "key": f"{icon}{n}",
         "text": said.get(at, "") if title == ctx._("Progress") else ""}
        for at, n, (_, by, title, icon, tone) in taken
    ]  # fmt: skip


def _done(ctx: Context) -> list[Directive]:
    query = select(Directive).where(Directive.state.in_([FULFILLED, WITHDRAWN])).order_by(Directive.marked_at.desc())
    return list(ctx.session.scalars(query.limit(100)))


def _around(ctx: Context, rows: list[Directive]) -> tuple[dict[str, Petition], dict[str, Department]]:
    petitions = ctx.session.scalars(select(Petition).where(Petition.id.in_({row.petition_id for row in rows})))
    return {row.id: row for row in petitions}, {row.id: row for row in centres.departments(ctx.session)}


def _due(ctx: Context, form: Form) -> datetime:
    try:
        day = date.fromisoformat(form.text("due", required=False))
    except ValueError:
        form.add("due", ctx._("Choose the day."))
        day = local_day(ctx.now, ctx.settings.timezone)
    return at_local(day, *CLOSING, ctx.settings.timezone)
