"""What the console and a ticket's story show, gathered in one place."""

from typing import Any

from sqlalchemy import select

from core.calendar import clock
from queueing.tickets import queries, rules, service, states
from queueing.tickets.models import CallLog, Counter, Ticket, TicketPeriod
from reception.centres.models import Centre
from reception.kiosks import service as kiosks
from reception.kiosks import states as printing
from web.counter import words
from web.http import Context


def console(ctx: Context, centre: Centre, mine: Counter) -> dict[str, Any]:
    """The visitor at the counter, the line with why-next, what is set aside, what ended lately, the day in numbers."""
    session, now = ctx.session, ctx.now
    current = queries.current(session, mine.id)
    chosen, reasons = queries.next_for(session, mine, now=now)
    line = service.waiting(session, centre.id, now=now, upcoming=True)
    not_here = {row.id: row.why for row in reasons.passed_over}
    order = {row.id: index for index, row in enumerate(reasons.weighed)}
    line.sort(key=lambda t: (t.id not in order, order.get(t.id, 0)))
    return {
        "centre": centre,
        "counter": mine,
        "current": current and ticket_card(ctx, current),
        "next": chosen and next(ticket for ticket in line if ticket.id == chosen.id),
        "why_next": [words.because(ctx, why) for why in rules.explain(reasons, most=2)],
        "line": [_row(ctx, ticket, not_here.get(ticket.id)) for ticket in line],
        "here": len(order),
        "parked": [
            {
                "ticket": ticket,
                "since": period.from_at,
                "reason": ctx._(words.PARKED.get(period.reason, "Another reason")),
            }
            for ticket, period in queries.parked(session, centre.id, now=now)
        ],
        "ended": _ended(ctx, centre, mine),
        "day": queries.day(session, centre.id, now=now),
        "unserved": queries.unserved(session, centre.id, now=now),
        "help": queries.help_wanted(session, centre.id),
        "printers": kiosks.troubles(session, centre.id),
        "conditions": printing.CONDITIONS,
        "points": queries.service_points(session, centre.id),
        "park_reasons": [(key, ctx._(words.PARKED[key])) for key in service.PARK_REASONS],
        "states": states,
    }


def ticket_card(ctx: Context, ticket: Ticket) -> dict[str, Any]:
    """The visitor in hand."""
    called = ticket.state == states.CALLED
    absent_from = service.no_show_from(ctx.session, ticket) if called else None
    return {
        "ticket": ticket,
        "service": ticket.service_point.name(ctx.lang),
        "section": ctx._(words.SECTIONS[ticket.section]),
        "language": words.LANGUAGES.get(ticket.language, ticket.language),
        "needs": words.needs(ctx, ticket),
        "since": queries.since(ctx.session, ticket),
        "why": [words.because(ctx, why) for why in queries.why_called(ctx.session, ticket)],
        "absent_from": absent_from,
        "may_be_absent": absent_from is not None and absent_from <= ctx.now,
    }


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
    }


def _row(ctx: Context, ticket: Ticket, why_not: str | None) -> dict[str, Any]:
    return {
        "ticket": ticket,
        "service": ticket.service_point.name(ctx.lang),
        "section": ctx._(words.SECTIONS[ticket.section]),
        "needs": words.needs(ctx, ticket),
        "early": ticket.eligible_at > ctx.now,
        "why_not": ctx._(words.WHY_NOT[why_not]) if why_not else "",
    }


def _ended(ctx: Context, centre: Centre, mine: Counter) -> list[dict[str, Any]]:
    rows = []
    for ticket in queries.recently_over(ctx.session, centre.id, mine.id, now=ctx.now):
        at = queries.since(ctx.session, ticket)
        late = ticket.state == states.NO_SHOW
        if late or rules.may_reopen(finished_at=at, now=ctx.now):
            rows.append({"ticket": ticket, "at": at, "late": late, "state": ctx._(words.STATES[ticket.state])})
    return rows


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
