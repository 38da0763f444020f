"""A centre's services and counters."""

from typing import Any

from starlette.responses import Response

from queueing.tickets.models import Counter, ServicePoint
from reception.centres import hall, setup
from reception.centres.models import Centre
from web.admin import words
from web.admin.common import admins, names, trying
from web.admin.opening import read_week, week
from web.counter import words as queue_words
from web.forms import Form
from web.http import Context, Pages

pages = Pages()
POINTS, COUNTERS = "/admin/centres/{centre_id}/services", "/admin/centres/{centre_id}/counters"


@pages.get(f"{POINTS}/new", audience=admins)
def new_point(ctx: Context) -> Response:
    return _point_form(ctx, _centre(ctx), Form(ctx), None)


@pages.post(f"{POINTS}/new", audience=admins)
def add_point(ctx: Context) -> Response:
    centre, form = _centre(ctx), Form(ctx)
    code = form.text("code", max=20)
    given = _read_point(ctx, form)
    if not form.errors:
        with trying(ctx, form):
            hall.add_point(ctx.session, centre.id, code=code, now=ctx.now, **given)
            ctx.flash(ctx._("The service is set up. Choose it at the counters that are to offer it."))
            return ctx.redirect(f"/admin/centres/{centre.id}")
    return _point_form(ctx, centre, form, None, status=422)


@pages.get(f"{POINTS}/{{point_id}}", audience=admins)
def edit_point(ctx: Context) -> Response:
    centre = _centre(ctx)
    row = hall.point(ctx.session, centre.id, ctx.path("point_id"))
    fields = ("name_ar", "name_en", "icon", "letter", "kind", "first_number", "daily_limit", "target_minutes")
    return _point_form(ctx, centre, Form(ctx, **{name: getattr(row, name) for name in fields}), row)


@pages.post(f"{POINTS}/{{point_id}}", audience=admins)
def change_point(ctx: Context) -> Response:
    centre, form = _centre(ctx), Form(ctx)
    row = hall.point(ctx.session, centre.id, ctx.path("point_id"))
    given = _read_point(ctx, form)
    if not form.errors:
        with trying(ctx, form):
            hall.change_point(ctx.session, centre.id, row.id, active=form.flag("active"), now=ctx.now, **given)
            ctx.flash(ctx._("Saved"))
            return ctx.redirect(f"/admin/centres/{centre.id}")
    return _point_form(ctx, centre, form, row, status=422)


@pages.get(f"{COUNTERS}/new", audience=admins)
def new_counter(ctx: Context) -> Response:
    centre = _centre(ctx)
    return _counter_form(ctx, centre, Form(ctx, number=_next_number(ctx, centre)), None)


@pages.post(f"{COUNTERS}/new", audience=admins)
def add_counter(ctx: Context) -> Response:
    centre, form = _centre(ctx), Form(ctx)
    given = _read_counter(form)
    if not form.errors:
        with trying(ctx, form):
            hall.add_counter(ctx.session, centre.id, now=ctx.now, **given)
            ctx.flash(ctx._("The counter is set up. A receptionist of this centre can open it now."))
            return ctx.redirect(f"/admin/centres/{centre.id}")
    return _counter_form(ctx, centre, form, None, status=422)


@pages.get(f"{COUNTERS}/{{counter_id}}", audience=admins)
def edit_counter(ctx: Context) -> Response:
    centre = _centre(ctx)
    row = hall.counter(ctx.session, centre.id, ctx.path("counter_id"))
    return _counter_form(ctx, centre, Form(ctx, name_ar=row.name_ar, name_en=row.name_en, number=row.number), row)


@pages.post(f"{COUNTERS}/{{counter_id}}", audience=admins)
def change_counter(ctx: Context) -> Response:
    centre, form = _centre(ctx), Form(ctx)
    row = hall.counter(ctx.session, centre.id, ctx.path("counter_id"))
    given = _read_counter(form)
    if not form.errors:
        with trying(ctx, form):
            hall.change_counter(ctx.session, centre.id, row.id, now=ctx.now, **given)
            ctx.flash(ctx._("Saved"))
            return ctx.redirect(f"/admin/centres/{centre.id}")
    return _counter_form(ctx, centre, form, row, status=422)


@pages.post(f"{COUNTERS}/{{counter_id}}/retire", audience=admins)
def retire_counter(ctx: Context) -> Response:
    centre = _centre(ctx)
    gone = hall.retire_counter(ctx.session, centre.id, ctx.path("counter_id"), now=ctx.now)
    ctx.flash(ctx._("The counter is removed.") if gone else ctx._("The counter is out of service. Its past is kept."))
    return ctx.redirect(f"/admin/centres/{centre.id}")


def _centre(ctx: Context) -> Centre:
    return setup.centre(ctx.session, ctx.path("centre_id"))


def _read_point(ctx: Context, form: Form) -> dict[str, Any]:
    limited = bool(form.values.get("daily_limit", "").strip())
    given = {
        **names(form),
        "letter": form.text("letter", max=5),
        "icon": form.choice("icon", words.ICONS),
        "kind": form.choice("kind", words.KINDS, default="reception"),
        "sections": form.many("sections"),
        "kiosk": form.flag("kiosk"),
        "first_number": form.integer("first_number", low=1, high=900, default=1),
        "daily_limit": form.integer("daily_limit", low=1, high=9999) if limited else None,
        "target_minutes": form.integer("target_minutes", low=1, high=480, default=15),
        "hours": {},
        "then": form.many("then"),
    }
    if form.flag("own_hours"):
        given["hours"] = read_week(form)
        if not given["hours"] and not form.errors:
            form.add("day_6", ctx._("Give the hours of at least one day, or let the centre's hold."))
    return given


def _read_counter(form: Form) -> dict[str, Any]:
    return {
        **names(form),
        "number": form.integer("number", low=1, high=99),
        "service_point_ids": form.many("services"),
        "sections": form.many("sections"),
        "languages": [code for code in form.many("languages") if code in queue_words.LANGUAGES],
        "sign_language": form.flag("sign_language"),
    }


def _point_form(ctx: Context, centre: Centre, form: Form, row: ServicePoint | None, *, status: int = 200) -> Response:
    posted = ctx.request.method == "POST"
    return ctx.render(
        "admin/point.html",
        status=status,
        form=form,
        centre=centre,
        point=row,
        sections=queue_words.SECTIONS,
        chosen=form.many("sections") if posted else row.sections if row else centre.sections,
        active=form.flag("active") if posted else row.active if row else True,
        icons=words.ICONS,
        kinds=words.KINDS,
        kiosk=form.flag("kiosk") if posted else row.kiosk if row else True,
        own_hours=form.flag("own_hours") if posted else bool(row and row.hours),
        week=week(ctx, row.hours if row else {}, form if posted else None),
        onward=[(p.id, p.name(ctx.lang)) for p in hall.points(ctx.session, centre.id) if p.active and p is not row],
        chosen_then=form.many("then") if posted else row.then if row else [],
    )


def _counter_form(ctx: Context, centre: Centre, form: Form, row: Counter | None, *, status: int = 200) -> Response:
    posted = ctx.request.method == "POST"
    points = [point for point in hall.points(ctx.session, centre.id) if point.active]
    return ctx.render(
        "admin/counter.html",
        status=status,
        form=form,
        centre=centre,
        counter=row,
        in_service=row is None or hall.in_service(row),
        service_options=[(point.id, f"{point.letter} · {point.name(ctx.lang)}") for point in points],
        chosen_services=form.many("services") if posted else row.service_point_ids if row else [p.id for p in points],
        sections=queue_words.SECTIONS,
        chosen=form.many("sections") if posted else row.sections if row else centre.sections,
        spoken=queue_words.LANGUAGES,
        chosen_languages=form.many("languages") if posted else row.languages if row else ["ar"],
        sign_language=form.flag("sign_language") if posted else bool(row and row.sign_language),
    )


def _next_number(ctx: Context, centre: Centre) -> int:
    return max((row.number for row in hall.counters(ctx.session, centre.id)), default=0) + 1
