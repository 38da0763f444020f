"""Why a petition is due when it is, in words: each stretch of days counted or left out, and each standstill."""

from dataclasses import dataclass

from core.calendar import day_name, digits, moment
from reception.deadlines import rules, service
from reception.deadlines.rules import ANSWER
from reception.petitions import states
from reception.petitions.models import Petition
from web.http import Context


@dataclass(frozen=True, slots=True)
class Said:
    kind: str
    when: str
    what: str


def why_due(ctx: Context, petition: Petition) -> list[Said]:
    """Empty for settled cases, and for those whose clock was never kept."""
    clock = service.one(ctx.session, petition.id, ANSWER)
    if clock is None or petition.state in states.SETTLED:
        return []
    calendar = service.calendar(ctx.session)
    allowance = service.allowance_of(clock)
    lines, at = rules.explain(clock.started_at, allowance, service.pauses_of(clock), calendar, ctx.lang)
    begun = ctx.ngettext("Begins, with {n} working day", "Begins, with {n} working days", clock.days)
    said = [
        Said("begin", moment(clock.started_at, ctx.lang, calendar.zone), begun.format(n=digits(clock.days, ctx.lang)))
    ]
    said += [Said(line.kind, _when(ctx, line), _what(ctx, line)) for line in lines]
    return [*said, Said("due", moment(at, ctx.lang, calendar.zone), ctx._("The answer is due"))]


def _when(ctx: Context, line: rules.Line) -> str:
    first = day_name(line.first, ctx.lang)
    return first if line.first == line.last else f"{first} – {day_name(line.last, ctx.lang)}"


def _what(ctx: Context, line: rules.Line) -> str:
    if line.kind == "skip":
        return line.why
    if line.kind == "pause":
        still = ctx._("Stands still: the visitor was asked, or something was missing")
        return ctx._("Stands still now, until the visitor has replied") if line.why else still
    first = line.n - (line.last - line.first).days
    if first == line.n:
        return ctx._("Working day {n}").format(n=digits(line.n, ctx.lang))
    return ctx._("Working days {first} to {last}").format(first=digits(first, ctx.lang), last=digits(line.n, ctx.lang))
