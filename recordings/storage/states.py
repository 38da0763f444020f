"""The course of one file of a recording between the local folder and the bucket."""

from core.states import Machine

LOCAL, UPLOADING, FAILED, BOTH, REMOTE, LOST = "local", "uploading", "failed", "both", "remote", "lost"

MACHINE = Machine(
    "stored file",
    LOCAL,
    [
        ((LOCAL, UPLOADING, FAILED), "send", UPLOADING),  # from uploading: its worker died
        (UPLOADING, "confirm", BOTH),
        ((LOCAL, UPLOADING), "fail", FAILED),
        (BOTH, "free", REMOTE),
        (REMOTE, "bring_back", BOTH),
        (BOTH, "miss", FAILED),  # the bucket has it no more, or not as it was: it is sent again
        (REMOTE, "miss", LOST),
        (LOST, "find", REMOTE),
        (LOST, "bring_back", BOTH),
        ((LOCAL, UPLOADING, FAILED, BOTH), "change", LOCAL),  # signed anew: another manifest
    ],
)
TO_SEND = frozenset({LOCAL, UPLOADING, FAILED})
"""Each of them has a job that is due, now or later."""
IN_BUCKET = frozenset({BOTH, REMOTE})
