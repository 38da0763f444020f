"""A manager writes for the own centre's hall; the ministry's administrator for all halls or for one."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from core.calendar import at_local, day_of
from core.errors import NotFound
from core.language import N_
from core.staff.rules import ADMIN, MANAGER
from core.text import latin_digits
from queueing.tickets import queries
from reception.centres.models import Centre
from reception.centres.service import centres
from reception.notices import rules, states
from reception.notices import service as notices
from reception.notices.models import HallScreen, Notice
from web.admin.common import trying
from web.forms import Form
from web.hall.routes import board, icon_of
from web.http import Context, Pages, staff

pages = Pages()
writers = staff(MANAGER, ADMIN)

DIRECTIONS = {
    "ahead": N_("Straight ahead"),
    "ahead-right": N_("Ahead to the right"),
    "right": N_("To the right"),
    "back": N_("Behind you"),
    "left": N_("To the left"),
    "ahead-left": N_("Ahead to the left"),
}


@pages.get("/notices", audience=writers)
def index(ctx: Context) -> Response:
    mine = _mine(ctx)
    rows = notices.listed(ctx.session, mine, now=ctx.now)
    shown = [n for n in rows if n.state == states.PUBLISHED and n.until_at > ctx.now]
    return ctx.render(
        "notices/index.html",
        now_shown=[n for n in shown if n.from_at <= ctx.now],
        coming=[n for n in shown if n.from_at > ctx.now],
        over=[n for n in rows if n not in shown],
        mine=mine,
        ministry_wide=ADMIN in ctx.staff.roles,
        names={centre.id: centre.name(ctx.lang) for centre in centres(ctx.session)},
        halls=_halls(ctx),
    )


@pages.get("/notices/new", audience=writers)
def new(ctx: Context) -> Response:
    start, end = _local(ctx, ctx.now), _local(ctx, ctx.now + timedelta(hours=4))
    given = {"from_day": start[0], "from_time": start[1], "until_day": end[0], "until_time": end[1]}
    return _form(ctx, Form(ctx, **given), None)


@pages.post("/notices/new", audience=writers)
def publish(ctx: Context) -> Response:
    form = Form(ctx)
    given = _read(ctx, form)
    centre_id = _mine(ctx)
    if centre_id is None:
        centre_id = form.choice("centre", ["", *(c.id for c in centres(ctx.session))], required=False) or None
    if not form.errors:
        with trying(ctx, form):
            notices.publish(ctx.session, centre_id=centre_id, author_id=ctx.staff.id, now=ctx.now, **given)
            ctx.flash(ctx._("The notice is published."))
            return ctx.redirect("/notices")
    return _form(ctx, form, None, status=422)


@pages.get("/notices/screen/{centre_id}", audience=writers)
def screen(ctx: Context) -> Response:
    centre = _hall(ctx)
    return _screen_form(ctx, centre, notices.screen(ctx.session, centre.id), Form(ctx))


@pages.post("/notices/screen/{centre_id}", audience=writers)
def set_screen(ctx: Context) -> Response:
    centre, form = _hall(ctx), Form(ctx)
    volume = form.integer("volume", low=0, high=rules.LOUDEST)
    quiet = [_minute(ctx, form, name) for name in ("quiet_from", "quiet_until")]
    counters = queries.counters(ctx.session, centre.id)
    ways = {c.id: way for c in counters if (way := form.choice(f"way-{c.number}", rules.DIRECTIONS, required=False))}
    if not form.errors:
        with trying(ctx, form):
            notices.set_screen(
                ctx.session,
                centre.id,
                volume=volume,
                english=form.flag("english"),
                quiet_from=quiet[0],
                quiet_until=quiet[1],
                ways=ways,
                now=ctx.now,
            )
            ctx.flash(ctx._("Saved"))
            return ctx.redirect("/notices")
    return _screen_form(ctx, centre, notices.screen(ctx.session, centre.id), form, status=422)


@pages.get("/notices/{notice_id}", audience=writers)
def edit(ctx: Context) -> Response:
    row = _own(ctx)
    start, end = _local(ctx, row.from_at), _local(ctx, row.until_at)
    given = {"from_day": start[0], "from_time": start[1], "until_day": end[0], "until_time": end[1]}
    return _form(ctx, Form(ctx, text_ar=row.text_ar, text_en=row.text_en, **given), row)


@pages.post("/notices/{notice_id}", audience=writers)
def change(ctx: Context) -> Response:
    row, form = _own(ctx), Form(ctx)
    given = _read(ctx, form)
    if not form.errors:
        with trying(ctx, form):
            notices.change(ctx.session, row, now=ctx.now, **given)
            ctx.flash(ctx._("Saved"))
            return ctx.redirect("/notices")
    return _form(ctx, form, row, status=422)


@pages.post("/notices/{notice_id}/withdraw", audience=writers)
def withdraw(ctx: Context) -> Response:
    notices.withdraw(ctx.session, _own(ctx), now=ctx.now)
    ctx.flash(ctx._("The notice is off the screens."))
    return ctx.redirect("/notices")


@pages.get("/notices/{notice_id}/preview", audience=writers)
def preview(ctx: Context) -> Response:
    """The whole board as the hall would show it with this notice; nothing on it moves and nothing speaks."""
    row = _own(ctx)
    wanted = row.centre_id or ctx.staff.centre_id
    centre = next((c for c in _halls(ctx) if wanted in (None, c.id)), None)
    if centre is None:
        raise NotFound("There is no such centre.")
    draft = {"id": row.id, "ar": row.text_ar, "en": row.text_en, "urgent": row.urgent, "icon": icon_of(row)}
    return ctx.render("hall/board.html", **board(ctx, centre, draft=draft))


def _mine(ctx: Context) -> str | None:
    """The centre whose notices are this person's: None for the ministry's administrator. Nobody's: NotFound."""
    if ADMIN in ctx.staff.roles:
        return None
    if not ctx.staff.centre_id:
        raise NotFound("Your account belongs to no centre yet.")
    return ctx.staff.centre_id


def _own(ctx: Context) -> Notice:
    return notices.notice(ctx.session, ctx.path("notice_id"), centre_id=_mine(ctx))


def _halls(ctx: Context) -> list[Centre]:
    mine = _mine(ctx)
    return [centre for centre in centres(ctx.session) if mine in (None, centre.id)]


def _hall(ctx: Context) -> Centre:
    wanted = ctx.path("centre_id")
    found = next((centre for centre in _halls(ctx) if centre.id == wanted), None)
    if found is None:
        raise NotFound("There is no such centre.")
    return found


def _read(ctx: Context, form: Form) -> dict[str, Any]:
    return {
        "text_ar": form.text("text_ar", max=rules.LONGEST_TEXT),
        "text_en": form.text("text_en", max=rules.LONGEST_TEXT),
        "urgent": form.flag("urgent"),
        "from_at": _instant(ctx, form, "from"),
        "until_at": _instant(ctx, form, "until"),
    }


def _instant(ctx: Context, form: Form, name: str) -> datetime:
    """From a day in either calendar and a time of day; what can't be read is noted at its field."""
    minute = _minute(ctx, form, f"{name}_time", required=True)
    try:
        day = day_of(form.text(f"{name}_day", max=30))
    except ValueError:
        form.add(f"{name}_day", ctx._("Please choose a day."))
        return ctx.now
    return at_local(day, *divmod(minute or 0, 60), ctx.settings.timezone)


def _minute(ctx: Context, form: Form, name: str, *, required: bool = False) -> int | None:
    """Minutes of the day; None for an empty field."""
    raw = latin_digits(form.text(name, required=required, max=10))
    found = re.fullmatch(r"(\d{1,2}):(\d{2})(:\d{2})?", raw)
    if found and int(found[1]) < 24 and int(found[2]) < 60:
        return int(found[1]) * 60 + int(found[2])
    if raw:
        form.add(name, ctx._("Please enter a time of day, such as 12:30."))
    return None


def _local(ctx: Context, at: datetime) -> tuple[str, str]:
    local = at.astimezone(ZoneInfo(ctx.settings.timezone))
    return local.strftime("%Y-%m-%d"), local.strftime("%H:%M")


def _form(ctx: Context, form: Form, row: Notice | None, *, status: int = 200) -> Response:
    posted = ctx.request.method == "POST"
    return ctx.render(
        "notices/form.html",
        status=status,
        form=form,
        notice=row,
        urgent=form.flag("urgent") if posted else bool(row and row.urgent),
        halls=_halls(ctx) if _mine(ctx) is None else [],
        longest=rules.LONGEST_TEXT,
    )


def _screen_form(ctx: Context, centre: Centre, row: HallScreen, form: Form, *, status: int = 200) -> Response:
    posted = ctx.request.method == "POST"
    quiet = {"quiet_from": row.quiet_from, "quiet_until": row.quiet_until}
    kept = {name: "" if at is None else f"{at // 60:02d}:{at % 60:02d}" for name, at in quiet.items()}
    counters = queries.counters(ctx.session, centre.id)
    return ctx.render(
        "notices/screen.html",
        status=status,
        form=form,
        centre=centre,
        volume=form.values.get("volume", "") if posted else row.volume,
        english=form.flag("english") if posted else row.english,
        quiet={name: form.values.get(name, "") if posted else kept[name] for name in kept},
        counters=counters,
        ways={c.id: form.values.get(f"way-{c.number}", "") if posted else row.ways.get(c.id, "") for c in counters},
        directions=[(key, ctx._(label)) for key, label in DIRECTIONS.items()],
    )
