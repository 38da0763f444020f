"""Holidays: proposed by the tables, declared with real dates, and whom they hit. Administration declares them and sees
numbers; the office sees names and moves everybody in one step."""

from datetime import date, timedelta
from typing import Any

from starlette.responses import Response

from core import audit
from core.calendar import digits, full_day, local_day
from core.errors import MajlisError, Refused
from core.language import N_
from core.staff.rules import ADMIN, AIDE
from core.workdays import rules, service
from core.workdays.models import Holiday
from core.workdays.yearly import Proposal, proposals
from reception.centres import service as centres
from reception.rearranging import service as rearranging
from web.admin.common import tabs
from web.calendar.reading import day, leavers
from web.forms import Form
from web.http import Context, Pages, staff

pages = Pages()
aides, admins = staff(AIDE), staff(ADMIN)
OFFICE, ADMINISTRATION = "/office/holidays", "/admin/holidays"
AHEAD = timedelta(days=400)  # proposals are looked at so far
KINDS = {
    rules.RELIGIOUS: N_("Religious holiday"),
    rules.NATIONAL: N_("National holiday"),
    rules.CLOSURE: N_("Closed for another reason"),
    rules.OTHER: N_("Other holiday"),
}


def _index(ctx: Context) -> Response:
    return _list(ctx, Form(ctx))


def _declare(ctx: Context) -> Response:
    form = Form(ctx)
    first, last, names = _read(ctx, form)
    kind = form.choice("kind", rules.KINDS, default=rules.OTHER)
    places = {row.id for row in centres.centres(ctx.session)}
    centre_id = form.choice("centre_id", places, required=False) if form.values.get("centre_id") else ""
    if not form.errors and first and last:
        try:
            with form.catch():
                holiday = rearranging.declare(
                    ctx.session,
                    first_day=first,
                    last_day=last,
                    kind=kind,
                    centre_id=centre_id or None,
                    zone=ctx.settings.timezone,
                    now=ctx.now,
                    **names,
                )
                ctx.flash(ctx._("The holiday is declared. Nothing more is booked on it."))
                return ctx.redirect(f"{_base(ctx)}/{holiday.id}")
        except Refused as refusal:
            form.add("", ctx.say(refusal))
    return _list(ctx, form, status=422)


def _show(ctx: Context) -> Response:
    return _page(ctx, _holiday(ctx))


def _change(ctx: Context) -> Response:
    holiday, form = _holiday(ctx), Form(ctx)
    first, last, names = _read(ctx, form)
    if not form.errors and first and last:
        try:
            with form.catch():
                rearranging.change(
                    ctx.session, holiday.id, first_day=first, last_day=last, zone=ctx.settings.timezone, now=ctx.now,
                    **names,
                )  # fmt: skip
                ctx.flash(ctx._("Saved"))
                return ctx.redirect(f"{_base(ctx)}/{holiday.id}")
        except Refused as refusal:
            form.add("", ctx.say(refusal))
    return _page(ctx, holiday, form, status=422)


def _withdraw(ctx: Context) -> Response:
    holiday = _holiday(ctx)
    rearranging.withdraw(ctx.session, holiday.id, zone=ctx.settings.timezone, now=ctx.now)
    ctx.flash(ctx._("The holiday is withdrawn and its times are offered again. Who was moved keeps the new time."))
    return ctx.redirect(_base(ctx))


for base, audience in ((OFFICE, aides), (ADMINISTRATION, admins)):
    pages.get(base, audience=audience)(_index)
    pages.post(base, audience=audience)(_declare)
    pages.get(f"{base}/{{holiday_id}}", audience=audience)(_show)
    pages.post(f"{base}/{{holiday_id}}", audience=audience)(_change)
    pages.post(f"{base}/{{holiday_id}}/withdraw", audience=audience)(_withdraw)


@pages.post(f"{OFFICE}/{{holiday_id}}/move", audience=aides)
def move_all(ctx: Context) -> Response:
    """Everybody as the page has shown it, or nobody."""
    holiday = _holiday(ctx)
    try:
        done = rearranging.carry_out(
            ctx.session, holiday, mark=Form(ctx).text("mark", max=64), by=ctx.staff.id, zone=ctx.settings.timezone,
            now=ctx.now,
        )  # fmt: skip
    except MajlisError as error:
        return _page(ctx, holiday, refusal=ctx.say(error), status=409)
    one, many = "{n} visitor was moved and is being told.", "{n} visitors were moved and are being told."
    said = ctx.ngettext(one, many, len(done.moves))
    ctx.flash(said.format(n=digits(len(done.moves), ctx.lang)))
    return ctx.redirect(f"{OFFICE}/{holiday.id}")


@pages.get(f"{OFFICE}/{{holiday_id}}/move", audience=aides)
def move_address(ctx: Context) -> Response:
    """Where a refusal leaves the browser."""
    return ctx.redirect(f"{OFFICE}/{_holiday(ctx).id}")


def _list(ctx: Context, form: Form, *, status: int = 200) -> Response:
    zone = ctx.settings.timezone
    today = local_day(ctx.now, zone)
    coming = service.holidays(ctx.session, since=today)
    expected = {one.holiday.id: one.count for one in rearranging.unsettled(ctx.session, zone=zone, now=ctx.now)}
    offered = [one for one in proposals(today, today + AHEAD) if not _declared(one, coming)]
    chosen = next((one for one in offered if one.key == ctx.query.get("propose")), None)
    if chosen is not None and not form.errors:
        form = Form(
            ctx, **_as_typed(chosen.first_day, chosen.last_day, chosen.name_ar, chosen.name_en), kind=chosen.kind
        )
    return ctx.render(
        "calendar/holidays.html",
        status=status,
        **_common(ctx),
        form=form,
        today=today,
        coming=coming,
        expected=expected,
        offered=offered,
        chosen=chosen,
        centre_of={row.id: row for row in centres.centres(ctx.session)},
        kind_options=[(kind, ctx._(KINDS[kind])) for kind in rules.KINDS],
        centre_options=[
            ("", ctx._("In the whole ministry")),
            *((row.id, row.name(ctx.lang)) for row in centres.centres(ctx.session)),
        ],
    )


def _page(
    ctx: Context, holiday: Holiday, form: Form | None = None, *, refusal: str = "", status: int = 200
) -> Response:
    zone = ctx.settings.timezone
    hit = rearranging.hit(ctx.session, holiday, zone=zone, now=ctx.now)
    common = _common(ctx)
    plan = rearranging.plan(ctx.session, holiday, zone=zone, now=ctx.now) if common["office"] else None
    if plan is not None and hit:
        audit.note(ctx.session, "list", "holiday", holiday.id, now=ctx.now)
    initial = _as_typed(holiday.first_day, holiday.last_day, holiday.name_ar, holiday.name_en)
    return ctx.render(
        "calendar/holiday.html",
        status=status,
        **common,
        holiday=holiday,
        centre={row.id: row for row in centres.centres(ctx.session)}.get(holiday.centre_id or ""),
        kinds=KINDS,
        today=local_day(ctx.now, zone),
        hit=len(hit),
        plan=plan,
        leavers=leavers(ctx, plan) if plan else [],
        form=form or Form(ctx, **initial),
        refusal=refusal,
    )


def _read(ctx: Context, form: Form) -> tuple[date | None, date | None, dict[str, str]]:
    first = day(ctx, form, "first_day")
    last = day(ctx, form, "last_day", required=False) or first
    return first, last, {"name_ar": form.text("name_ar", max=80), "name_en": form.text("name_en", max=80)}


def _as_typed(first: date, last: date, name_ar: str, name_en: str) -> dict[str, str]:
    return {"first_day": first.isoformat(), "last_day": last.isoformat(), "name_ar": name_ar, "name_en": name_en}


def _declared(proposal: Proposal, coming: list[Holiday]) -> bool:
    """Something of the whole ministry stands on its days already."""
    return any(
        row.centre_id is None and row.first_day <= proposal.last_day and proposal.first_day <= row.last_day
        for row in coming
    )


def _holiday(ctx: Context) -> Holiday:
    return service.holiday(ctx.session, ctx.path("holiday_id"))


def _base(ctx: Context) -> str:
    return OFFICE if ctx.request.url.path.startswith("/office") else ADMINISTRATION


def _common(ctx: Context) -> dict[str, Any]:
    base = _base(ctx)
    return {
        "base": base,
        "office": base == OFFICE,
        "tabs": tabs(ctx, base) if base == ADMINISTRATION else office_tabs(ctx, base),
        "days": lambda row: days(row.first_day, row.last_day, ctx.lang),
    }


def days(first: date, last: date, lang: str) -> str:
    """`الأحد … – الثلاثاء …` with both calendars, or one day."""
    return full_day(first, lang) if first == last else f"{full_day(first, lang)} – {full_day(last, lang)}"


def office_tabs(ctx: Context, here: str) -> list[dict[str, Any]]:
    rows = (
        ("/office/calendar", ctx._("Week"), "calendar"),
        ("/office/sessions", ctx._("Recurring sessions"), "refresh"),
        *(((OFFICE, ctx._("Holidays"), "star"),) if AIDE in ctx.staff.roles else ()),
    )
    return [{"href": href, "label": label, "icon": icon, "current": href == here} for href, label, icon in rows]
