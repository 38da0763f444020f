"""Who may view a recording, who gave them leave, and who watched what when: a page that opens nothing of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from core import audit
from core.audit import AuditEntry
from core.calendar import at_local, full_day, local_day
from core.errors import NotFound
from core.language import N_
from core.staff.models import Staff, StaffRole
from core.staff.rules import AIDE, OFFICER, OFFICIAL
from reception.centres.models import Department
from reception.centres.setup import departments_at_work
from reception.petitions.models import Petition
from recordings.archive import leave, service, views
from recordings.archive.models import Grant, Recording, View
from recordings.archive.rules import DEFAULT_GRANT, LONGEST_GRANT, in_force, may_take_back, took_part
from recordings.archive.states import DESTROYED
from web.forms import Form
from web.http import Context, Pages, staff

pages = Pages()
viewers = staff(OFFICIAL, AIDE, OFFICER)
givers = staff(OFFICIAL, AIDE)

ROLES = {OFFICIAL: N_("All officials"), AIDE: N_("All office aides")}
DEPARTMENT = N_("Officers of {department}")
PIECES = {"marks": N_("what was written"), "strip": N_("the line of pictures")}
# What else was done with a recording and stands on its page; views have rows of their own.
TOLD = {
    "grant": N_("gave leave to view"),
    "revoke": N_("took back leave to view"),
    "ask for export": N_("asked for an export"),
    "agree to export": N_("agreed to an export"),
    "decline export": N_("declined an export"),
    "download": N_("downloaded it"),
    "verify": N_("had it checked for changes"),
    "hold": N_("forbade its destruction"),
    "ask to lift hold": N_("asked for its destruction to be allowed again"),
    "lift hold": N_("allowed its destruction again"),
    "propose destruction": N_("proposed its destruction"),
    "agree to destruction": N_("agreed to its destruction"),
    "decline destruction": N_("declined its destruction"),
    "destroy": N_("destroyed its keys"),
}
MOST = 200


@dataclass(frozen=True, slots=True)
class Held:
    """A leave as the page shows it."""

    grant: Grant
    to: str
    giver: str
    host: bool
    in_force: bool
    whole_case: bool
    may_end: bool


@dataclass(frozen=True, slots=True)
class Watched:
    view: View
    who: str
    sides: list[str]


@pages.get("/library/{recording_id}/access", audience=viewers)
def show(ctx: Context) -> Response:
    return _page(ctx, Form(ctx, days=DEFAULT_GRANT.days))


@pages.get("/library/{recording_id}/grants", audience=viewers)
def address(ctx: Context) -> Response:
    """Where a refused form leaves the browser."""
    return ctx.redirect(f"/library/{_known(ctx).id}/access")


@pages.post("/library/{recording_id}/grants", audience=givers)
def give(ctx: Context) -> Response:
    form = Form(ctx)
    recording = _known(ctx)
    to = form.choice("staff_id", [value for value, _ in receivers(ctx)])
    purpose = form.text("purpose", max=200)
    days = form.integer("days", low=1, high=365, default=DEFAULT_GRANT.days)
    zone = ctx.settings.timezone
    until = min(at_local(local_day(ctx.now + timedelta(days=days), zone), 23, 59, zone), ctx.now + LONGEST_GRANT)
    if not form.errors:
        with form.catch():
            leave.give(
                ctx.session,
                recording.id,
                purpose=purpose,
                by=ctx.staff.id,
                until=until,
                whole_case=form.flag("whole_case"),
                now=ctx.now,
                **_receiver(to),
            )
    if form.errors:
        return _page(ctx, form, status=422)
    ctx.flash(ctx._("Leave to view is given. It is on their shelf now."))
    return ctx.redirect(f"/library/{recording.id}/access")


@pages.post("/library/grants/{grant_id}/revoke", audience=viewers)
def take_back(ctx: Context) -> Response:
    row = leave.take_back(ctx.session, ctx.path("grant_id"), by=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("The leave to view was taken back."))
    recording = service.get(ctx.session, row.recording_id) if row.recording_id else None
    if recording is None or not _may_know(ctx, recording):
        return ctx.redirect("/library")
    return ctx.redirect(f"/library/{recording.id}/access")


def card(ctx: Context, recording: Recording) -> dict[str, Any]:
    """For the recording's own page."""
    held = leaves(ctx, recording)
    watched = watched_by(ctx, recording)
    return {
        "leaves": [one for one in held if one.in_force],
        "my_leave": leave.leave_of(ctx.session, recording, ctx.staff.id, now=ctx.now),
        "watched": watched[:3],
        "watched_count": len(watched),
        "may_give": recording.state != DESTROYED and leave.may_give(ctx.session, recording, ctx.staff.id),
    }


def about(ctx: Context, row: Grant) -> str:
    """What a leave is for, on the shelf of its holder."""
    until = full_day(local_day(row.until, ctx.settings.timezone), ctx.lang) if row.until else ""
    said = ctx._("For: {purpose}. Given by {name}, until {day}.")
    return said.format(purpose=row.purpose, name=_name(ctx, row.granted_by), day=until)


def leaves(ctx: Context, recording: Recording) -> list[Held]:
    """Latest last, those of the hosts first."""
    gives = leave.may_give(ctx.session, recording, ctx.staff.id)
    me = leave.viewer(ctx.session, ctx.staff.id)
    rows = leave.grants_of(ctx.session, recording)
    return [
        Held(
            grant=row,
            to=_to(ctx, row),
            giver=_name(ctx, row.granted_by),
            host=took_part(row),
            in_force=in_force(row, now=ctx.now),
            whole_case=row.petition_id is not None,
            may_end=me is not None and in_force(row, now=ctx.now) and may_take_back(row, me, gives=gives),
        )
        for row in sorted(rows, key=lambda row: not took_part(row))
    ]


def watched_by(ctx: Context, recording: Recording) -> list[Watched]:
    names = {side.participant_id: side.name(ctx.lang) for side in recording.renditions}
    rows = views.of_recording(ctx.session, recording.id, limit=MOST)
    said = {key: ctx._(word) for key, word in PIECES.items()} | names
    return [Watched(row, _name(ctx, row.staff_id), [said.get(one, one) for one in row.what]) for row in rows]


def receivers(ctx: Context) -> list[tuple[str, str]]:
    """Persons first, then roles: (value of the form, name). Never oneself."""
    people = (
        select(Staff)
        .join(StaffRole)
        .where(StaffRole.role.in_([OFFICIAL, AIDE, OFFICER]), Staff.active, Staff.id != ctx.staff.id)
        .order_by(Staff.name_ar)
        .distinct()
    )
    found = [(one.id, one.name(ctx.lang)) for one in ctx.session.scalars(people)]
    found += [(f"role:{role}", ctx._(name)) for role, name in ROLES.items()]
    named = ctx._(DEPARTMENT)
    return found + [
        (f"department:{one.id}", named.format(department=one.name(ctx.lang)))
        for one in departments_at_work(ctx.session)
    ]


def _receiver(value: str) -> dict[str, str]:
    kind, _, name = value.partition(":")
    if kind == "role":
        return {"role": name}
    if kind == "department":
        return {"role": OFFICER, "department_id": name}
    return {"staff_id": value}


def _page(ctx: Context, form: Form, *, status: int = 200) -> Response:
    recording = _known(ctx)
    audit.note(ctx.session, "read", "recording", recording.id, now=ctx.now, detail={"page": "access"})
    told = (
        select(AuditEntry)
        .where(AuditEntry.subject_id == recording.id, AuditEntry.action.in_(TOLD))
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    )
    return ctx.render(
        "library/access.html",
        status=status,
        recording=recording,
        petition=ctx.session.get(Petition, recording.petition_id),
        leaves=leaves(ctx, recording),
        watched=watched_by(ctx, recording),
        told=[(row, _name(ctx, row.actor_id)) for row in ctx.session.scalars(told.limit(MOST))],
        words=TOLD,
        may_give=recording.state != DESTROYED and leave.may_give(ctx.session, recording, ctx.staff.id),
        receivers=receivers(ctx),
        views_it=leave.may_view(ctx.session, recording, ctx.staff.id, now=ctx.now),
        form=form,
        most=MOST,
    )


def _known(ctx: Context) -> Recording:
    """For those who may view it, and for those who could give leave. Raises NotFound to all others."""
    try:
        recording = service.get(ctx.session, ctx.path("recording_id"))
    except NotFound:
        raise NotFound from None
    if not _may_know(ctx, recording):
        raise NotFound
    return recording


def _may_know(ctx: Context, recording: Recording) -> bool:
    who = ctx.staff.id
    return leave.may_view(ctx.session, recording, who, now=ctx.now) or leave.may_give(ctx.session, recording, who)


def _to(ctx: Context, row: Grant) -> str:
    if row.staff_id is not None:
        return _name(ctx, row.staff_id)
    if row.department_id is not None:
        department = ctx.session.get(Department, row.department_id)
        return ctx._(DEPARTMENT).format(department=department.name(ctx.lang) if department else "—")
    return ctx._(ROLES[row.role]) if row.role in ROLES else "—"


def _name(ctx: Context, staff_id: str | None) -> str:
    person = ctx.session.get(Staff, staff_id) if staff_id else None
    return person.name(ctx.lang) if person else "—"
