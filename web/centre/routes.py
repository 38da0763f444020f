"""The centre manager's day at a glance."""

from starlette.responses import Response

from core.calendar import day_bounds, local_day
from core.staff.rules import MANAGER
from queueing.tickets import queries
from reception.centres.models import Centre
from reception.kiosks import service as kiosks
from reception.kiosks import states as printing
from video.meetings import service as meetings
from web.http import Context, Pages, staff

pages = Pages()


@pages.get("/centre", audience=staff(MANAGER))
def today(ctx: Context) -> Response:
    zone = ctx.settings.timezone
    start, end = day_bounds(local_day(ctx.now, zone), zone)
    centre = ctx.session.get(Centre, ctx.staff.centre_id or "")
    return ctx.render(
        "centre/today.html",
        centre=centre,
        day=queries.day(ctx.session, centre.id, now=ctx.now) if centre else None,
        waiting=queries.waiting(ctx.session, centre.id, now=ctx.now) if centre else [],
        counters=queries.counters(ctx.session, centre.id) if centre else [],
        printers=kiosks.troubles(ctx.session, centre.id) if centre else [],
        conditions=printing.CONDITIONS,
        meetings=meetings.between(ctx.session, start, end, centre_id=centre.id) if centre else [],
    )
