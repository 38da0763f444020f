"""The course of one recording."""

from core.states import Machine

RECORDING, CLOSED, READY, FAILED = "recording", "closed", "ready", "failed"
DESTROYED = "destroyed"  # its keys are gone; the row, the manifest and the certificate stay

MACHINE = Machine(
    "recording",
    RECORDING,
    [
        (RECORDING, "close", CLOSED),
        (CLOSED, "finish", READY),
        (CLOSED, "fail", FAILED),
        (FAILED, "try_again", CLOSED),
        ((READY, FAILED), "destroy", DESTROYED),
    ],
)
UNFINISHED = frozenset({RECORDING, CLOSED})
SETTLED = frozenset({READY, FAILED})
"""Nothing is written to its files any more: they ought to be signed."""
