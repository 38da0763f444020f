"""The life of one version of a text's words: written by one person, agreed to by a second."""

from core.language import N_
from core.states import Machine

DRAFT = "draft"
PROPOSED = "proposed"
IN_FORCE = "in_force"
REPLACED = "replaced"
DECLINED = "declined"
DISCARDED = "discarded"

OPEN = (DRAFT, PROPOSED)

WORDING = Machine(
    "wording",
    DRAFT,
    [
        (DRAFT, "propose", PROPOSED),
        (PROPOSED, "approve", IN_FORCE),
        (PROPOSED, "decline", DECLINED),
        (PROPOSED, "rewrite", DRAFT),
        (IN_FORCE, "replace", REPLACED),
        (OPEN, "discard", DISCARDED),
    ],
)

NAMES = {
    DRAFT: N_("Draft"),
    PROPOSED: N_("Waits for a second person"),
    IN_FORCE: N_("In force"),
    REPLACED: N_("Replaced"),
    DECLINED: N_("Declined"),
    DISCARDED: N_("Discarded"),
}
