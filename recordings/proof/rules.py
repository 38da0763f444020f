"""Pure decisions about proof: what a check's outcome is called, and when one is due."""

from datetime import datetime, timedelta

WITNESS_EVERY_S = 2.0
"""How often a live journal's head is told to the database: a shorter tail of an unfinished one may be cut unseen."""
CHECK_LIMIT = timedelta(hours=6)
"""A check that was asked for so long ago and has no verdict will not come any more."""
FORGOTTEN = timedelta(hours=1)
"""A recording that is closed for so long and has no manifest will get none by itself."""

PROVEN, ALTERED, UNSIGNED, FAILED = "proven", "altered", "unsigned", "failed"
ENDED = "destroyed"
"""Something that was signed is said to be destroyed: nothing is left of it to be compared, so nothing proves it."""


def running(asked_at: datetime, verdict: str | None, *, now: datetime) -> bool:
    return verdict is None and now - asked_at < CHECK_LIMIT
