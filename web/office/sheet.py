"""The day sheet: the audience of one day on paper, in the order of the visitors."""

from datetime import date

from starlette.responses import Response

from core import audit
from core.calendar import day_bounds
from core.errors import NotFound
from core.staff.rules import AIDE, OFFICIAL
from queueing.appointments import calendar
from web.http import Context, Pages, staff
from web.office.engagements import engagements, officials, whose

pages = Pages()


@pages.get("/office/day/{date}", audience=staff(AIDE, OFFICIAL))
def sheet(ctx: Context) -> Response:
    try:
        day = date.fromisoformat(ctx.path("date"))
    except ValueError:
        raise NotFound from None
    start, end = day_bounds(day, ctx.settings.timezone)
    rows = engagements(ctx.session, calendar.between(ctx.session, start, end, official_id=whose(ctx)))
    for row in rows:
        audit.note(ctx.session, "read", "petition", row.appointment.petition_id, now=ctx.now)
    return ctx.render(
        "office/sheet.html",
        day=day,
        rows=rows,
        official=next((person for person in officials(ctx.session) if person.id == whose(ctx)), None),
    )
