"""How the rank of a visit goes on from point to point. Pure, and said in words where the rates hang.

Done at one point, a visitor comes into the next line with half of the minutes waited so far in this visit. The minutes
of being served count for nothing: they were the visit itself. So a long wait at the first desk is not forgotten, while
nobody passes by a whole line that has waited as long for this point alone.
"""

from datetime import datetime, timedelta

KEPT_SHARE = 0.5
NEAR = 3  # few are ahead: this place in the line, or a better one
UNDO_WITHIN = timedelta(seconds=30)


def forwarded_from(*, waited: timedelta, now: datetime) -> datetime:
    """Since when the rank at the next point accumulates; `waited` is all time in lines during this visit."""
    return now - max(waited, timedelta()) * KEPT_SHARE


def may_undo(*, pressed_at: datetime, now: datetime) -> bool:
    return now - pressed_at <= UNDO_WITHIN
