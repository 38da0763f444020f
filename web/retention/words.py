"""What is said of holds and destructions."""

from datetime import datetime
from typing import Any

from core.language import N_
from recordings.retention import states as s
from recordings.storage import bucket

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
NOT_YET, NO_STORE = N_("not tried yet"), N_("no store is named in the settings")
PROBLEMS = {
    bucket.UNREACHABLE: N_("the store does not answer"),
    bucket.REFUSED: N_("the store refuses"),
    bucket.LOCKED: N_("the store's lock forbids it"),
    NO_STORE: NO_STORE,
}
OTHER = N_("the store could not remove it")


def object_state(one: dict[str, Any]) -> tuple[str, str, datetime | None, str]:
    """(words, tone, until when, why it is still there) of a destroyed recording's object in the bucket."""
    if one.get("removed"):
        return REMOVED, "neutral", None, ""
    if until := one.get("locked_until"):
        return LOCKED, "wait", datetime.fromisoformat(until), ""
    return WAITING, "danger", None, _why(one.get("problem") or "")


def _why(problem: str) -> str:
    """The reader's words for a kind of BucketError; what the store itself said is for the log and the doctor."""
    if problem in ("", NOT_YET):
        return NOT_YET
    return next((words for kind, words in PROBLEMS.items() if problem.startswith(kind)), OTHER)
