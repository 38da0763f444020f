"""What was pressed last, in words: the bar that takes it back says what it is."""

from typing import Any

from core.language import N_
from core.text import left_to_right
from queueing.tickets import course, service
from queueing.tickets.models import Counter, Ticket
from queueing.tickets.undo import Undoable
from web.http import Context

PRESSED = {
    "call": N_("{label} was called"),
    "start": N_("{label} is being served"),
    "finish": N_("{label} is finished"),
    "no_show": N_("{label} did not come"),
    "park": N_("{label} is set aside"),
    "resume": N_("{label} is back at the counter"),
    "return": N_("{label} is back in line"),
    "transfer": N_("{label} is in the line of {service}"),
    "forward": N_("{label} goes on to {service}"),
    "cancel": N_("{label} is out of the line"),
    "reopen": N_("{label} is being served again"),
}


def last_press(ctx: Context, mine: Counter, current: Ticket | None) -> dict[str, Any] | None:
    """The press that may still be taken back, or None: its words, until when, and what the button must have seen."""
    undoable = service.undoable(ctx.session, mine.id, ctx.staff.id, now=ctx.now)
    if undoable is None:
        return None
    return {
        "text": _words(ctx, undoable, current),
        "until": undoable.until,
        "seen": mark(undoable),
    }


def mark(undoable: Undoable) -> str:
    """Tells one press from the next, so that a stale page takes back nothing else."""
    return f"{undoable.verb}-{undoable.ticket_id}-{undoable.until.timestamp():.3f}"


def _words(ctx: Context, undoable: Undoable, current: Ticket | None) -> str:
    label = left_to_right(undoable.label)
    pressed_at = undoable.until - course.UNDO_WITHIN
    if undoable.verb == "finish" and current is not None and current.first_called_at == pressed_at:
        return ctx._("{label} is finished, {other} was called").format(label=label, other=left_to_right(current.label))
    ticket = ctx.session.get_one(Ticket, undoable.ticket_id)
    return ctx._(PRESSED[undoable.verb]).format(label=label, service=ticket.service_point.name(ctx.lang))
