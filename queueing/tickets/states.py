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
        ((WAITING, CALLED, SERVING, PARKED), "transfer", WAITING),
        ((WAITING, CALLED, PARKED), "cancel", CANCELLED),
    ],
)
