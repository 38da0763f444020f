"""The manager's live view, gathered from one look at today's tickets: the line, the counters, what needs a hand."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from core.calendar import local_day
from core.staff.models import Staff
from queueing.simulation.outcome import Spread, Wait, spread
from queueing.tickets import queries, recorded, rules, standing, states, urgency
from queueing.tickets.discipline import CLASSES
from queueing.tickets.estimates import Kept
from queueing.tickets.models import Counter, ServicePoint, Ticket, TicketPeriod
from reception.centres.models import Centre
from reception.kiosks import service as kiosks
from reception.kiosks import states as printing
from web.centre import curve
from web.counter import breaks, words
from web.http import Context

URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class Line:
    """Who waits for one service in one section; minutes throughout. `foreseen` is what a newcomer would be told."""

    point: ServicePoint
    section: str
    waiting: int
    longest: float | None
    label: str
    over: int
    foreseen: tuple[int, int] | None
    open: int
    helps: Counter | None
    away: Counter | None = None  # the first that is back, where no other is open

    @property
    def breached(self) -> bool:
        return self.over > 0

    @property
    def near(self) -> bool:
        """Three quarters of the target have passed: there is time left to do something."""
        return not self.breached and self.longest is not None and self.longest >= self.point.target_minutes * 0.75


def live(ctx: Context, centre: Centre) -> dict[str, Any]:
    session, now, zone = ctx.session, ctx.now, ctx.settings.timezone
    discipline = standing.discipline_at(session, centre.id, now=now)
    points = queries.service_points(session, centre.id)
    counters = queries.counters(session, centre.id)
    found = recorded.visits(session, centre.id, local_day(now, zone), now=now)
    waits = recorded.waits(found, discipline=discipline)
    line = queries.waiting(session, centre.id, now=now, discipline=discipline)
    lines = _lines(ctx, centre, points, counters, line)
    return {
        "centre": centre,
        "lines": [one for one in lines if one.waiting],
        "quiet": _quiet(lines),
        "waiting": len(line),
        "breached": sum(one.over for one in lines),
        "counters": _counters(ctx, centre, counters, points, waits),
        "open": sum(counter.open and counter.back_at is None for counter in counters),
        "away": sum(counter.open and counter.back_at is not None for counter in counters),
        "unserved": [one for one in lines if one.waiting and not one.open],
        "urgent": _urgent(ctx, centre),
        "help": queries.help_wanted(session, centre.id),
        "printers": kiosks.troubles(session, centre.id),
        "conditions": printing.CONDITIONS,
        "today": _today(found, waits, {point.id: point.target_minutes for point in points}, discipline.target_minutes),
        "classes": {name: ctx._(text) for name, text in {**words.CLASSES, URGENT: "Urgent"}.items()},
        "curve": curve.quarters(
            [visit.issued_at for visit in found], [waits] if found else [], lang=ctx.lang, zone=zone, until=now
        ),
        "sections": {name: ctx._(text) for name, text in words.SECTIONS.items()},
        "section_icons": words.SECTION_ICONS,
        "states": states,
        "said": lambda count: words.minutes(ctx, count),
        "range": lambda pair: words.wait_range(ctx, *pair),
    }


def _lines(
    ctx: Context, centre: Centre, points: Sequence[ServicePoint], counters: Sequence[Counter], line: Sequence[Ticket]
) -> list[Line]:
    """A line for every service and section that somebody waits in, or that an open counter serves."""
    waiting: dict[tuple[str, str], list[Ticket]] = defaultdict(list)
    for ticket in line:
        waiting[ticket.service_point_id, ticket.section].append(ticket)
    desks = [counter.desk() for counter in counters if counter.open and counter.back_at is None]
    away = sorted((c for c in counters if c.open and c.back_at is not None), key=lambda c: (c.back_at, c.number))
    comers = [counter.desk() for counter in away]
    shown = [
        (point, section)
        for point in points
        for section in rules.SECTIONS
        if waiting[point.id, section] or (section in point.sections and _takers([*desks, *comers], point.id, section))
    ]
    places = queries.places_of(
        ctx.session,
        centre.id,
        [queries.newcomer(point, section=section, language="ar", now=ctx.now) for point, section in shown],
        now=ctx.now,
    )
    closed = [counter for counter in counters if not counter.open]
    lines = []
    for (point, section), place in zip(shown, places, strict=True):
        tickets = waiting[point.id, section]
        since = [(ctx.now - max(t.issued_at, t.eligible_at)).total_seconds() / 60 for t in tickets]
        began = {t.id: minutes for t, minutes in zip(tickets, since, strict=True)}
        oldest = max(tickets, key=lambda t: began[t.id], default=None)
        takers = _takers(desks, point.id, section)
        able = [c for c in closed if point.id in c.service_point_ids and section in c.sections]
        backs = [c for c in away if point.id in c.service_point_ids and section in c.sections]
        lines.append(
            Line(
                point=point,
                section=section,
                waiting=len(tickets),
                longest=began[oldest.id] if oldest else None,
                label=oldest.label if oldest else "",
                over=sum(minutes > point.target_minutes for minutes in since),
                foreseen=(place.low, place.high) if takers or backs else None,
                open=takers,
                helps=min(able, key=lambda c: (len(c.service_point_ids), c.number), default=None),
                away=backs[0] if backs and not takers else None,
            )
        )
    return lines


def _quiet(lines: Sequence[Line]) -> list[tuple[ServicePoint, list[Line]]]:
    """Where nobody waits, by service."""
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if not line.waiting:
            found[line.point.id].append(line)
    return [(some[0].point, some) for some in found.values()]


def _takers(desks: Sequence[rules.Desk], point: str, section: str) -> int:
    return sum(point in desk.service_point_ids and section in desk.sections for desk in desks)


def _counters(
    ctx: Context, centre: Centre, counters: Sequence[Counter], points: Sequence[ServicePoint], waits: Sequence[Wait]
) -> list[dict[str, Any]]:
    """Each counter with its clerk, whom it has and since when, and how many it has called today."""
    seated = [counter.staff_id for counter in counters if counter.staff_id]
    clerks = {
        person.id: person.name(ctx.lang) for person in ctx.session.scalars(select(Staff).where(Staff.id.in_(seated)))
    }
    there = {
        ticket.counter_id: (ticket, since)
        for ticket, since in ctx.session.execute(
            select(Ticket, TicketPeriod.from_at)
            .join(TicketPeriod, (TicketPeriod.ticket_id == Ticket.id) & TicketPeriod.to_at.is_(None))
            .where(Ticket.centre_id == centre.id, queries.at_counter())
        )
    }
    names = {point.id: point.name(ctx.lang) for point in points}
    called: dict[str, int] = defaultdict(int)
    idle: dict[str, Any] = {}
    for wait in waits:
        if wait.desk:
            called[wait.desk] += 1
            if wait.ended and (wait.desk not in idle or wait.ended > idle[wait.desk]):
                idle[wait.desk] = wait.ended
    rows = []
    for counter in counters:
        ticket, since = there.get(counter.id, (None, None))
        rows.append(
            {
                "counter": counter,
                "clerk": clerks.get(counter.staff_id or "", "") if counter.open else "",
                "ticket": ticket,
                "since": since,
                "idle_since": idle.get(counter.id) if counter.open and ticket is None else None,
                "services": [names[key] for key in counter.service_point_ids if key in names],
                "sections": [ctx._(words.SECTIONS[key]) for key in counter.sections if key in words.SECTIONS],
                "called": called[counter.id],
                "away": breaks.state(ctx, counter),
            }
        )
    return sorted(rows, key=lambda row: (not row["counter"].open, row["counter"].number))


def _urgent(ctx: Context, centre: Centre) -> list[dict[str, Any]]:
    rows = urgency.urgencies_pending(ctx.session, centre.id, now=ctx.now)
    people = {
        person.id: person.name(ctx.lang)
        for person in ctx.session.scalars(select(Staff).where(Staff.id.in_({row.proposed_by for _, row in rows})))
    }
    return [
        {
            "ticket": ticket,
            "reason": row.reason,
            "by": people.get(row.proposed_by, ""),
            "at": row.proposed_at,
            "mine": row.proposed_by == ctx.staff.id,
        }
        for ticket, row in rows
    ]


@dataclass(frozen=True, slots=True)
class Today:
    """The numbers of the day; `within` is the share of the called whose wait stayed under the target of its service."""

    issued: int
    served: int
    no_shows: int
    left: int
    all: Spread
    within: float | None
    by_class: list[tuple[str, Spread, float]]
    kept: Kept | None


def _today(found: Sequence[recorded.Visit], waits: Sequence[Wait], targets: dict[str, int], otherwise: float) -> Today:
    minutes: dict[str, list[float]] = defaultdict(list)
    held: dict[str, int] = defaultdict(int)
    for wait in waits:
        if wait.minutes is not None:
            name = URGENT if wait.urgent else wait.visitor_class
            minutes[name].append(wait.minutes)
            held[name] += wait.minutes <= targets.get(wait.point, otherwise)
    everybody = [one for some in minutes.values() for one in some]
    order = [URGENT, *CLASSES]
    return Today(
        issued=len(found),
        served=sum(visit.state == states.FINISHED for visit in found),
        no_shows=sum(visit.state == states.NO_SHOW for visit in found),
        left=sum(visit.state == states.CANCELLED for visit in found),
        all=spread(everybody, target=otherwise),
        within=sum(held.values()) / len(everybody) if everybody else None,
        by_class=[
            (name, spread(minutes[name], target=otherwise), held[name] / len(minutes[name]))
            for name in sorted(minutes, key=lambda one: (order.index(one) if one in order else len(order), one))
        ],
        kept=recorded.promise_kept(found),
    )
