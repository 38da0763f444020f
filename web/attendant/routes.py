"""The video hall of a centre: today's meetings, and the button that gives a screen to the visitor."""

from starlette.responses import Response

from core.calendar import day_bounds, local_day
from core.errors import NotFound
from core.staff import service as staff_service
from core.staff.rules import ATTENDANT
from video.meetings import service
from video.meetings.rules import EARLY
from video.meetings.states import JOINABLE
from web.http import SESSION_COOKIE, Context, Pages, staff
from web.meeting.routes import ROOM_COOKIE

pages = Pages()


@pages.get("/video-hall", audience=staff(ATTENDANT))
def index(ctx: Context) -> Response:
    zone = ctx.settings.timezone
    start, end = day_bounds(local_day(ctx.now, zone), zone)
    meetings = service.between(ctx.session, start, end, centre_id=ctx.staff.centre_id or "-")
    ready = {m.id for m in meetings if m.state in JOINABLE and ctx.now >= m.starts_at - EARLY}
    return ctx.render("attendant/index.html", meetings=meetings, ready=ready, early=EARLY)


@pages.post("/video-hall/{meeting_id}/open", audience=staff(ATTENDANT))
def open_room(ctx: Context) -> Response:
    """This device becomes the visitor's screen: it gets the room's pass and loses the attendant's sign-in."""
    meeting = service.get(ctx.session, ctx.path("meeting_id"))
    if meeting.centre_id != ctx.staff.centre_id:
        raise NotFound
    secret = service.open_room(ctx.session, meeting.id, now=ctx.now)
    staff_service.sign_out(ctx.session, ctx.request.cookies[SESSION_COOKIE], now=ctx.now)
    ctx.cookies.append(
        {
            "key": ROOM_COOKIE,
            "value": secret,
            "max_age": 4 * 3600,
            "path": "/room",
            "httponly": True,
            "samesite": "strict",
            "secure": ctx.settings.secure_cookies,
        }
    )
    response = ctx.redirect("/room")
    response.delete_cookie(SESSION_COOKIE)
    return response
