"""Two lives: that of somebody who waits, and that of one offer. An offer's place is a hold of the calendar's own."""

from core.language import N_
from core.states import Machine

WAITING = "waiting"
OFFERED = "offered"
PAUSED = "paused"
SERVED = "served"
LEFT = "left"
OVER = "over"

IN_LINE = (WAITING, OFFERED, PAUSED)  # one of a petition at most
UNOFFERED = (WAITING, PAUSED)

WAITLIST = Machine(
    "waitlist place",
    WAITING,
    [
        (WAITING, "offer", OFFERED),
        (OFFERED, "pass", WAITING),
        (OFFERED, "pause", PAUSED),
        (PAUSED, "resume", WAITING),
        (WAITING, "change", WAITING),
        (PAUSED, "change", PAUSED),
        (IN_LINE, "serve", SERVED),
        (IN_LINE, "leave", LEFT),
        (UNOFFERED, "outlast", OVER),
    ],
)

OPEN, ACCEPTED, DECLINED, LAPSED, WITHDRAWN = "open", "accepted", "declined", "lapsed", "withdrawn"

REFUSED_BY_VISITOR = (DECLINED, LAPSED)  # the same time is not offered to the same person again

OFFER = Machine(
    "offer",
    OPEN,
    [
        (OPEN, "accept", ACCEPTED),
        (OPEN, "decline", DECLINED),
        (OPEN, "lapse", LAPSED),
        (OPEN, "withdraw", WITHDRAWN),
    ],
)

NAMES = {
    WAITING: N_("waiting"),
    OFFERED: N_("has an offer"),
    PAUSED: N_("did not answer"),
    SERVED: N_("has an appointment"),
    LEFT: N_("left the list"),
    OVER: N_("no place in time"),
}
