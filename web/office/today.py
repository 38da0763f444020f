"""The office's start page: who comes today, which petitions await a decision, which orders are open."""

from datetime import timedelta

from sqlalchemy import select
from starlette.responses import Response

from core.calendar import day_bounds, local_day
from core.staff.rules import AIDE, OFFICIAL
from queueing.appointments import calendar
from queueing.appointments.rules import CHECK_IN_CLOSES
from queueing.appointments.states import AWAITED, MISSED
from queueing.appointments.states import KEPT as SHOWN
from reception import access
from reception.centres.models import Department
from reception.directives import service as directives
from reception.dossier import service as dossier
from reception.petitions.models import Petition
from reception.petitions.rules import URGENT
from reception.petitions.states import OPEN
from reception.rearranging import hours
from reception.rearranging import service as rearranging
from web.http import Context, Pages, staff
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
    awaiting = awaiting_decision(ctx)
    coming = next((row for row in agenda if row.appointment.state in AWAITED and row.slot.ends_at > ctx.now), None)
    days = [today + timedelta(days=n) for n in range(7)]
    load = calendar.load(ctx.session, days, zone=zone, official_id=official_id)
    return ctx.render(
        "office/today.html",
        today=today,
        agenda=agenda,
        coming=coming,
        receipt=dossier.opened(ctx.session, coming.appointment.petition_id, staff_id=ctx.staff.id) if coming else None,
        awaiting=awaiting,
        appointments=calendar.current_of(ctx.session, [petition.id for petition in awaiting]),
        orders=directives.open_ones(ctx.session, limit=8),
        load=[(day, load[day]) for day in days if load[day].places],
        officials=officials(ctx.session) if AIDE in ctx.staff.roles else [],
        unsettled=rearranging.unsettled(ctx.session, zone=zone, now=ctx.now) if AIDE in ctx.staff.roles else [],
        outside=len(hours.hit(ctx.session, now=ctx.now)) if AIDE in ctx.staff.roles else 0,
        official_id=official_id,
        late=CHECK_IN_CLOSES,
    )


def awaiting_decision(ctx: Context, *, limit: int = 50) -> list[Petition]:
    """Open petitions that are with the minister's office, the urgent first, then by the day they are due."""
    query = (
        select(Petition)
        .join(Department, Department.id == Petition.department_id)
        .where(Department.is_office, Petition.state.in_(OPEN))
        .order_by((Petition.urgency != URGENT), Petition.due_at, Petition.received_at)
        .limit(limit)
    )
    return list(ctx.session.scalars(access.visible(query, ctx.staff)))
