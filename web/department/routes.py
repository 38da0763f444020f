"""What lies with the department: to be confirmed, in work, asked, settled; the most pressing first."""

from collections.abc import Sequence

from sqlalchemy import select
from starlette.responses import Response

from core.errors import Mistake, NotFound
from core.staff.rules import AIDE, MANAGER, OFFICER, OFFICIAL
from core.text import left_to_right
from reception import access
from reception.centres.models import Department
from reception.deadlines import escalation, rules
from reception.directives import service as directives
from reception.directives.models import Directive
from reception.files.rules import ACCEPT
from reception.petitions import queries, service
from reception.petitions.models import Petition
from web.cases import door, papers
from web.cases.view import show
from web.forms import Form
from web.http import Context, Pages, staff
from web.office.orders import carry_out

pages = Pages()
ONLY = staff(OFFICER)


@pages.get("/department", audience=ONLY)
def index(ctx: Context) -> Response:
    return _page(ctx, Form(ctx))


def _page(ctx: Context, form: Form, *, open_order: str = "", status: int = 200) -> Response:
    department = ctx.session.get(Department, ctx.staff.department_id or "")
    if department is None:
        raise NotFound("Your account belongs to no department yet.")
    counts = queries.shelf_counts(ctx.session, ctx.staff)
    asked_for = ctx.query.get("shelf", "")
    shelf = asked_for if asked_for in (*queries.SHELVES, queries.OPINIONS, queries.LATE) else _fullest(counts)
    text = ctx.query.get("q", "")[:120]
    number = ctx.query.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() else 1
    orders = directives.of_department(ctx.session, department.id)
    opinions = queries.opinions_asked(ctx.session, ctx.staff) if shelf == queries.OPINIONS else []
    cases, pages_ = (
        ([], 1)
        if shelf == queries.OPINIONS
        else queries.inbox(ctx.session, ctx.staff, shelf=shelf, text=text, page=page, now=ctx.now)
    )
    return show(
        ctx,
        "department/index.html",
        status=status,
        department=department,
        shelf=shelf,
        counts=counts | {queries.OPINIONS: queries.opinions_count(ctx.session, department.id)},
        opinions=opinions,
        told=escalation.unseen(ctx.session, ctx.staff.id),
        cases=cases,
        page=min(max(page, 1), pages_),
        pages=pages_,
        q=text,
        overdue=queries.overdue(ctx.session, ctx.staff, now=ctx.now),
        orders=orders,
        reports=directives.reports(ctx.session, [order.id for order in orders]),
        about=_about(ctx, orders),
        accept=ACCEPT,
        form=form,
        open_order=open_order,
    )


def _about(ctx: Context, orders: Sequence[Directive]) -> dict[str, Petition]:
    """The petitions of these orders that the department may open; an order stands alone where it may not."""
    wanted = select(Petition).where(Petition.id.in_({order.petition_id for order in orders}))
    return {case.id: case for case in ctx.session.scalars(access.visible(wanted, ctx.staff))}


@pages.post("/department/{id}/acknowledge", audience=ONLY)
def acknowledge(ctx: Context) -> Response:
    """Confirm from the list, without opening the case."""
    petition = door.require(ctx, ctx.path("id"), "acknowledge")
    service.acknowledge(ctx.session, petition.id, staff_id=ctx.staff.id, now=ctx.now)
    ctx.flash(ctx._("Receipt of {case} confirmed.").format(case=left_to_right(petition.case_number)))
    return ctx.redirect("/department?shelf=to-confirm")


@pages.post("/department/orders/{id}", audience=ONLY, before=papers.prepare)
def carried_out(ctx: Context) -> Response:
    """An order of the minister is done; the proof stands in the case's story."""
    order, form = _order(ctx), Form(ctx)
    try:
        carry_out(ctx, form, order)
    except Mistake as mistake:
        form.add(mistake.field or "proof", ctx.say(mistake))
    if form.errors:
        return _page(ctx, form, open_order=order.id, status=422)
    ctx.flash(ctx._("Reported to the minister's office."))
    return ctx.redirect("/department")


@pages.post("/department/orders/{id}/report", audience=ONLY)
def progress(ctx: Context) -> Response:
    """How far it is; the office reads it on its list of open orders."""
    order, form = _order(ctx), Form(ctx)
    if text := form.text("progress", max=4000, lines=True):
        directives.report(ctx.session, order.id, text=text, by=ctx.staff.id, now=ctx.now)
    if form.errors:
        return _page(ctx, form, open_order=order.id, status=422)
    ctx.flash(ctx._("Reported to the minister's office."))
    return ctx.redirect("/department")


@pages.get("/department/orders/{id}", audience=ONLY)
def order_left_behind(ctx: Context) -> Response:
    """Where a refused form leaves the browser."""
    _order(ctx)
    return ctx.redirect("/department")


@pages.get("/department/orders/{id}/report", audience=ONLY)
def report_left_behind(ctx: Context) -> Response:
    _order(ctx)
    return ctx.redirect("/department")


def _order(ctx: Context) -> Directive:
    """An order that this department carries out. Raises NotFound for any other's."""
    order = directives.get(ctx.session, ctx.path("id"))
    if order.department_id is None or order.department_id != ctx.staff.department_id:
        raise NotFound("There is no such directive.")
    return order


def _fullest(counts: dict[str, int]) -> str:
    """What waits to be confirmed comes first, as long as there is any."""
    return queries.TO_CONFIRM if counts[queries.TO_CONFIRM] else queries.AT_WORK


LATE = staff(OFFICER, MANAGER, OFFICIAL, AIDE)


@pages.get("/late", audience=LATE)
def late(ctx: Context) -> Response:
    """What this person was told of deadlines: what is new, and what they have taken note of."""
    new = escalation.of_staff(ctx.session, ctx.staff.id)
    known = escalation.of_staff(ctx.session, ctx.staff.id, seen=True, limit=20)
    wanted = select(Petition).where(Petition.id.in_({row.petition_id for row in (*new, *known)}))
    cases = {case.id: case for case in ctx.session.scalars(access.visible(wanted, ctx.staff))}
    return show(
        ctx,
        "department/late.html",
        new=[(row, cases.get(row.petition_id)) for row in new],
        known=[(row, cases[row.petition_id]) for row in known if row.petition_id in cases],
        steps=rules.STEPS,
        topic="office" if ctx.staff.roles & {OFFICIAL, AIDE} else f"department:{ctx.staff.department_id or ''}",
    )


@pages.post("/late/seen", audience=LATE)
def all_seen(ctx: Context) -> Response:
    escalation.take_note(ctx.session, ctx.staff.id, now=ctx.now)
    return ctx.redirect("/late")


@pages.post("/late/{id}/seen", audience=LATE)
def seen(ctx: Context) -> Response:
    if not escalation.take_note(ctx.session, ctx.staff.id, escalation_id=ctx.path("id"), now=ctx.now):
        raise NotFound("There is nothing here.")
    return ctx.redirect("/late")
