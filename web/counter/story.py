"""A ticket's story: all that happened to it, and the numbers of its call."""

from typing import Any

from sqlalchemy import select

from core.calendar import clock
from queueing.tickets import queries, rules, service, states
from queueing.tickets.models import CallLog, Counter, Ticket, TicketPeriod
from web.counter import urgent, words
from web.counter.board import ticket_card
from web.http import Context


def ticket_story(ctx: Context, ticket: Ticket) -> dict[str, Any]:
    """All that happened to one ticket, newest first, and the numbers of its call."""
    session = ctx.session
    periods = session.scalars(
        select(TicketPeriod).where(TicketPeriod.ticket_id == ticket.id).order_by(TicketPeriod.from_at.desc())
    ).all()
    call = session.scalar(
        select(CallLog)
        .where(CallLog.ticket_id == ticket.id, CallLog.kind == "call")
        .order_by(CallLog.at.desc(), CallLog.id.desc())
        .limit(1)
    )
    reasons = rules.Reasons.from_json(call.reasons) if call else None
    counters = {counter.id: counter for counter in queries.counters(session, ticket.centre_id)}
    return {
        "card": ticket_card(ctx, ticket),
        "ticket": ticket,
        "state": ctx._(words.STATES[ticket.state]),
        "place": service.place_in_line(session, ticket, now=ctx.now),
        "story": [_event(ctx, period, counters) for period in periods],
        "call": call,
        "weighed": reasons.weighed[:8] if reasons else (),
        "passed_over": [(p.label, ctx._(words.WHY_NOT[p.why])) for p in reasons.passed_over[:8]] if reasons else [],
        "classes": {key: ctx._(name) for key, name in words.CLASSES.items()},
        "states": states,
        "machine": states.TICKET,
        "urgency": urgent.of_ticket(ctx, ticket),
        "in_line": ticket.state in (states.WAITING, states.PARKED),
    }


def _event(ctx: Context, period: TicketPeriod, counters: dict[str, Counter]) -> dict[str, Any]:
    counter = counters.get(period.counter_id or "")
    words_ = [counter.name(ctx.lang)] if counter else []
    if period.reason:
        words_.append(ctx._(words.PARKED.get(period.reason, "Another reason")))
    if period.to_at:
        minutes = (period.to_at - period.from_at).total_seconds() / 60
        words_.append(words.minutes(ctx, minutes) if minutes >= 1 else ctx._("less than a minute"))
    tones = {states.SERVING: "good", states.FINISHED: "good", states.WAITING: "wait", states.NO_SHOW: "danger"}
    icons = {
        states.WAITING: "clock",
        states.CALLED: "bell",
        states.SERVING: "user",
        states.PARKED: "pause",
        states.FINISHED: "check",
        states.NO_SHOW: "x",
        states.CANCELLED: "x",
    }
    return {
        "at": clock(period.from_at, ctx.lang, ctx.settings.timezone),
        "icon": icons[period.state],
        "title": ctx._(words.STATES[period.state]),
        "text": " · ".join(words_),
        "tone": tones.get(period.state, "neutral"),
    }
