"""Levels, causes and roles in words."""

from core.calendar import digits
from core.language import N_
from video.meetings import rules
from web.http import Context

LEVELS = {
    rules.FINE: N_("Good"),
    rules.INTERRUPTED: N_("With interruptions"),
    rules.BAD: N_("Bad"),
}
TONES = {rules.FINE: "good", rules.INTERRUPTED: "wait", rules.BAD: "danger"}
ICONS = {rules.FINE: "check", rules.INTERRUPTED: "signal", rules.BAD: "warning"}
CAUSES = {
    rules.BREAKS: N_("the line broke off"),
    rules.LOSS: N_("sound or picture got lost on the way"),
    rules.STILLS: N_("the picture stood still"),
    rules.DELAY: N_("answers came late"),
}
ROLES = {
    rules.VISITOR: N_("Visitor's hall"),
    rules.OFFICIAL: N_("Official"),
    rules.AIDE: N_("Office"),
    rules.INTERPRETER: N_("Interpreter"),
}


def period(ctx: Context, days: int) -> str:
    """`the last 7 days`."""
    return ctx.ngettext("the last {n} day", "the last {n} days", days).format(n=digits(days, ctx.lang))
