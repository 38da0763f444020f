"""The life of an order given by word of mouth."""

from core.language import N_
from core.states import Machine

MARKED = "marked"  # the moment is marked, the words are not written yet
WRITTEN = "written"  # written down, to be read back
SIGNED = "signed"  # read back and signed by the one who gave it
ASSIGNED = "assigned"  # with a department, with a day to be done by
FULFILLED = "fulfilled"
WITHDRAWN = "withdrawn"  # marked by mistake, or taken back before it was signed

TO_BE_SIGNED = (MARKED, WRITTEN)
OPEN = (MARKED, WRITTEN, SIGNED, ASSIGNED)

DIRECTIVE = Machine(
    "directive",
    MARKED,
    [
        (MARKED, "write", WRITTEN),
        (WRITTEN, "write", WRITTEN),
        (WRITTEN, "sign", SIGNED),
        (SIGNED, "assign", ASSIGNED),
        (ASSIGNED, "assign", ASSIGNED),
        (ASSIGNED, "report", ASSIGNED),
        (ASSIGNED, "fulfil", FULFILLED),
        (TO_BE_SIGNED, "withdraw", WITHDRAWN),
    ],
)

NAMES = {
    MARKED: N_("marked in the recording"),
    WRITTEN: N_("written down, to be read back and signed"),
    SIGNED: N_("signed, to be assigned"),
    ASSIGNED: N_("assigned"),
    FULFILLED: N_("carried out"),
    WITHDRAWN: N_("withdrawn"),
}
