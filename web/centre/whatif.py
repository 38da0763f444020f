"""A day played twice by the real rules: as it was, and with what the manager would change."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select

from core.calendar import digits, full_day, local_day
from core.errors import Mistake, Refused
from core.staff.rules import ADMIN
from queueing.simulation.day import Day, Span, with_more_visitors, with_rates, without_counter
from queueing.simulation.outcome import Difference, Outcome, compare, summarise
from queueing.simulation.run import simulate
from queueing.tickets import queries, rebuilt, rules, standing
from queueing.tickets.discipline import Discipline
from queueing.tickets.models import Counter, ServicePoint, Ticket
from queueing.tickets.rules import Desk
from reception.centres.models import Centre
from web.centre import curve, said
from web.centre.choices import MOST_COUNTERS, RATED, VISITORS, Choices
from web.counter import words
from web.http import Context

DAYS = 6  # earlier days offered beside today
NEW = "new-"  # what counters are called that weren't there
LONG = 20_000  # stages; some seconds of playing


@dataclass(frozen=True, slots=True)
class Played:
    """`rule_changes` are the rates that differ from those that hold today: {name: [held, would be]}."""

    was: rebuilt.Recorded
    before: Outcome
    after: Outcome
    faithful: rebuilt.Faithful
    changed: list[str]
    rule_changes: dict[str, list[float]]
    counters_changed: bool

    @property
    def differences(self) -> list[Difference]:
        return compare(self.before, self.after)


def play(ctx: Context, centre: Centre, choices: Choices) -> Played | None:
    """None with `choices.errors` where the day or a change can't be; '' is the field of what concerns the whole."""
    was = _recorded(ctx, centre, choices)
    if was is None:
        return None
    try:
        changed = _changed(ctx, was, choices)
    except Mistake as mistake:
        choices.errors[{"without": "less", "counter": "less"}.get(mistake.field or "", mistake.field or "")] = ctx.say(
            mistake
        )
        return None
    before = simulate(was.day)
    after = _counted_alike(before, simulate(changed)) if changed != was.day else before
    rules_changed = _rule_changes(standing.discipline_at(ctx.session, centre.id, now=ctx.now), choices.rates)
    return Played(
        was,
        before,
        after,
        rebuilt.faithful(was, before),
        said.changes(ctx, choices, _points(ctx, centre), _names(ctx, centre), rules_changed),
        rules_changed,
        changed.spans != was.day.spans,
    )


def _counted_alike(before: Outcome, after: Outcome) -> Outcome:
    """With other rates another class of the same visitor may count: compared are the same people nevertheless."""
    classes = {wait.label: wait.visitor_class for wait in before.waits}
    waits = [wait._replace(visitor_class=classes.get(wait.label, wait.visitor_class)) for wait in after.waits]
    return summarise(waits, after.counters, target=after.target_minutes)


def _recorded(ctx: Context, centre: Centre, choices: Choices) -> rebuilt.Recorded | None:
    try:
        was = rebuilt.recorded_day(
            ctx.session, centre.id, choices.day, zone=ctx.settings.timezone, now=ctx.now, target=choices.target
        )
    except Refused as refusal:
        choices.errors["day"] = ctx.say(refusal)
        return None
    if sum(len(arrival.stages) for arrival in was.day.arrivals) * choices.visitors / 100 > LONG:
        choices.errors["day"] = ctx._("So full a day is played on the server: majlis simulate.")
        return None
    return was


def _changed(ctx: Context, was: rebuilt.Recorded, choices: Choices) -> Day:
    day = was.day
    if choices.less:
        day = without_counter(day, choices.less, from_at=choices.less_from, to_at=choices.less_to)
    if choices.more:
        day = _with_new(ctx, day, was, choices)
    if choices.rates:
        day = with_rates(day, choices.rates)
    if choices.visitors != 100:
        day = with_more_visitors(day, choices.visitors / 100)
    return day


def _with_new(ctx: Context, day: Day, was: rebuilt.Recorded, choices: Choices) -> Day:
    """Counters more, for the services and sections that were chosen; without a choice for all that were asked for."""
    points, sections = rebuilt.kinds(was)
    first = choices.more_from or min(span.from_at for span in was.day.spans)
    last = min(choices.more_to or max(span.to_at for span in was.day.spans), was.until)
    if first >= last:
        raise Mistake("The counters were not open at this time of the day.", field="more_from")
    languages = frozenset(language for span in was.day.spans for language in span.desk.languages)
    new = [
        Desk(
            f"{NEW}{number}",
            frozenset(choices.points or points),
            frozenset(choices.sections or sections),
            languages,
        )
        for number in range(1, choices.more + 1)
    ]
    return replace(day, spans=(*day.spans, *(Span(desk, first, last) for desk in new)))


def _rule_changes(held: Discipline, rates: dict[str, float]) -> dict[str, list[float]]:
    """Against what holds today: of an earlier day's rates nobody has to decide any more."""
    return {f"rates.{name}": [held.rate(name), rate] for name, rate in rates.items() if held.rate(name) != rate}


def page(ctx: Context, centre: Centre, choices: Choices) -> dict[str, Any]:
    """The form, and the result once it was asked for."""
    zone, today = ctx.settings.timezone, local_day(ctx.now, ctx.settings.timezone)
    played = play(ctx, centre, choices) if choices.asked and not choices.errors else None
    rule = standing.discipline_at(ctx.session, centre.id, now=ctx.now)
    shown: dict[str, Any] = {f"rate_{name}": said.figure(ctx, rule.rates[name]) for name in RATED}
    shown |= {"target": said.figure(ctx, rule.target_minutes), "more": "0", "visitors": "100", "less": ""}
    shown |= {"day": f"{choices.day:%Y-%m-%d}", "points": [], "sections": []}
    rows = queries.counters(ctx.session, centre.id)
    return {
        "centre": centre,
        "choices": choices,
        "values": shown | {key: _again(ctx, key, value) for key, value in choices.typed.items()},
        "errors": choices.errors,
        "day_said": "" if "day" in choices.errors and not played else full_day(choices.day, ctx.lang),
        "days": _days(ctx, centre, choices.day, today),
        "points": [(point.id, point.name(ctx.lang)) for point in _points(ctx, centre).values()],
        "sections": [(one, ctx._(words.SECTIONS[one])) for one in rules.SECTIONS if one in centre.sections],
        "rated": [(f"rate_{name}", ctx._(words.CLASSES[name])) for name in RATED],
        "more_options": [(str(n), said.counters_more(ctx, n)) for n in range(MOST_COUNTERS + 1)],
        "less_options": [("", ctx._("None")), *((row.id, row.name(ctx.lang)) for row in rows)],
        "visitor_options": [(str(n), said.visitors(ctx, n)) for n in VISITORS],
        "played": played,
        "query": choices.query(),
        "address": urlencode(choices.query(), doseq=True),
        **(_result(ctx, centre, played, zone, rows) if played else {}),
    }


def _result(ctx: Context, centre: Centre, played: Played, zone: str, rows: Iterable[Counter]) -> dict[str, Any]:
    names = {row.id: row.name(ctx.lang) for row in rows}
    return {
        "sentences": said.sentences(ctx, played.changed, played.before, played.after, played.differences),
        "honesty": said.honesty(ctx, played.was, played.faithful),
        "classes": said.class_names(ctx),
        "counters": counters_of(ctx, played, names),
        "curve": curve.quarters(
            [], [played.before.waits, played.after.waits], lang=ctx.lang, zone=zone, until=played.was.until
        ),
        "may_decide": ADMIN in ctx.staff.roles,
        "prefill": {name: f"{new:g}" for name, (_, new) in played.rule_changes.items()},
    }


def counters_of(ctx: Context, played: Played, names: dict[str, str]) -> list[tuple[str, Any, Any]]:
    """(name, worked before, worked after); None where it wasn't, or wouldn't be, open."""
    before, after = ({one.desk: one for one in outcome.counters} for outcome in (played.before, played.after))
    order = [key for key in names if key in before or key in after]
    order += [key for key in {**before, **after} if key not in names]
    return [(_counter_name(ctx, key, names), before.get(key), after.get(key)) for key in order]


def _counter_name(ctx: Context, key: str, names: dict[str, str]) -> str:
    if key.startswith(NEW):
        return ctx._("New counter {number}").format(number=digits(key.removeprefix(NEW), ctx.lang))
    return names.get(key, ctx._("A counter that is no more"))


def _points(ctx: Context, centre: Centre) -> dict[str, ServicePoint]:
    return {point.id: point for point in queries.service_points(ctx.session, centre.id)}


def _names(ctx: Context, centre: Centre) -> dict[str, str]:
    return {row.id: row.name(ctx.lang) for row in queries.counters(ctx.session, centre.id)}


def _days(ctx: Context, centre: Centre, chosen: date, today: date) -> list[dict[str, Any]]:
    """Today and the latest days on which tickets were taken, to choose by one press."""
    rows = ctx.session.execute(
        select(Ticket.day, func.count())
        .where(Ticket.centre_id == centre.id, Ticket.day > today - timedelta(days=30), Ticket.day <= today)
        .group_by(Ticket.day)
        .order_by(Ticket.day.desc())
        .limit(DAYS)
    ).all()
    return [
        {"day": day, "value": day.isoformat(), "count": count, "current": day == chosen, "today": day == today}
        for day, count in rows
    ]


def _again(ctx: Context, key: str, value: Any) -> Any:
    """What was typed, in the digits of the page where it is a number."""
    return digits(value, ctx.lang) if key.startswith("rate_") or key == "target" else value
