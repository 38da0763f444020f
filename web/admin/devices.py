"""A centre's self-service devices and their printers."""

from typing import Any

from starlette.responses import Response

from reception.centres import setup
from reception.centres.models import Centre
from reception.kiosks import rules, service, states
from reception.kiosks.models import Kiosk
from web.admin.common import admins, names, trying
from web.forms import Form
from web.http import Context, Pages

pages = Pages()
DEVICES = "/admin/centres/{centre_id}/devices"


@pages.get(f"{DEVICES}/new", audience=admins)
def new_device(ctx: Context) -> Response:
    return _form(ctx, _centre(ctx), Form(ctx), None)


@pages.post(f"{DEVICES}/new", audience=admins)
def add_device(ctx: Context) -> Response:
    centre, form = _centre(ctx), Form(ctx)
    code, given = form.text("code", max=20), _read(form)
    if not form.errors:
        with trying(ctx, form):
            row = service.add(ctx.session, centre.id, code=code, now=ctx.now, **given)
            ctx.flash(ctx._("The device is set up. Open its address once on the device itself."))
            return ctx.redirect(f"/admin/centres/{centre.id}/devices/{row.id}")
    return _form(ctx, centre, form, None, status=422)


@pages.get(f"{DEVICES}/{{kiosk_id}}", audience=admins)
def edit_device(ctx: Context) -> Response:
    centre = _centre(ctx)
    row = service.kiosk(ctx.session, centre.id, ctx.path("kiosk_id"))
    fields = ("code", "name_ar", "name_en", "printer", "address", "paper_mm")
    return _form(ctx, centre, Form(ctx, **{name: getattr(row, name) for name in fields}), row)


@pages.post(f"{DEVICES}/{{kiosk_id}}", audience=admins)
def change_device(ctx: Context) -> Response:
    centre, form = _centre(ctx), Form(ctx)
    row = service.kiosk(ctx.session, centre.id, ctx.path("kiosk_id"))
    given = _read(form)
    if not form.errors:
        with trying(ctx, form):
            service.change(ctx.session, centre.id, row.id, active=form.flag("active"), now=ctx.now, **given)
            ctx.flash(ctx._("Saved"))
            return ctx.redirect(f"/admin/centres/{centre.id}/devices/{row.id}")
    return _form(ctx, centre, form, row, status=422)


@pages.post(f"{DEVICES}/{{kiosk_id}}/key", audience=admins)
def new_key(ctx: Context) -> Response:
    """For a device that was replaced or lost: the browser that had the old address is none of ours any more."""
    centre = _centre(ctx)
    row = service.new_key(ctx.session, centre.id, ctx.path("kiosk_id"), now=ctx.now)
    ctx.flash(ctx._("The device has a new address. Open it once on the device itself."))
    return ctx.redirect(f"/admin/centres/{centre.id}/devices/{row.id}")


def _centre(ctx: Context) -> Centre:
    return setup.centre(ctx.session, ctx.path("centre_id"))


def _read(form: Form) -> dict[str, Any]:
    return {
        **names(form),
        "printer": form.choice("printer", rules.KINDS),
        "address": form.text("address", required=False, max=260),
        "paper_mm": int(form.choice("paper_mm", [str(mm) for mm in rules.PAPERS], default="80") or 80),
    }


def _form(ctx: Context, centre: Centre, form: Form, row: Kiosk | None, *, status: int = 200) -> Response:
    posted = ctx.request.method == "POST"
    origin = (ctx.settings.public_url or str(ctx.request.base_url)).rstrip("/")
    return ctx.render(
        "admin/device.html",
        status=status,
        form=form,
        centre=centre,
        device=row,
        link=f"{origin}/kiosk/{centre.code}/device/{row.key}" if row else "",
        kinds=[(key, ctx._(name)) for key, name in rules.KINDS.items()],
        papers=[(mm, ctx._(name)) for mm, name in rules.PAPERS.items()],
        conditions=states.CONDITIONS,
        watched=row is not None and row.printer in rules.BY_SERVER,
        works=states.WORKS,
        active=form.flag("active") if posted else row.active if row else True,
    )
