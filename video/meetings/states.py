"""The course of a meeting and of one participant in it."""

from core.states import Machine

SCHEDULED, OPEN, LIVE, ENDED, CANCELLED = "scheduled", "open", "live", "ended", "cancelled"

MEETING = Machine(
    "meeting",
    SCHEDULED,
    [
        (SCHEDULED, "open_room", OPEN),
        ((SCHEDULED, OPEN), "go_live", LIVE),
        ((OPEN, LIVE), "end", ENDED),
        ((SCHEDULED, OPEN), "cancel", CANCELLED),
    ],
)
JOINABLE = frozenset({SCHEDULED, OPEN, LIVE})
OVER = frozenset({ENDED, CANCELLED})
HELD = frozenset({LIVE, ENDED})

INVITED, ADMITTED, REMOVED = "invited", "admitted", "removed"

PARTICIPANT = Machine(
    "participant",
    INVITED,
    [
        (INVITED, "admit", ADMITTED),
        ((INVITED, ADMITTED), "remove", REMOVED),
        (REMOVED, "invite", INVITED),
    ],
)
