"""Who is told that a deadline nears or has passed, and who heads each department."""

from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from core.errors import NotFound
from core.staff.models import Staff, StaffRole
from core.staff.rules import OFFICER
from reception.centres import setup
from reception.deadlines import escalation, rules, service
from web.admin.common import admins, tabs, trying
from web.forms import Form
from web.http import Context, Pages

pages = Pages()
SPARE = 1


@pages.get("/admin/deadlines", audience=admins)
def index(ctx: Context) -> Response:
    return _page(ctx, Form(ctx))


@pages.post("/admin/deadlines/ladder/{step}", audience=admins)
def ladder(ctx: Context) -> Response:
    step, form = ctx.path("step"), Form(ctx)
    if step not in rules.STEPS:
        raise NotFound("There is nothing here.")
    rungs = []
    for n in range(escalation.MOST_RUNGS):
        whom = form.choice(f"{step}-{n}-whom", rules.LADDER, required=False)
        if not whom:
            continue
        hours = form.integer(f"{step}-{n}-hours", low=0, high=escalation.FURTHEST, default=0)
        rungs.append((-hours if form.values.get(f"{step}-{n}-side") == "before" else hours, whom))
    if not form.errors:
        with trying(ctx, form):
            escalation.set_ladder(ctx.session, step, [] if form.flag("usual") else rungs, now=ctx.now)
            ctx.flash(ctx._("Saved. Petitions under way follow it from now on."))
            return ctx.redirect("/admin/deadlines")
    return _page(ctx, form, status=422)


@pages.post("/admin/deadlines/heads", audience=admins)
def heads(ctx: Context) -> Response:
    form = Form(ctx)
    with trying(ctx, form):
        for row in setup.departments_at_work(ctx.session):
            if f"head-{row.id}" in form.values:
                escalation.set_head(ctx.session, row.id, form.values[f"head-{row.id}"] or None, now=ctx.now)
        ctx.flash(ctx._("Saved"))
        return ctx.redirect("/admin/deadlines")
    return _page(ctx, form, status=422)


def _page(ctx: Context, form: Form, *, status: int = 200) -> Response:
    officers = ctx.session.scalars(
        select(Staff).where(Staff.active, Staff.role_rows.any(StaffRole.role == OFFICER)).order_by(Staff.username)
    ).all()
    return ctx.render(
        "admin/deadlines.html",
        status=status,
        tab_items=tabs(ctx, "/admin/deadlines"),
        form=form,
        ladders=[(step, name, _rungs(ctx, step)) for step, name in rules.STEPS.items()],
        whom=[(key, ctx._(name)) for key, name in rules.LADDER.items()],
        departments=[row for row in setup.departments_at_work(ctx.session) if not row.is_office],
        officers=[(one.department_id, one.id, one.name(ctx.lang)) for one in officers],
        heads=escalation.heads(ctx.session),
    )


def _rungs(ctx: Context, step: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"hours": abs(hours), "side": "before" if hours < 0 else "after", "whom": whom}
        for hours, whom in service.rungs(ctx.session, step)
    ]
    return [*rows, *({"hours": "", "side": "after", "whom": ""} for _ in range(SPARE))][: escalation.MOST_RUNGS]
