"""The what-if in sentences that one may repeat in a meeting: what was changed, and who would wait how long."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.calendar import clock, digits
from queueing.simulation.outcome import URGENT, Difference, Outcome
from queueing.tickets import rebuilt
from queueing.tickets.models import ServicePoint
from web.centre.choices import Choices
from web.counter import words

if TYPE_CHECKING:
    from web.http import Context

FELT = 2.0  # minutes; less is no difference that anybody would feel
ENOUGH = 3  # visitors of a class from whom a sentence is made
MOST = 3  # classes with a sentence of their own


def minutes(ctx: "Context", count: float) -> str:
    """Whole minutes in words, `no minute` included: what one waits at an empty counter."""
    return words.minutes(ctx, count)


def share(ctx: "Context", value: float) -> str:
    return digits(f"{value * 100:.0f}", ctx.lang) + ("٪" if ctx.lang == "ar" else "%")


def class_names(ctx: "Context") -> dict[str, str]:
    return {name: ctx._(text) for name, text in words.CLASSES.items()} | {URGENT: ctx._("Urgent")}


def counters_more(ctx: "Context", count: int) -> str:
    if not count:
        return ctx._("None")
    return ctx.ngettext("{n} counter more", "{n} counters more", count).format(n=digits(count, ctx.lang))


def visitors(ctx: "Context", percent: int) -> str:
    if percent == 100:
        return ctx._("As many as came")
    text = ctx._("{n}% more") if percent > 100 else ctx._("{n}% fewer")
    return text.format(n=digits(abs(percent - 100), ctx.lang))


def changes(
    ctx: "Context",
    choices: Choices,
    points: Mapping[str, ServicePoint],
    counters: Mapping[str, str],
    rules: Mapping[str, Sequence[float]],
) -> list[str]:
    """What was changed, one phrase each; none for the day as it was."""
    found = []
    if choices.more:
        parts = [counters_more(ctx, choices.more)]
        some = [points[key].name(ctx.lang) for key in choices.points if key in points]
        if some and len(some) < len(points):
            parts.append(ctx._("for {services}").format(services=ctx._(", ").join(f"“{one}”" for one in some)))
        if choices.sections and len(choices.sections) < 3:
            parts.append(f"({ctx._(', ').join(ctx._(words.SECTIONS[one]) for one in choices.sections)})")
        found.append(" ".join([*parts, *_hours(ctx, choices, "more")]))
    if choices.less:
        text = ctx._("without “{counter}”").format(counter=counters.get(choices.less, "—"))
        found.append(" ".join([text, *_hours(ctx, choices, "less")]))
    if choices.visitors != 100:
        found.append(ctx._("visitors: {change}").format(change=visitors(ctx, choices.visitors)))
    names = class_names(ctx)
    for name, (held, would) in rules.items():
        found.append(
            ctx._("rate of “{name}” {new} instead of {old}").format(
                name=names.get(name.removeprefix("rates."), name), new=figure(ctx, would), old=figure(ctx, held)
            )
        )
    return found


def figure(ctx: "Context", value: float) -> str:
    """`1.5`, or `١٫٥` with the decimal sign that belongs to its digits."""
    text = digits(f"{value:g}", ctx.lang)
    return text.replace(".", "٫") if ctx.lang == "ar" else text


def _hours(ctx: "Context", choices: Choices, name: str) -> list[str]:
    first, last = getattr(choices, f"{name}_from"), getattr(choices, f"{name}_to")
    zone = ctx.settings.timezone
    found = [ctx._("from {time}").format(time=clock(first, ctx.lang, zone))] if first else []
    return found + ([ctx._("until {time}").format(time=clock(last, ctx.lang, zone))] if last else [])


def sentences(
    ctx: "Context", changed: Sequence[str], before: Outcome, after: Outcome, differences: Sequence[Difference]
) -> list[str]:
    """The longest wait first, then the target, the classes that feel it most, who is never called, the counters."""
    found = [_longest(ctx, before, after), _target(ctx, before, after)]
    felt = [
        one
        for one in differences
        if one.before and one.after and one.before.called >= ENOUGH and abs(one.after.p90 - one.before.p90) >= FELT
    ]
    felt.sort(key=lambda one: -abs(one.after.p90 - one.before.p90) if one.before and one.after else 0.0)
    names = class_names(ctx)
    for one in felt[:MOST]:
        if one.before and one.after:
            found.append(
                ctx._("{visitors}: nine of ten would wait up to {after}; it was {before}.").format(
                    visitors=names.get(one.visitor_class, one.visitor_class),
                    after=minutes(ctx, one.after.p90),
                    before=minutes(ctx, one.before.p90),
                )
            )
    if before.unserved != after.unserved:  # first where it grows: those who are never called have no wait to count
        text = ctx._("Not called by the end of the play: {after} visitors; it was {before}.")
        never = text.format(after=digits(after.unserved, ctx.lang), before=digits(before.unserved, ctx.lang))
        found.insert(0 if after.unserved > before.unserved else len(found), never)
    found.append(_busy(ctx, before, after))
    return found


def _longest(ctx: "Context", before: Outcome, after: Outcome) -> str:
    was, would = before.all.longest, after.all.longest
    said: dict[str, Any] = {"before": minutes(ctx, was), "after": minutes(ctx, would)}
    if would <= was - 1:
        return ctx._("The longest wait falls from {before} to {after}.").format(**said)
    if would >= was + 1:
        return ctx._("The longest wait grows from {before} to {after}.").format(**said)
    return ctx._("The longest wait stays at {before}.").format(**said)


def _target(ctx: "Context", before: Outcome, after: Outcome) -> str:
    text = ctx._("Within the target of {target}: {after} of the visitors; it was {before}.")
    return text.format(
        target=minutes(ctx, after.target_minutes),
        after=share(ctx, after.all.within),
        before=share(ctx, before.all.within),
    )


def busy(outcome: Outcome) -> float:
    manned = sum(one.open for one in outcome.counters)
    return sum(one.busy for one in outcome.counters) / manned if manned else 0.0


def _busy(ctx: "Context", before: Outcome, after: Outcome) -> str:
    text = ctx._("The counters would be busy {after} of the time; it was {before}.")
    return text.format(after=share(ctx, busy(after)), before=share(ctx, busy(before)))


def honesty(ctx: "Context", was: rebuilt.Recorded, met: rebuilt.Faithful) -> dict[str, str]:
    """How far the play may be trusted for this day, in a verdict and its numbers."""
    verdicts = {
        "good": ctx._("The play meets this day well"),
        "wait": ctx._("The play meets this day roughly"),
        "danger": ctx._("The play meets this day badly: don't decide by it alone"),
    }
    tone = "good" if met.good else "wait" if met.fair else "danger"
    text = ctx._(
        "Played without any change, half of the visitors wait up to {played}; really it was {real}. {near} of the "
        "waits are met within five minutes ({count} were compared)."
    )
    said = text.format(
        played=minutes(ctx, met.played),
        real=minutes(ctx, met.real),
        near=share(ctx, met.near),
        count=digits(met.compared, ctx.lang),
    )
    return {"tone": tone, "title": verdicts[tone], "text": said}
