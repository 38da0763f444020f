"""The official's own calendar feed: an address that only its owner has, made and withdrawn here."""

from starlette.responses import PlainTextResponse, Response

from core.staff.rules import OFFICIAL
from reception.appointed import calendars
from web.appointment.files import calendar_response, words_of
from web.http import LANGUAGE_COOKIE, Context, Pages, everyone, staff

pages = Pages()
official = staff(OFFICIAL)


@pages.get("/account/calendar", audience=official)
def index(ctx: Context) -> Response:
    return ctx.render("appointment/feed.html", feed=calendars.feed_of(ctx.session, ctx.staff.id), address="")


@pages.post("/account/calendar", audience=official)
def make(ctx: Context) -> Response:
    """Shown this once: what is kept is only the hash. A reload of the answer makes another one."""
    token = calendars.make_feed(ctx.session, ctx.staff.id, now=ctx.now)
    address = f"{ctx.settings.url}/calendar/{token}.ics"
    return ctx.render("appointment/feed.html", feed=calendars.feed_of(ctx.session, ctx.staff.id), address=address)


@pages.post("/account/calendar/stop", audience=official)
def stop(ctx: Context) -> Response:
    if calendars.stop_feed(ctx.session, ctx.staff.id, now=ctx.now):
        ctx.flash(ctx._("The calendar feed is withdrawn. Its address opens nothing any more."))
    return ctx.redirect("/account/calendar")


@pages.get("/calendar/{token}.ics", audience=everyone)
def feed(ctx: Context) -> Response:
    """Asked for by a calendar program, which has no account: the address is the key."""
    owner = calendars.owner_of(ctx.session, ctx.path("token"))
    if owner is None or OFFICIAL not in owner.roles:
        return PlainTextResponse(ctx._("There is nothing here."), 404)
    if LANGUAGE_COOKIE not in ctx.request.cookies:
        ctx.lang = owner.language
    text = calendars.feed(ctx.session, owner, lang=ctx.lang, settings=ctx.settings, words=words_of(ctx), now=ctx.now)
    return calendar_response(text)
