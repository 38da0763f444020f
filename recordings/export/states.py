"""The course of one export."""

from core.states import Machine

ASKED, AGREED, MAKING, READY = "asked", "agreed", "making", "ready"
DECLINED, FAILED, CANCELLED, EXPIRED = "declined", "failed", "cancelled", "expired"

MACHINE = Machine(
    "export",
    ASKED,
    [
        (ASKED, "agree", AGREED),
        (ASKED, "decline", DECLINED),
        (AGREED, "begin", MAKING),
        (MAKING, "begin again", MAKING),
        (MAKING, "finish", READY),
        ((AGREED, MAKING), "fail", FAILED),
        (FAILED, "try again", AGREED),
        ((ASKED, AGREED, MAKING, READY, FAILED), "cancel", CANCELLED),
        ((ASKED, READY, FAILED), "expire", EXPIRED),
    ],
)
OPEN = frozenset({ASKED, AGREED, MAKING})
"""Something is still to come of it."""
UNDER_WAY = frozenset({AGREED, MAKING})
WITH_END = frozenset({ASKED, READY, FAILED})
"""States that do not last: `until` says for how long."""
