"""The course of one note: a deletion can be taken back."""

from core.states import Machine

KEPT, DELETED = "kept", "deleted"

MACHINE = Machine(
    "note",
    KEPT,
    [
        (KEPT, "change", KEPT),
        (KEPT, "delete", DELETED),
        (DELETED, "restore", KEPT),
    ],
)
