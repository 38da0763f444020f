"""How long a case may lie in one verifier's hands. Pure."""

from datetime import datetime, timedelta

HOLD = timedelta(minutes=20)  # then it is anybody's again; deciding or looking at it takes it anew


def is_free(holder: str | None, until: datetime | None, *, me: str, now: datetime) -> bool:
    """Whether `me` may take the case: nobody has it, I have it, or it has lain too long."""
    return holder is None or holder == me or until is None or until <= now
