"""How much is given to browsers that are no device of the centre's: a ticket stands in a hall's line, wherever it was
asked for, and calling a human sends a clerk to the kiosk.

A device that was set up has no measure, nor has a member of staff who is signed in: both stand in the centre.
"""

from starlette.responses import Response

from core.language import N_
from web.appointment.guesses import WITHIN, Guesses
from web.kiosk.steps import Step

# Of one address, for each centre, in a quarter of an hour. When doors open, a full hall takes its numbers on phones
# through the centre's one wifi, and a kiosk that nobody set up gives one in a quarter of a minute at its fastest: they
# come through. A loop from abroad fills no line with thousands.
TICKETS = 60
CALLS = 10
tickets, calls = Guesses(TICKETS), Guesses(CALLS)

NO_TICKET = N_(
    "Very many tickets were taken from this connection just now. "
    "Please take yours at the kiosk in the hall, or ask at reception."
)
NO_CALL = N_("Our staff were called very often from this connection just now. Please go to the reception desk.")


def too_many_tickets(step: Step) -> Response | None:
    """Count one more; the page that refuses it, if it is one too many."""
    return _refused(step, tickets, NO_TICKET)


def too_many_calls(step: Step) -> Response | None:
    return _refused(step, calls, NO_CALL)


def _refused(step: Step, counted: Guesses, text: str) -> Response | None:
    ctx = step.ctx
    address = ctx.request.client.host if ctx.request.client else ""
    if step.kiosk or ctx.me or not counted.too_often(address, at=step.centre.id, now=ctx.now):
        return None
    response = step.show("refused", status=429, text=ctx._(text), hint="", current=0)
    response.headers["retry-after"] = str(int(WITHIN.total_seconds()))
    return response
