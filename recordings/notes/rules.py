"""Pure decisions about notes: whose they are, where they stand, how long they may be."""

from datetime import datetime, timedelta
from math import isfinite

from core.errors import Mistake, Refused
from core.text import clean

LONGEST = 1000  # characters
RESTORABLE = timedelta(hours=1)
"""A deletion can be taken back for so long."""


def words(text: str) -> str:
    """What is kept of `text`. Raises Mistake when nothing is left, or too much."""
    kept = clean(text, lines=True)
    if not kept:
        raise Mistake("Write something first.", field="text")
    if len(kept) > LONGEST:
        raise Mistake("This is too long. Shorten it.", field="text")
    return kept


def place(at_s: float, duration_s: float) -> float:
    """Seconds into the recording, within it. Raises Mistake for what is no moment at all."""
    if not isfinite(at_s):
        raise Mistake("This is not a moment of the recording.", field="at")
    return round(min(max(at_s, 0.0), max(duration_s, 0.0)), 1)


def check_own(written_by: str, by: str) -> None:
    if written_by != by:
        raise Refused("Only the one who wrote a note can change it.")


def check_restorable(deleted_at: datetime | None, *, now: datetime) -> None:
    if deleted_at is None or now - deleted_at > RESTORABLE:
        raise Refused("This note can no longer be brought back.")
