"""The life of a ticket, from the kiosk to the end of the visit."""

from core.states import Machine

WAITING = "waiting"
CALLED = "called"
SERVING = "serving"
PARKED = "parked"  # fetching a paper, waiting for an interpreter: keeps its rank, holds no counter
NO_SHOW = "no_show"
FINISHED = "finished"
CANCELLED = "cancelled"

AT_COUNTER = (CALLED, SERVING)  # holds a counter: at most one such ticket for each counter
IN_CENTRE = (WAITING, CALLED, SERVING, PARKED)  # the visitor is still owed something today
OVER = (NO_SHOW, FINISHED, CANCELLED)

# Taking back a press walks its row of this table the other way (undo.py), so it needs no row of its own.
UNDOABLE = ("call", "start", "finish", "no_show", "park", "resume", "return", "transfer", "forward", "cancel", "reopen")

TICKET = Machine(
    "ticket",
    WAITING,
    [
        (WAITING, "call", CALLED),
        (CALLED, "recall", CALLED),
        (CALLED, "start", SERVING),
        (SERVING, "finish", FINISHED),
        (AT_COUNTER, "park", PARKED),
        (PARKED, "resume", SERVING),
        (CALLED, "no_show", NO_SHOW),
        # a call undone; the clerk had to go; back with the paper; came late after all
        ((CALLED, SERVING, PARKED, NO_SHOW), "return", WAITING),
        (FINISHED, "reopen", SERVING),  # finished by a slip of the hand
        ((WAITING, CALLED, SERVING, PARKED), "transfer", WAITING),  # it was the wrong line
        (SERVING, "forward", WAITING),  # done here; on to the next point of the visit
        ((WAITING, CALLED, PARKED), "cancel", CANCELLED),
        (WAITING, "leave", CANCELLED),  # given up by the visitor, on the phone
        (CANCELLED, "rejoin", WAITING),  # a moment later: it was a slip of the thumb
    ],
)
