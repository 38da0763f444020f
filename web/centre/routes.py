"""The manager's pages: the live view of the centre, what needs a hand there, and the what-if of a day."""

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.responses import Response

from core import audit
from core.calendar import day_bounds, local_day
from core.errors import Mistake, NotFound, Refused
from core.staff.rules import MANAGER
from queueing.tickets import service, urgency
from queueing.tickets.models import Ticket
from reception.centres.models import Centre
from video.meetings import service as meetings
from web.centre import sheet, whatif
from web.centre.board import live
from web.centre.choices import Choices
from web.http import Context, Pages, staff

pages = Pages()
managers = staff(MANAGER)


@pages.get("/centre", audience=managers)
def today(ctx: Context) -> Response:
    centre = _centre(ctx)
    if centre is None:
        return ctx.render("centre/nowhere.html")
    start, end = day_bounds(local_day(ctx.now, ctx.settings.timezone), ctx.settings.timezone)
    held = meetings.between(ctx.session, start, end, centre_id=centre.id)
    return ctx.render("centre/today.html", meetings=held, **live(ctx, centre))


@pages.post("/centre/help", audience=managers)
def answer_help(ctx: Context) -> Response:
    centre = _need_centre(ctx)
    service.answer_help(ctx.session, centre.id, ctx.staff.id, now=ctx.now)
    return ctx.redirect("/centre")


@pages.post("/centre/urgent/{ticket}/{way}", audience=managers)
def urgent(ctx: Context) -> Response:
    """The second person: agree, or decline. Whoever proposed it may only withdraw it."""
    ticket = ctx.session.get(Ticket, ctx.path("ticket"))
    if ticket is None or ticket.centre_id != _need_centre(ctx).id:
        raise NotFound
    ways: dict[str, Callable[..., Ticket]] = {"agree": urgency.agree_urgent, "decline": urgency.decline_urgent}
    if (decide := ways.get(ctx.path("way"))) is None:
        raise NotFound
    try:
        with ctx.session.begin_nested():
            decide(ctx.session, ticket.id, ctx.staff.id, now=ctx.now)
    except (Refused, Mistake) as refusal:
        ctx.flash(ctx.say(refusal), "danger")
    return ctx.redirect("/centre")


@pages.get("/centre/what-if", audience=managers)
def what_if(ctx: Context) -> Response:
    centre = _centre(ctx)
    if centre is None:
        return ctx.render("centre/nowhere.html")
    choices = Choices.read(ctx, ctx.request.query_params)
    return ctx.render("centre/what_if.html", **whatif.page(ctx, centre, choices))


@pages.get("/centre/what-if.csv", audience=managers)
def what_if_csv(ctx: Context) -> Response:
    centre = _need_centre(ctx)
    choices = Choices.read(ctx, ctx.request.query_params)
    played = whatif.play(ctx, centre, choices) if not choices.errors else None
    if played is None:
        return ctx.redirect("/centre/what-if?" + urlencode(choices.query(), doseq=True))
    name = f"what-if-{centre.code}-{choices.day:%Y-%m-%d}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(sheet.csv_of(ctx, played), media_type="text/csv; charset=utf-8", headers=headers)


@pages.post("/centre/what-if/propose", audience=managers)
def propose(ctx: Context) -> Response:
    """Hand the rates to whoever decides them, with what the replay showed: played again here, not as the form says."""
    centre = _need_centre(ctx)
    choices = Choices.read(ctx, ctx.form)
    back = "/centre/what-if?" + urlencode(choices.query(), doseq=True)
    played = whatif.play(ctx, centre, choices) if not choices.errors else None
    if played is None or not played.rule_changes:
        ctx.flash(ctx._("There is no other rate in this what-if to propose."), "danger")
        return ctx.redirect(back)
    detail = {
        "day": choices.day.isoformat(),
        "rules": played.rule_changes,
        "p90": [round(played.before.all.p90), round(played.after.all.p90)],
        "longest": [round(played.before.all.longest), round(played.after.all.longest)],
    }
    audit.note(ctx.session, "propose discipline", "centre", centre.id, now=ctx.now, detail=detail)
    ctx.flash(ctx._("Your proposal now stands where the administrator sets the rates of your centre."))
    return ctx.redirect(back)


def _centre(ctx: Context) -> Centre | None:
    return ctx.session.get(Centre, ctx.staff.centre_id) if ctx.staff.centre_id else None


def _need_centre(ctx: Context) -> Centre:
    if (centre := _centre(ctx)) is None:
        raise NotFound
    return centre
