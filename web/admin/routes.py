"""Administration: accounts, the audit trail and the state of the machine. No case, no recording: not even read."""

from sqlalchemy import select
from starlette.responses import Response

from core import jobs
from core.audit import AuditEntry
from core.staff.models import Staff
from core.staff.rules import ADMIN
from reception.centres.models import Centre, Department
from web.http import Context, Pages, staff

pages = Pages()
PAGE = 50


@pages.get("/admin", audience=staff(ADMIN))
def index(ctx: Context) -> Response:
    people = list(ctx.session.scalars(select(Staff).order_by(Staff.username)))
    return ctx.render(
        "admin/index.html",
        people=people,
        places={c.id: c for c in ctx.session.scalars(select(Centre))}
        | {d.id: d for d in ctx.session.scalars(select(Department))},
        backlog=jobs.backlog(ctx.session, now=ctx.now),
    )


@pages.get("/admin/audit", audience=staff(ADMIN))
def trail(ctx: Context) -> Response:
    page = max(int(ctx.query.get("page", "1")), 1) if ctx.query.get("page", "1").isdigit() else 1
    query = select(AuditEntry).order_by(AuditEntry.at.desc())
    if who := ctx.query.get("who", "").strip():
        query = query.where(AuditEntry.actor_name == who)
    rows = list(ctx.session.scalars(query.offset((page - 1) * PAGE).limit(PAGE + 1)))
    return ctx.render("admin/audit.html", rows=rows[:PAGE], page=page, more=len(rows) > PAGE, who=who)
