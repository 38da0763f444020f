"""The office's start page: who comes today, which petitions await a decision, which orders are open."""

from datetime import timedelta

from starlette.responses import Response

from core.calendar import day_bounds, local_day
from core.staff.rules import AIDE, OFFICIAL
from queueing.appointments import calendar
from queueing.appointments.rules import CHECK_IN_CLOSES
from queueing.appointments.states import AWAITED, MISSED
from queueing.appointments.states import KEPT as SHOWN
from reception.directives import service as directives
from reception.dossier import service as dossier
from reception.rearranging import hours
from reception.rearranging import service as rearranging
from web.http import Context, Pages, staff
from web.office import waiting
from web.office.engagements import engagements, officials, whose

pages = Pages()
office = staff(AIDE, OFFICIAL)


@pages.get("/office", audience=office)
def index(ctx: Context) -> Response:
    zone = ctx.settings.timezone
    today = local_day(ctx.now, zone)
    start, end = day_bounds(today, zone)
    official_id = whose(ctx)
    agenda = engagements(
        ctx.session,
        calendar.between(ctx.session, start, end, official_id=official_id, states=(*SHOWN, MISSED)),
    )
    counts = waiting.counts(ctx.session, ctx.staff)
    shelf = ctx.query.get("shelf", "") if ctx.query.get("shelf") in waiting.SHELVES else waiting.WAITING
    pages_ = waiting.pages_of(counts[shelf])
    page = min(page_number(ctx), pages_)
    cases = waiting.lying(ctx.session, ctx.staff, shelf, page=page)
    coming = next((row for row in agenda if row.appointment.state in AWAITED and row.slot.ends_at > ctx.now), None)
    days = [today + timedelta(days=n) for n in range(7)]
    load = calendar.load(ctx.session, days, zone=zone, official_id=official_id)
    return ctx.render(
        "office/today.html",
        today=today,
        agenda=agenda,
        coming=coming,
        receipt=dossier.opened(ctx.session, coming.appointment.petition_id, staff_id=ctx.staff.id) if coming else None,
        cases=cases,
        appointments=calendar.current_of(ctx.session, [petition.id for petition in cases]),
        shelf=shelf,
        counts=counts,
        shelf_items=_shelves(ctx, counts, shelf),
        page=page,
        pages=pages_,
        orders=directives.open_ones(ctx.session, limit=8),
        load=[(day, load[day]) for day in days if load[day].places],
        officials=officials(ctx.session) if AIDE in ctx.staff.roles else [],
        unsettled=rearranging.unsettled(ctx.session, zone=zone, now=ctx.now) if AIDE in ctx.staff.roles else [],
        outside=len(hours.hit(ctx.session, now=ctx.now)) if AIDE in ctx.staff.roles else 0,
        official_id=official_id,
        late=CHECK_IN_CLOSES,
    )


def _shelves(ctx: Context, counts: dict[str, int], shelf: str) -> list[dict[str, object]]:
    """The shelves as tabs; none where all that lies with the office waits for it."""
    if shelf == waiting.WAITING and not counts[waiting.BOOKED] + counts[waiting.ASKED]:
        return []
    return [
        {"href": f"/office?shelf={one}#awaiting", "label": ctx._(name), "count": counts[one], "current": one == shelf}
        for one, name in waiting.SHELVES.items()
    ]


def page_number(ctx: Context, name: str = "page") -> int:
    asked = ctx.query.get(name, "1")
    return max(int(asked), 1) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1
