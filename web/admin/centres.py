"""Centres and departments: where people are received, and where petitions go."""

from typing import Any

from sqlalchemy import func, select
from starlette.responses import Response

from core.staff.models import Staff
from reception.centres import hall, setup
from reception.centres.models import Centre, Department
from reception.kiosks import service as kiosks
from reception.kiosks import states as printing
from web.admin import proposals
from web.admin.common import admins, names, tabs, trying
from web.counter import words as queue_words
from web.forms import Form
from web.http import Context, Pages

pages = Pages()


@pages.get("/admin/centres", audience=admins)
def centres(ctx: Context) -> Response:
    rows = setup.every_centre(ctx.session)
    return ctx.render(
        "admin/centres.html",
        tab_items=tabs(ctx, "/admin/centres"),
        centres=rows,
        sections=queue_words.SECTIONS,
        counters={row.id: sum(map(hall.in_service, hall.counters(ctx.session, row.id))) for row in rows},
        people=_people(ctx, Staff.centre_id),
        proposed=proposals.waiting(ctx.session, now=ctx.now),
    )


@pages.get("/admin/centres/new", audience=admins)
def new_centre(ctx: Context) -> Response:
    return _centre_form(ctx, Form(ctx), None)


@pages.post("/admin/centres/new", audience=admins)
def add_centre(ctx: Context) -> Response:
    form = Form(ctx)
    code = form.text("code", max=20)
    given = _read_centre(form)
    if not form.errors:
        with trying(ctx, form):
            row = setup.add_centre(ctx.session, code=code, now=ctx.now, **given)
            ctx.flash(ctx._("The centre is set up. Now give it services, then counters."))
            return ctx.redirect(f"/admin/centres/{row.id}")
    return _centre_form(ctx, form, None, status=422)


@pages.get("/admin/centres/{centre_id}", audience=admins)
def centre(ctx: Context) -> Response:
    """What the centre offers; its own names are changed on the page behind."""
    row = setup.centre(ctx.session, ctx.path("centre_id"))
    points = hall.points(ctx.session, row.id)
    return ctx.render(
        "admin/centre.html",
        centre=row,
        points=points,
        point_names={point.id: point.name(ctx.lang) for point in points},
        counters=hall.counters(ctx.session, row.id),
        devices=kiosks.kiosks(ctx.session, row.id),
        conditions=printing.CONDITIONS,
        in_service=hall.in_service,
        sections=queue_words.SECTIONS,
        spoken=queue_words.LANGUAGES,
    )


@pages.get("/admin/centres/{centre_id}/edit", audience=admins)
def edit_centre(ctx: Context) -> Response:
    row = setup.centre(ctx.session, ctx.path("centre_id"))
    fields = ("code", "name_ar", "name_en", "place_ar", "place_en")
    return _centre_form(ctx, Form(ctx, **{name: getattr(row, name) for name in fields}), row)


@pages.post("/admin/centres/{centre_id}/edit", audience=admins)
def change_centre(ctx: Context) -> Response:
    row = setup.centre(ctx.session, ctx.path("centre_id"))
    form = Form(ctx)
    given = _read_centre(form)
    if not form.errors:
        with trying(ctx, form):
            setup.change_centre(ctx.session, row.id, active=form.flag("active"), now=ctx.now, **given)
            ctx.flash(ctx._("Saved"))
            return ctx.redirect(f"/admin/centres/{row.id}")
    return _centre_form(ctx, form, row, status=422)


@pages.get("/admin/departments", audience=admins)
def departments(ctx: Context) -> Response:
    return ctx.render(
        "admin/departments.html",
        tab_items=tabs(ctx, "/admin/departments"),
        departments=setup.every_department(ctx.session),
        people=_people(ctx, Staff.department_id),
    )


@pages.get("/admin/departments/new", audience=admins)
def new_department(ctx: Context) -> Response:
    return _department_form(ctx, Form(ctx), None)


@pages.post("/admin/departments/new", audience=admins)
def add_department(ctx: Context) -> Response:
    form = Form(ctx)
    code, given = form.text("code", max=20), names(form)
    if not form.errors:
        with trying(ctx, form):
            setup.add_department(ctx.session, code=code, now=ctx.now, **given)
            ctx.flash(ctx._("The department is set up. Give its officers their accounts."))
            return ctx.redirect("/admin/departments")
    return _department_form(ctx, form, None, status=422)


@pages.get("/admin/departments/{department_id}", audience=admins)
def edit_department(ctx: Context) -> Response:
    row = setup.department(ctx.session, ctx.path("department_id"))
    return _department_form(ctx, Form(ctx, code=row.code, name_ar=row.name_ar, name_en=row.name_en), row)


@pages.post("/admin/departments/{department_id}", audience=admins)
def change_department(ctx: Context) -> Response:
    row = setup.department(ctx.session, ctx.path("department_id"))
    form = Form(ctx)
    given = names(form)
    if not form.errors:
        with trying(ctx, form):
            active = row.is_office or form.flag("active")
            setup.change_department(ctx.session, row.id, active=active, now=ctx.now, **given)
            ctx.flash(ctx._("Saved"))
            return ctx.redirect("/admin/departments")
    return _department_form(ctx, form, row, status=422)


def _read_centre(form: Form) -> dict[str, Any]:
    return {
        **names(form),
        "place_ar": form.text("place_ar", max=120),
        "place_en": form.text("place_en", max=120),
        "sections": form.many("sections"),
        "video_hall": form.flag("video_hall"),
    }


def _centre_form(ctx: Context, form: Form, row: Centre | None, *, status: int = 200) -> Response:
    posted = ctx.request.method == "POST"
    return ctx.render(
        "admin/centre_form.html",
        status=status,
        form=form,
        centre=row,
        sections=queue_words.SECTIONS,
        chosen=form.many("sections") if posted else row.sections if row else list(queue_words.SECTIONS),
        video_hall=form.flag("video_hall") if posted else row.video_hall if row else True,
        active=form.flag("active") if posted else row.active if row else True,
    )


def _department_form(ctx: Context, form: Form, row: Department | None, *, status: int = 200) -> Response:
    active = form.flag("active") if ctx.request.method == "POST" else row.active if row else True
    return ctx.render("admin/department.html", status=status, form=form, department=row, active=active)


def _people(ctx: Context, place: Any) -> dict[str, int]:
    """How many active accounts work in each place."""
    counted = select(place, func.count()).where(place.is_not(None), Staff.active).group_by(place)
    return {str(key): int(count) for key, count in ctx.session.execute(counted).all()}
