"""The audit trail: who read or changed what, in words; ids only, no case is opened from here."""

from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.audit import AuditEntry
from core.staff.models import Staff
from web.admin import words
from web.admin.common import admins, page_number, tabs
from web.http import Context, Pages

pages = Pages()
PAGE = 50
NO_ACCOUNTS = ("system", "command line", "demo")  # who also acts
FEW = 1000


@pages.get("/admin/audit", audience=admins)
def trail(ctx: Context) -> Response:
    page = page_number(ctx)
    query = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    who = ctx.query.get("who", "").strip().lower()
    mine = _of(ctx.session, query, who) if who else query
    rows = list(ctx.session.scalars(mine.offset((page - 1) * PAGE).limit(PAGE + 1))) if mine is not None else []
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


def _of(session: Session, query: Select[tuple[AuditEntry]], who: str) -> Select[tuple[AuditEntry]] | None:
    """Narrowed to what this account did; None for a name that nobody has, for which the whole trail would be read.

    Who did much is found by reading the latest entries, and who did little by the account: each is the shorter way.
    """
    named = query.where(AuditEntry.actor_name == who)
    if who in NO_ACCOUNTS:
        return named
    account_id = session.scalar(select(Staff.id).where(Staff.username == who))
    if account_id is None:
        return None
    some = select(literal(1)).where(AuditEntry.actor_id == account_id).limit(FEW)
    did_much = session.scalar(select(func.count()).select_from(some.subquery())) == FEW
    return named if did_much else named.where(AuditEntry.actor_id == account_id)
