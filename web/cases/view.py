"""What case pages show, worked out once: deadlines in words, names of states, the story newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from core.calendar import day_bounds, digits, local_day
from core.language import N_
from messaging import states as text_states
from reception import access
from reception.petitions import catalogue, rules, states
from reception.petitions.models import Petition
from reception.petitions.story import Step
from web.http import Context

STATE_TONES = {
    states.RECEIVED: "wait",
    states.ROUTED: "wait",
    states.TO_OFFICE: "wait",
    states.REOPENED: "wait",
    states.ACKNOWLEDGED: "info",
    states.IN_PROGRESS: "info",
    states.DECIDED: "info",
    states.WAITING_VISITOR: "wait",
    states.RETURNED: "danger",
    states.ANSWERED: "good",
    states.CLOSED: "neutral",
    states.PENDING: "wait",
    states.PASSED: "good",
    states.SENT_BACK: "danger",
}


@dataclass(frozen=True, slots=True)
class Deadline:
    tone: str
    text: str


def deadline(ctx: Context, petition: Petition) -> Deadline | None:
    """When the answer is due, in days as people count them; None for settled cases."""
    if petition.state in states.SETTLED or petition.due_at is None:
        return None
    if petition.state in (states.WAITING_VISITOR, states.RETURNED):
        return Deadline("neutral", ctx._("The deadline stands still"))
    zone = ctx.settings.timezone
    days = (local_day(petition.due_at, zone) - local_day(ctx.now, zone)).days
    if petition.due_at < ctx.now:
        late = max(1, -days)
        text = ctx.ngettext("{n} day past its deadline", "{n} days past its deadline", late)
        return Deadline("danger", text.format(n=digits(late, ctx.lang)))
    if days == 0:
        return Deadline("wait", ctx._("Due today"))
    text = ctx.ngettext("{n} day left", "{n} days left", days).format(n=digits(days, ctx.lang))
    return Deadline("wait" if days <= 2 else "neutral", text)


def told(ctx: Context, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The story as items of the timeline, newest first."""
    return [
        {
            "at": step.at,
            "title": step.say(ctx._, ctx.lang),
            "text": step.note(ctx.lang),
            "tone": step.tone,
            "icon": step.icon,
            "who": step.who(ctx.lang),
            "key": str(step.number),
        }
        for step in reversed(steps)
    ]


NOTE_NAMES = {
    "note": N_("Note"),
    "opinion": N_("Opinion"),
    "decision": N_("Grounds of the decision"),
    "question": N_("Question to the visitor"),
    "reply": N_("Reply of the visitor"),
    "answer": N_("The answer"),
    "missing": N_("Missing"),
}


LEVELS = {
    rules.OPEN_TO_STAFF: N_("Open to the department"),
    rules.CONFIDENTIAL: N_("Confidential"),
    rules.SECRET: N_("Secret"),
}


# What was written for the visitor, by the state in which it is read.
WORDS = {
    states.WAITING_VISITOR: "question",
    states.RETURNED: "missing",
    states.ANSWERED: "answer",
    states.CLOSED: "answer",
}


def show(ctx: Context, template: str, *, status: int = 200, **values: Any) -> Response:
    """Render with the words that case parts need."""
    return ctx.render(
        template,
        status=status,
        state_names=states.NAMES,
        state_tones=STATE_TONES,
        note_names=NOTE_NAMES,
        text_names=text_states.NAMES,
        named=lambda rows: [(row.id, row.name(ctx.lang)) for row in rows],
        reasons=lambda table: [(key, ctx._(words)) for key, words in table.items()],
        urgent=rules.URGENT,
        confidential=rules.CONFIDENTIAL,
        levels=LEVELS,
        outcomes=rules.OUTCOMES,
        title_of=lambda petition: _title(ctx, petition),
        deadline_of=lambda petition: deadline(ctx, petition),
        **values,
    )


def _title(ctx: Context, petition: Petition) -> str:
    """The subject; to those who may not read a confidential case, only its type."""
    readable = ctx.me is not None and access.may_read_text(ctx.me, petition)
    return petition.subject if readable else petition.type.name(ctx.lang)


def since_midnight(ctx: Context) -> datetime:
    return day_bounds(local_day(ctx.now, ctx.settings.timezone), ctx.settings.timezone)[0]


def asked_by_type(ctx: Context, petition: Petition) -> list[tuple[str, str]]:
    """The type's own questions with their answers, and the papers it asks for, by the version it was entered under."""
    terms = catalogue.terms(ctx.session, petition)
    label = f"label_{ctx.lang}"
    found = [(one[label], str((petition.details or {}).get(one["code"], ""))) for one in terms.fields]
    papers_ = ("، " if ctx.lang == "ar" else ", ").join(one[label] for one in terms.papers)
    return [*found, (ctx._("Papers of this type"), papers_)] if papers_ else found
