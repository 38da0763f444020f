"""The life of one one-time code."""

from core.states import Machine

OPEN = "open"
USED = "used"
SPENT = "spent"  # by wrong tries
OVERTAKEN = "overtaken"  # by a newer one

CODE = Machine(
    "one-time code",
    OPEN,
    [
        (OPEN, "use", USED),
        (OPEN, "spend", SPENT),
        (OPEN, "overtake", OVERTAKEN),
    ],
)
