"""The waitlist's codes in words."""

from datetime import timedelta

from core.calendar import digits, local_day
from core.language import N_
from queueing.tickets.rules import FASTER_RATE, LONGEST, URGENT, Because
from queueing.waitlist import states
from queueing.waitlist.models import Waiting
from web.http import Context

LOOKS = {
    states.WAITING: ("info", "hourglass"),
    states.OFFERED: ("good", "message"),
    states.PAUSED: ("wait", "phone"),
}
STATES = {
    states.WAITING: N_("Waiting for a time"),
    states.OFFERED: N_("A time is offered"),
    states.PAUSED: N_("Does not answer: please call"),
}
OFFERS = {
    states.OPEN: N_("open"),
    states.ACCEPTED: N_("taken"),
    states.DECLINED: N_("not wanted"),
    states.LAPSED: N_("no answer"),
    states.WITHDRAWN: N_("taken back"),
}
_WHY = {
    URGENT: N_("Before the next: an urgent case comes first."),
    LONGEST: N_("Before the next: has waited longer ({waited} against {other_waited})."),
    FASTER_RATE: N_("Before the next: {waited} count {rate} times, more than {other_waited} × {other_rate}."),
}


def because(ctx: Context, why: Because | None) -> str:
    """Why somebody comes before the next in line; empty for the last."""
    if why is None or why.code not in _WHY:
        return ""
    return ctx._(_WHY[why.code]).format(
        waited=span(ctx, why.waited),
        other_waited=span(ctx, why.than_waited),
        rate=digits(f"{why.rate:g}", ctx.lang),
        other_rate=digits(f"{why.than_rate:g}", ctx.lang),
    )


def span(ctx: Context, minutes: float) -> str:
    """Days, hours or minutes, whichever says it."""
    whole = round(minutes)
    days, hours = whole // (24 * 60), whole // 60
    if days:
        return ctx.ngettext("{n} day", "{n} days", days).format(n=digits(days, ctx.lang))
    if hours:
        return ctx.ngettext("{n} hour", "{n} hours", hours).format(n=digits(hours, ctx.lang))
    return ctx.ngettext("{n} minute", "{n} minutes", whole).format(n=digits(whole, ctx.lang))


def between(ctx: Context, waiting: Waiting) -> tuple[str, str]:
    """The first and the last day that suit, as days for a form; empty where any will do."""
    zone = ctx.settings.timezone
    first = local_day(waiting.earliest, zone).isoformat() if waiting.earliest else ""
    last = local_day(waiting.latest - timedelta(microseconds=1), zone).isoformat() if waiting.latest else ""
    return first, last
