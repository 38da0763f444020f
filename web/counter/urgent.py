"""Urgent by two: what waits for the second person, shown to everyone who may be that person."""

from typing import Any

from core.staff.models import Staff
from queueing.tickets import service
from queueing.tickets.models import Ticket, TicketUrgency
from web.http import Context


def pending(ctx: Context, centre_id: str) -> list[dict[str, Any]]:
    """The proposals of this centre today, oldest first; `mine` may withdraw, the others may agree."""
    return [_row(ctx, ticket, one) for ticket, one in service.urgencies_pending(ctx.session, centre_id, now=ctx.now)]


def of_ticket(ctx: Context, ticket: Ticket) -> list[dict[str, Any]]:
    """All that was proposed for one ticket and what became of it, newest first."""
    return [_row(ctx, ticket, one) for one in reversed(service.urgencies(ctx.session, ticket.id))]


def _row(ctx: Context, ticket: Ticket, one: TicketUrgency) -> dict[str, Any]:
    return {
        "ticket": ticket,
        "reason": one.reason,
        "by": _name(ctx, one.proposed_by),
        "at": one.proposed_at,
        "mine": one.proposed_by == ctx.staff.id,
        "open": one.decided_at is None,
        "agreed": one.agreed,
        "decided_by": _name(ctx, one.decided_by),
        "decided_at": one.decided_at,
    }


def _name(ctx: Context, staff_id: str | None) -> str:
    person = ctx.session.get(Staff, staff_id) if staff_id else None
    return person.name(ctx.lang) if person else ""
