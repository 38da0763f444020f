"""What the console shows, gathered in one place: the visitor in hand, the next action, the line, what is set aside."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from core.calendar import digits
from queueing.tickets import queries, rules, service, standing, states
from queueing.tickets.discipline import Discipline
from queueing.tickets.estimates import service_time
from queueing.tickets.models import Counter, ServicePoint, Ticket, TicketPeriod
from reception.centres.models import Centre
from reception.kiosks import service as kiosks
from reception.kiosks import states as printing
from web.counter import breaks, visit, words
from web.counter.pressed import last_press
from web.counter.urgent import pending
from web.http import Context

NEXT = 5  # of the line are shown with the reason of their order; the others behind them


def console(ctx: Context, centre: Centre, mine: Counter) -> dict[str, Any]:
    """The visitor at the counter, the line with why-next, what is set aside, what ended lately, the day in numbers."""
    session, now = ctx.session, ctx.now
    current = queries.current(session, mine.id)
    discipline = standing.discipline_at(session, centre.id, now=now)
    line = {t.id: t for t in service.waiting(session, centre.id, now=now, upcoming=True, discipline=discipline)}
    desks = [counter.desk() for counter in queries.open_counters(session, centre.id)]
    candidates = [ticket.candidate() for ticket in line.values()]
    chosen, reasons = rules.choose(candidates, mine.desk(), now=now, others=desks, discipline=discipline)
    points = queries.service_points(session, centre.id)
    here = [_row(ctx, line[row.id]) for row in reasons.weighed]
    for index, row in enumerate(here[:NEXT]):
        whys = rules.explain(replace(reasons, weighed=reasons.weighed[index:]), most=1)
        row["why"] = words.because(ctx, whys[0]) if whys and whys[0].than else ""
    coming = here[0] if chosen else None
    return {
        "centre": centre,
        "counter": mine,
        "current": current and ticket_card(ctx, current, discipline),
        "ways_on": ways_on(current, points) if current else None,
        "next": coming,
        "next_words": _next_words(ctx, coming) if coming else "",
        "pressed": last_press(ctx, mine, current) if mine.back_at is None else None,
        "line": here,
        "shown": NEXT,
        "elsewhere": [_row(ctx, line[row.id], row.why) for row in reasons.passed_over],
        **_set_aside(ctx, centre, mine),
        "ended": _ended(ctx, centre, mine),
        "day": queries.day(session, centre.id, now=now),
        "unserved": rules.unserved(candidates, desks, now=now),
        "urgencies": pending(ctx, centre.id),
        "help": queries.help_wanted(session, centre.id),
        "printers": kiosks.troubles(session, centre.id),
        "conditions": printing.CONDITIONS,
        "park_reasons": [(key, ctx._(words.PARKED[key])) for key in service.PARK_REASONS],
        "states": states,
        "away": breaks.state(ctx, mine),
        "lengths": breaks.offered(ctx),
    }


def ticket_card(ctx: Context, ticket: Ticket, discipline: Discipline | None = None) -> dict[str, Any]:
    """The visitor in hand: needs, the way so far, who it is if known, and how long everything takes."""
    session, now = ctx.session, ctx.now
    discipline = discipline or standing.discipline_at(session, ticket.centre_id, now=now)
    called = ticket.state == states.CALLED
    absent_from = service.no_show_from(session, ticket) if called else None
    patient = rules.needs_patience(ticket.visitor_class, sign_language=ticket.sign_language)
    counters = {counter.id: counter for counter in queries.counters(session, ticket.centre_id)}
    usual, _ = service_time(queries.recent_service_times(session, ticket.centre_id, ticket.service_point_id, now=now))
    waited_to = _left_the_line(ctx, ticket) or now
    waited = max(0.0, (waited_to - max(ticket.issued_at, ticket.eligible_at)) / timedelta(minutes=1))
    since = queries.since(session, ticket)
    return {
        "ticket": ticket,
        "service": ticket.service_point.name(ctx.lang),
        "section": ctx._(words.SECTIONS[ticket.section]),
        "language": words.LANGUAGES.get(ticket.language, ticket.language),
        "needs": words.needs(ctx, ticket),
        "since": since,
        "why": [words.because(ctx, why) for why in queries.why_called(session, ticket)],
        "absent_from": absent_from,
        "may_be_absent": absent_from is not None and absent_from <= now,
        "calls": ticket.recalls + 1,
        "calls_left": max(0, int(discipline.recalls) + patient - ticket.recalls),
        "called_at": ticket.called_at,
        "waited": words.minutes(ctx, waited),
        "waited_late": waited > ticket.service_point.target_minutes,
        "target": words.minutes(ctx, ticket.service_point.target_minutes),
        "usual": words.minutes(ctx, usual),
        "long": ticket.state == states.SERVING and now - since > timedelta(minutes=2 * usual),
        "course": visit.course(ctx, ticket, counters),
        "visitor": visit.visitor(ctx, ticket),
    }


def _left_the_line(ctx: Context, ticket: Ticket) -> datetime | None:
    """When the latest wait ended, at whichever point of the visit."""
    return ctx.session.scalar(
        select(TicketPeriod.to_at)
        .where(TicketPeriod.ticket_id == ticket.id, TicketPeriod.state == states.WAITING)
        .order_by(TicketPeriod.from_at.desc(), TicketPeriod.id.desc())
        .limit(1)
    )


def ways_on(ticket: Ticket, points: list[ServicePoint]) -> dict[str, list[ServicePoint]]:
    """Where this visitor may be sent: the usual next points in their order, then the others of the section."""
    open_to = {p.id: p for p in points if p.id != ticket.service_point_id and ticket.section in p.sections}
    usual = [open_to[key] for key in ticket.service_point.then if key in open_to]
    return {"usual": usual, "others": [p for p in open_to.values() if p not in usual], "all": list(open_to.values())}


def _row(ctx: Context, ticket: Ticket, why_not: str = "") -> dict[str, Any]:
    waited = (ctx.now - max(ticket.issued_at, ticket.eligible_at)) / timedelta(minutes=1)
    return {
        "ticket": ticket,
        "service": ticket.service_point.name(ctx.lang),
        "section": ctx._(words.SECTIONS[ticket.section]),
        "needs": words.needs(ctx, ticket),
        "early": ticket.eligible_at > ctx.now,
        "waited": max(0.0, waited),
        "late": waited > ticket.service_point.target_minutes,
        "target": words.minutes(ctx, ticket.service_point.target_minutes),
        "why_not": ctx._(words.WHY_NOT[why_not]) if why_not else "",
        "why": "",
    }


def _next_words(ctx: Context, row: dict[str, Any]) -> str:
    """What the big button says about whom it calls: the class if there is one, and the wait."""
    ticket = row["ticket"]
    known = [need["label"] for need in row["needs"][:2]]
    waits = ctx._("waiting {minutes}").format(minutes=words.minutes(ctx, row["waited"]))
    stage = [] if not ticket.stage else [ctx._("point {n} of the visit").format(n=digits(ticket.stage + 1, ctx.lang))]
    return " · ".join([*known, *stage, waits])


def _set_aside(ctx: Context, centre: Centre, mine: Counter) -> dict[str, Any]:
    """Those who were set aside here, and those of the other counters."""
    rows = [
        {
            "ticket": ticket,
            "since": period.from_at,
            "reason": ctx._(words.PARKED.get(period.reason, "Another reason")),
        }
        for ticket, period in queries.parked(ctx.session, centre.id, now=ctx.now)
    ]
    return {
        "parked": [row for row in rows if row["ticket"].counter_id == mine.id],
        "parked_elsewhere": [row for row in rows if row["ticket"].counter_id != mine.id],
    }


def _ended(ctx: Context, centre: Centre, mine: Counter) -> list[dict[str, Any]]:
    rows = []
    for ticket in queries.recently_over(ctx.session, centre.id, mine.id, now=ctx.now):
        at = queries.since(ctx.session, ticket)
        late = ticket.state == states.NO_SHOW
        if late or rules.may_reopen(finished_at=at, now=ctx.now):
            rows.append({"ticket": ticket, "at": at, "late": late, "state": ctx._(words.STATES[ticket.state])})
    return rows
