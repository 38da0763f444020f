"""The course of one file of a recording between the local folder and the bucket."""

from core.states import Machine

LOCAL, UPLOADING, FAILED, BOTH, REMOTE, LOST = "local", "uploading", "failed", "both", "remote", "lost"
DOOMED, LOCKED, REMOVED = "doomed", "locked", "removed"  # its recording was destroyed; the bucket's copy is to go

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
        ((LOCAL, UPLOADING, FAILED, BOTH, REMOTE, LOST), "doom", DOOMED),
        ((DOOMED, LOCKED, REMOVED), "doom", DOOMED),  # again: a transfer came to its end behind us
        ((DOOMED, LOCKED), "lock", LOCKED),
        ((DOOMED, LOCKED), "remove", REMOVED),
    ],
)
TO_SEND = frozenset({LOCAL, UPLOADING, FAILED})
"""Each of them has a job that is due, now or later."""
IN_BUCKET = frozenset({BOTH, REMOTE})
TO_REMOVE = frozenset({DOOMED, LOCKED})
"""Noise that still lies in the bucket: each has a job that is due, now, after a failure, or when its lock ends."""
GOING = TO_REMOVE | {REMOVED}
