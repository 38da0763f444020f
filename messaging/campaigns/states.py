"""The life of a campaign, and of each of its recipients."""

from core.language import N_
from core.states import Machine

DRAFT = "draft"
PROPOSED = "proposed"
APPROVED = "approved"
RUNNING = "running"
PAUSED = "paused"
DONE = "done"
DECLINED = "declined"
CANCELLED = "cancelled"

CAMPAIGN = Machine(
    "campaign",
    DRAFT,
    [
        (DRAFT, "propose", PROPOSED),
        (PROPOSED, "rewrite", DRAFT),
        (PROPOSED, "approve", APPROVED),
        (PROPOSED, "decline", DECLINED),
        (APPROVED, "start", RUNNING),
        (RUNNING, "pause", PAUSED),
        (PAUSED, "resume", RUNNING),
        (RUNNING, "finish", DONE),
        ((DRAFT, PROPOSED, APPROVED, RUNNING, PAUSED), "cancel", CANCELLED),
    ],
)

NAMES = {
    DRAFT: N_("Draft"),
    PROPOSED: N_("Waits for a second person"),
    APPROVED: N_("Approved, not started"),
    RUNNING: N_("Under way"),
    PAUSED: N_("Paused"),
    DONE: N_("Done"),
    DECLINED: N_("Declined"),
    CANCELLED: N_("Cancelled"),
}

WAITING = "waiting"
WRITTEN = "written"
SKIPPED = "skipped"
RECIPIENT = Machine(
    "recipient",
    WAITING,
    [(WAITING, "write", WRITTEN), (WAITING, "skip", SKIPPED)],
)
