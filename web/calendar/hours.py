"""The ministry's working hours: what every deadline and every centre without hours of its own goes by.

Administration sets them and sees a number; the office sees who is expected outside them, and moves everybody.
"""

from starlette.responses import Response

from core import audit
from core.calendar import digits
from core.errors import MajlisError
from core.staff.rules import AIDE
from core.workdays import rules, service
from reception.rearranging import hours as rearranging
from web.admin.common import admins, tabs, trying
from web.admin.opening import read_week, saved, week
from web.calendar.holidays import office_tabs
from web.calendar.reading import leavers
from web.forms import Form
from web.http import Context, Pages, staff

pages = Pages()
aides = staff(AIDE)
PAGE, OFFICE = "/admin/working-hours", "/office/hours"


@pages.get(PAGE, audience=admins)
def show(ctx: Context) -> Response:
    return _page(ctx, Form(ctx))


@pages.post(PAGE, audience=admins)
def change(ctx: Context) -> Response:
    form = Form(ctx)
    days, fasting = read_week(form), read_week(form, "ramadan")
    if not form.errors:
        with trying(ctx, form):
            hit = rearranging.set_hours(ctx.session, days, fasting, zone=ctx.settings.timezone, now=ctx.now)
            row = service.hours_of(ctx.session)
            detail = {"week": row.week, "ramadan": row.ramadan} if row else {}
            audit.note(ctx.session, "change hours", "ministry", "ministry", now=ctx.now, detail=detail)
            ctx.flash(saved(ctx, hit))
            return ctx.redirect(PAGE)
    return _page(ctx, form, status=422)


@pages.get(OFFICE, audience=aides)
def outside(ctx: Context) -> Response:
    """Whom other hours hit, with the plan that moves them."""
    return _outside(ctx)


@pages.post(f"{OFFICE}/move", audience=aides)
def move_all(ctx: Context) -> Response:
    """Everybody as the page has shown it, or nobody."""
    form = Form(ctx)
    reason = form.text("reason", required=False, max=200)
    try:
        done = rearranging.carry_out(
            ctx.session, mark=form.text("mark", max=64), reason=reason, by=ctx.staff.id, now=ctx.now
        )
    except MajlisError as error:
        return _outside(ctx, refusal=ctx.say(error), status=409)
    one, many = "{n} visitor was moved and is being told.", "{n} visitors were moved and are being told."
    ctx.flash(ctx.ngettext(one, many, len(done.moves)).format(n=digits(len(done.moves), ctx.lang)))
    return ctx.redirect(OFFICE)


@pages.get(f"{OFFICE}/move", audience=aides)
def move_address(ctx: Context) -> Response:
    """Where a refusal leaves the browser."""
    return ctx.redirect(OFFICE)


def _outside(ctx: Context, *, refusal: str = "", status: int = 200) -> Response:
    hit = rearranging.hit(ctx.session, now=ctx.now)
    plan = rearranging.plan(ctx.session, now=ctx.now)
    if hit:
        audit.note(ctx.session, "list", "page", OFFICE, now=ctx.now)
    return ctx.render(
        "calendar/outside.html",
        status=status,
        tabs=office_tabs(ctx, OFFICE),
        base=OFFICE,
        hit=len(hit),
        plan=plan,
        leavers=leavers(ctx, plan),
        refusal=refusal,
    )


def _page(ctx: Context, form: Form, *, status: int = 200) -> Response:
    row = service.hours_of(ctx.session)
    typed = form if form.errors else None
    return ctx.render(
        "calendar/hours.html",
        status=status,
        tabs=tabs(ctx, "/admin/holidays"),
        form=form,
        week=week(ctx, row.week if row else rules.DEFAULT_WEEK, typed),
        ramadan=week(ctx, row.ramadan if row else rules.DEFAULT_RAMADAN, typed, "ramadan"),
    )
