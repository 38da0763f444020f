"""When a centre receives: its week, that of Ramadan, and the days it alone stays closed."""

from datetime import date
from typing import Any

from starlette.responses import Response

from core import audit
from core.calendar import WEEKDAYS, day_of, digits, full_day, local_day
from core.errors import Mistake, NotFound
from core.workdays.rules import CLOSURE
from queueing.opening import rules, service
from reception.centres import setup
from reception.centres.models import Centre
from reception.rearranging import hours as rearranging_hours
from reception.rearranging import service as rearranging
from web.admin.common import admins, trying
from web.forms import Form
from web.http import Context, Pages

pages = Pages()
PAGE = "/admin/centres/{centre_id}/hours"


@pages.get(PAGE, audience=admins)
def show(ctx: Context) -> Response:
    return _page(ctx, _centre(ctx), Form(ctx), Form(ctx))


@pages.post(PAGE, audience=admins)
def change(ctx: Context) -> Response:
    centre, form = _centre(ctx), Form(ctx)
    own = form.flag("own_hours")
    hours, ramadan = (read_week(form), read_week(form, "ramadan")) if own else ({}, {})
    if form.flag("own_hours") and not hours and not form.errors:
        form.add("day_6", ctx._("Give the hours of at least one day, or receive at any time."))
    if not form.errors:
        with trying(ctx, form):
            before = _as_set(ctx, centre)
            hit = rearranging_hours.set_hours(
                ctx.session, hours, ramadan, zone=ctx.settings.timezone, now=ctx.now, centre_id=centre.id
            )
            if (after := _as_set(ctx, centre)) != before:
                audit.note(ctx.session, "change hours", "centre", centre.id, now=ctx.now, detail=after)
            ctx.flash(saved(ctx, hit))
            return ctx.redirect(f"/admin/centres/{centre.id}/hours")
    return _page(ctx, centre, form, Form(ctx), status=422)


@pages.post(f"{PAGE}/closed", audience=admins)
def close_on(ctx: Context) -> Response:
    """A day of rest of this centre. Whoever has an appointment in its hall is shown to the office, to be moved."""
    centre, form = _centre(ctx), Form(ctx)
    name_ar, name_en = form.text("name_ar", max=80), form.text("name_en", max=80)
    day = _day(ctx, form)
    if not form.errors and day:
        with trying(ctx, form):
            rearranging.declare(
                ctx.session, first_day=day, last_day=day, name_ar=name_ar, name_en=name_en, kind=CLOSURE,
                centre_id=centre.id, zone=ctx.settings.timezone, now=ctx.now,
            )  # fmt: skip
            audit.note(ctx.session, "close day", "centre", centre.id, now=ctx.now, detail={"day": day.isoformat()})
            ctx.flash(ctx._("The day is entered, and the office is shown whom it hits."))
            return ctx.redirect(f"/admin/centres/{centre.id}/hours")
    return _page(ctx, centre, Form(ctx), form, status=422)


@pages.get(f"{PAGE}/closed", audience=admins)
def closed_address(ctx: Context) -> Response:
    """Where a refused form leaves the browser."""
    return ctx.redirect(f"/admin/centres/{_centre(ctx).id}/hours")


@pages.post(f"{PAGE}/closed/{{day}}/open", audience=admins)
def open_again(ctx: Context) -> Response:
    centre = _centre(ctx)
    try:
        day = date.fromisoformat(ctx.path("day"))
    except ValueError:
        raise NotFound from None
    for row in service.closed_days(ctx.session, centre.id, since=day):
        if row.centre_id == centre.id and row.first_day <= day:
            rearranging.withdraw(ctx.session, row.id, zone=ctx.settings.timezone, now=ctx.now)
    audit.note(ctx.session, "open day", "centre", centre.id, now=ctx.now, detail={"day": day.isoformat()})
    ctx.flash(ctx._("The centre receives on this day again."))
    return ctx.redirect(f"/admin/centres/{centre.id}/hours")


def read_week(form: Form, prefix: str = "day") -> dict[str, list[list[int]]]:
    """The hours of each day as typed, with the errors beside their days."""
    found = {}
    for day in rules.WEEKDAYS:
        with form.catch():
            if spans := rules.read_spans(form.values.get(f"{prefix}_{day}", ""), field=f"{prefix}_{day}"):
                found[day] = spans
    return found


def week(ctx: Context, hours: rules.Hours, typed: Form | None = None, prefix: str = "day") -> list[dict[str, Any]]:
    """The fields of a week, Sunday first; with `typed`, what was typed and what is wrong with it."""
    return [
        {
            "field": f"{prefix}_{day}",
            "label": WEEKDAYS[ctx.lang][int(day)],
            "value": typed.values.get(f"{prefix}_{day}", "") if typed else rules.write_spans(hours.get(day, ())),
            "error": typed.errors.get(f"{prefix}_{day}", "") if typed else "",
        }
        for day in rules.WEEKDAYS
    ]


def saved(ctx: Context, hit: int) -> str:
    """What is said to who has set other hours: whether the office has somebody to move now."""
    if not hit:
        return ctx._("Saved")
    one, many = (
        "Saved. {n} visitor is expected outside the new hours: the office is shown who.",
        "Saved. {n} visitors are expected outside the new hours: the office is shown who.",
    )
    return ctx.ngettext(one, many, hit).format(n=digits(hit, ctx.lang))


def _as_set(ctx: Context, centre: Centre) -> dict[str, Any]:
    week, ramadan = service.hours_of(ctx.session, centre.id), service.ramadan_of(ctx.session, centre.id)
    return {"hours": week} | ({"ramadan": ramadan} if ramadan else {})


def _centre(ctx: Context) -> Centre:
    return setup.centre(ctx.session, ctx.path("centre_id"))


def _day(ctx: Context, form: Form) -> date | None:
    typed = form.text("day", max=20)
    try:
        return day_of(typed) if typed else None
    except (ValueError, Mistake):
        form.add("day", ctx._("Write the day like 2026-09-23 or 1448/4/12."))
        return None


def _page(ctx: Context, centre: Centre, form: Form, closing: Form, *, status: int = 200) -> Response:
    zone = ctx.settings.timezone
    hours = service.hours_of(ctx.session, centre.id)
    changing = bool(form.errors)
    return ctx.render(
        "admin/hours.html",
        status=status,
        centre=centre,
        form=form,
        closing=closing,
        own_hours=form.flag("own_hours") if changing else bool(hours),
        week=week(ctx, hours, form if changing else None),
        ramadan=week(ctx, service.ramadan_of(ctx.session, centre.id), form if changing else None, "ramadan"),
        now_open=service.opening(ctx.session, centre.id, zone=zone, now=ctx.now),
        closed=[
            (row, full_day(row.first_day, ctx.lang), full_day(row.last_day, ctx.lang))
            for row in service.closed_days(ctx.session, centre.id, since=local_day(ctx.now, zone))
        ],
    )
