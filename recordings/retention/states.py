"""The course of a legal hold and of a destruction."""

from core.states import Machine

IN_FORCE, LIFT_ASKED, LIFTED = "in force", "lift asked", "lifted"

HOLD = Machine(
    "legal hold",
    IN_FORCE,
    [
        (IN_FORCE, "ask to lift", LIFT_ASKED),
        (LIFT_ASKED, "keep", IN_FORCE),
        (LIFT_ASKED, "lift", LIFTED),
    ],
)
HOLDS = frozenset({IN_FORCE, LIFT_ASKED})
"""Nothing is destroyed while one of these stands."""

PROPOSED, AGREED, DESTROYING, DONE = "proposed", "agreed", "destroying", "done"
DECLINED, WITHDRAWN, STOPPED, FAILED = "declined", "withdrawn", "stopped", "failed"

DESTRUCTION = Machine(
    "destruction",
    PROPOSED,
    [
        (PROPOSED, "agree", AGREED),
        (PROPOSED, "decline", DECLINED),
        (PROPOSED, "withdraw", WITHDRAWN),
        ((PROPOSED, AGREED), "stop", STOPPED),
        (AGREED, "begin", DESTROYING),
        (DESTROYING, "begin", DESTROYING),
        (DESTROYING, "finish", DONE),
        ((AGREED, DESTROYING), "fail", FAILED),
        (FAILED, "begin", DESTROYING),
    ],
)
OPEN = frozenset({PROPOSED, AGREED, DESTROYING, FAILED})
