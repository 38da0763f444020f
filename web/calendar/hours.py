"""The ministry's working hours: what every deadline and every centre without hours of its own goes by."""

from starlette.responses import Response

from core import audit
from core.workdays import rules, service
from web.admin.common import admins, tabs, trying
from web.admin.opening import read_week, week
from web.forms import Form
from web.http import Context, Pages

pages = Pages()
PAGE = "/admin/working-hours"


@pages.get(PAGE, audience=admins)
def show(ctx: Context) -> Response:
    return _page(ctx, Form(ctx))


@pages.post(PAGE, audience=admins)
def change(ctx: Context) -> Response:
    form = Form(ctx)
    days, fasting = read_week(form), read_week(form, "ramadan")
    if not form.errors:
        with trying(ctx, form):
            row = service.set_hours(ctx.session, days, fasting, now=ctx.now)
            detail = {"week": row.week, "ramadan": row.ramadan} if row else {}
            audit.note(ctx.session, "change hours", "ministry", "ministry", now=ctx.now, detail=detail)
            ctx.flash(ctx._("Saved"))
            return ctx.redirect(PAGE)
    return _page(ctx, form, status=422)


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
