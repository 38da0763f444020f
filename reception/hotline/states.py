"""A promise to call somebody back; a concern on its way to an answer."""

from core.language import N_
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

WITH_CENTRE = "with_centre"  # the manager's to answer
WITH_OFFICE = "with_office"  # the minister's office has it
ANSWERED = "answered"
UNANSWERED = (WITH_CENTRE, WITH_OFFICE)

CONCERN = Machine(
    "concern",
    WITH_CENTRE,
    [
        (WITH_CENTRE, "raise", WITH_OFFICE),
        (UNANSWERED, "answer", ANSWERED),
    ],
)

CONCERN_NAMES = {
    WITH_CENTRE: N_("With the centre's manager"),
    WITH_OFFICE: N_("With the Minister's office"),
    ANSWERED: N_("Answered"),
}
