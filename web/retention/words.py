"""What is said of holds and destructions."""

from datetime import datetime
from typing import Any

from core.language import N_
from recordings.retention import states as s

# state: label, tone of its badge
DESTRUCTIONS = {
    s.PROPOSED: (N_("Waiting for a second person"), "wait"),
    s.AGREED: (N_("Agreed to"), "wait"),
    s.DESTROYING: (N_("Keys are being destroyed"), "wait"),
    s.DONE: (N_("Destroyed"), "neutral"),
    s.DECLINED: (N_("Declined"), "neutral"),
    s.WITHDRAWN: (N_("Taken back"), "neutral"),
    s.STOPPED: (N_("Stopped by a legal hold"), "good"),
    s.FAILED: (N_("Failed"), "danger"),
}

HOLDS = {
    s.IN_FORCE: (N_("In force"), "good"),
    s.LIFT_ASKED: (N_("Waiting for a second person to lift it"), "wait"),
    s.LIFTED: (N_("Lifted"), "neutral"),
}

REMOVED, LOCKED = N_("Removed"), N_("Locked until {day}")
WAITING = N_("Still there: {problem}. It is tried again by itself.")


def object_state(one: dict[str, Any]) -> tuple[str, str, datetime | None]:
    """(words, tone, until when) of a destroyed recording's object in the bucket."""
    if one.get("removed"):
        return REMOVED, "neutral", None
    if until := one.get("locked_until"):
        return LOCKED, "wait", datetime.fromisoformat(until)
    return WAITING, "danger", None
