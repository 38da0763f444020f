"""The life of an appointment. A moved appointment is no cancellation: another one took its place and its code."""

from core.language import N_
from core.states import Machine

HELD = "held"
BOOKED = "booked"
CHECKED_IN = "checked_in"
MET = "met"
MISSED = "missed"
MOVED = "moved"
CANCELLED = "cancelled"
EXPIRED = "expired"

LIVE = (HELD, BOOKED, CHECKED_IN)  # takes a place in its slot
AWAITED = (BOOKED, CHECKED_IN)  # the visitor is expected
KEPT = (BOOKED, CHECKED_IN, MET)  # what a day's list shows unless all is asked for

APPOINTMENT = Machine(
    "appointment",
    HELD,
    [
        (HELD, "book", BOOKED),
        (HELD, "expire", EXPIRED),
        (BOOKED, "check in", CHECKED_IN),
        (AWAITED, "meet", MET),
        (AWAITED, "miss", MISSED),
        (AWAITED, "move", MOVED),
        (LIVE, "cancel", CANCELLED),
    ],
)

OPEN, CLOSED = "open", "closed"

HOURS = "hours"  # what closed a slot: the working hours became others

SLOT = Machine("slot", OPEN, [(OPEN, "close", CLOSED), (CLOSED, "reopen", OPEN)])

NAMES = {
    HELD: N_("held for a few minutes"),
    BOOKED: N_("booked"),
    CHECKED_IN: N_("the visitor is here"),
    MET: N_("the meeting took place"),
    MISSED: N_("the visitor did not come"),
    MOVED: N_("moved to another time"),
    CANCELLED: N_("called off"),
    EXPIRED: N_("hold let go"),
}
