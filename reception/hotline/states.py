"""A promise to call somebody back."""

from core.states import Machine

OPEN, DONE, DROPPED = "open", "done", "dropped"

CALL_BACK = Machine(
    "call-back",
    OPEN,
    [
        (OPEN, "try", OPEN),
        (OPEN, "reach", DONE),
        (OPEN, "drop", DROPPED),
    ],
)
