"""The audit trail: who read or changed what, in words; ids only, no case is opened from here."""

from sqlalchemy import select
from starlette.responses import Response

from core.audit import AuditEntry
from core.staff.models import Staff
from web.admin import words
from web.admin.common import admins, page_number, tabs
from web.http import Context, Pages

pages = Pages()
PAGE = 50


@pages.get("/admin/audit", audience=admins)
def trail(ctx: Context) -> Response:
    page = page_number(ctx)
    query = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    if who := ctx.query.get("who", "").strip().lower():
        query = query.where(AuditEntry.actor_name == who)
    rows = list(ctx.session.scalars(query.offset((page - 1) * PAGE).limit(PAGE + 1)))
    about = {row.subject_id for row in rows if row.subject_kind == "staff"}
    accounts = ctx.session.scalars(select(Staff).where(Staff.id.in_(about)))
    return ctx.render(
        "admin/audit.html",
        tab_items=tabs(ctx, "/admin/audit"),
        rows=rows[:PAGE],
        page=page,
        more=len(rows) > PAGE,
        who=who,
        actions=words.ACTIONS,
        subjects=words.SUBJECTS,
        accounts={account.id: account.username for account in accounts},
    )
