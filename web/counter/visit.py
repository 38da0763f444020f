"""The visit so far, and who the visitor is: what reception knows already, so that nobody has to tell it twice."""

from typing import Any

from sqlalchemy import func, select

from core import audit
from core.audit import AuditEntry
from core.calendar import clock, day_name, digits, local_day
from core.staff.rules import RECEPTIONIST, VERIFIER
from queueing.tickets import states
from queueing.tickets.models import Counter, ServicePoint, Ticket, TicketPeriod
from reception import access
from reception.petitions import queries as petitions
from reception.petitions.models import Petition
from reception.visitors.models import Visitor
from web.http import Context

KNOWING = frozenset({RECEPTIONIST, VERIFIER})  # whoever takes and checks petitions works with names
PETITIONS = 3


def course(ctx: Context, ticket: Ticket, counters: dict[str, Counter]) -> list[dict[str, Any]]:
    """The points of this visit that are done with, in order: name, from, to, counter."""
    if not ticket.stage:
        return []
    periods = ctx.session.scalars(
        select(TicketPeriod)
        .where(TicketPeriod.ticket_id == ticket.id, TicketPeriod.state == states.SERVING)
        .order_by(TicketPeriod.from_at, TicketPeriod.id)
    )
    done, began = [], None
    for period in periods:
        began = began or period.from_at
        if period.ended != "forward" or period.to_at is None:
            continue
        point = ctx.session.get(ServicePoint, period.service_point_id)
        counter = counters.get(period.counter_id or "")
        done.append(
            {
                "service": point.name(ctx.lang) if point else "",
                "from": clock(began, ctx.lang, ctx.settings.timezone),
                "to": clock(period.to_at, ctx.lang, ctx.settings.timezone),
                "counter": counter.name(ctx.lang) if counter else "",
            }
        )
        began = None
    return done[-ticket.stage :]


def visitor(ctx: Context, ticket: Ticket) -> dict[str, Any] | None:
    """Who it is, today's petition, earlier visits and cases; None where nobody noted it. The reading leaves a trace."""
    if not KNOWING & ctx.staff.roles or not (ticket.visitor_id or ticket.petition_id):
        return None
    session = ctx.session
    today = session.get(Petition, ticket.petition_id) if ticket.petition_id else None
    today = today if today is not None and access.may_see(session, ctx.staff, today) else None
    person = session.get(Visitor, ticket.visitor_id) if ticket.visitor_id else None
    if person is None:
        return {"name": "", "today": today, "cases": [], "visits": ""} if today else None
    _trace(ctx, person.id, ticket)
    known = petitions.of_visitor(session, ctx.staff, person.id, limit=PETITIONS + 1)
    return {
        "name": person.name,
        "today": today,
        "cases": [one for one in known if today is None or one.id != today.id][:PETITIONS],
        "visits": _visits(ctx, person.id, ticket),
    }


def _visits(ctx: Context, visitor_id: str, ticket: Ticket) -> str:
    count, last = ctx.session.execute(
        select(func.count(), func.max(Ticket.issued_at)).where(
            Ticket.visitor_id == visitor_id, Ticket.state == states.FINISHED, Ticket.day < ticket.day
        )
    ).one()
    if not count:
        return ctx._("First visit")
    said = ctx.ngettext("{n} earlier visit, the last on {day}", "{n} earlier visits, the last on {day}", count)
    day = day_name(local_day(last, ctx.settings.timezone), ctx.lang)
    return said.format(n=digits(count, ctx.lang), day=day)


def _trace(ctx: Context, visitor_id: str, ticket: Ticket) -> None:
    """Once for each call: the page asks for itself again with every change, and that reads nothing new."""
    seen = ctx.session.scalar(
        select(AuditEntry.id)
        .where(
            AuditEntry.subject_id == visitor_id,
            AuditEntry.actor_id == ctx.staff.id,
            AuditEntry.action == "read",
            AuditEntry.at >= (ticket.first_called_at or ticket.issued_at),
        )
        .limit(1)
    )
    if seen is None:
        detail = {"at": "counter", "ticket": ticket.label}
        audit.note(ctx.session, "read", "visitor", visitor_id, now=ctx.now, detail=detail)
