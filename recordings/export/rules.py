"""Pure decisions about exports: who may agree, how long things last, how large a film becomes."""

from datetime import datetime, timedelta

from core.errors import Refused
from recordings.export.states import READY

MP4, WEBM = "mp4", "webm"
FORMATS = (MP4, WEBM)
MEDIA_TYPES = {MP4: "video/mp4", WEBM: "video/webm"}

TO_AGREE = timedelta(days=7)
"""Nobody agreed for so long: it is as good as declined."""
KEPT = timedelta(days=7)
"""A film that is ready can be fetched for so long, and is then destroyed; a failed one can be tried again as long."""
DOWNLOADS_APART = timedelta(hours=1)
"""Ranges asked for so long after the beginning of a download still belong to it."""

BITS_PER_SECOND = 2_300_000
"""The most a film takes: the encoders are held to it (`arguments.VIDEO_BITS`), sound and container included."""
MARGIN_BYTES = 2 * 1024**3
"""What an export leaves free on the disk: meetings need it, and they come first."""
LEAST_TIME = timedelta(minutes=30)
STALLED = timedelta(minutes=5)

# Why an export failed: every one has its words and a way on in web/exports/words.py.
DISK_FULL = "disk full"
ALTERED = "altered"
NO_KEY = "no key"
GONE = "gone"
STORE = "store"
NOTHING = "nothing"
TOO_LONG = "too long"
HUNG = "hung"
TOOL = "tool"
NO_TOOL = "no tool"
OTHER = "other"
PROBLEMS = (DISK_FULL, ALTERED, NO_KEY, GONE, STORE, NOTHING, TOO_LONG, HUNG, TOOL, NO_TOOL, OTHER)


def check_second(asked_by: str, by: str) -> None:
    """An export takes two people. Raises Refused for the one who asked; that the other may view is asked elsewhere."""
    if by == asked_by:
        raise Refused("Someone else who may view the recording has to agree.")


def may_stop(asked_by: str, decided_by: str | None, by: str) -> bool:
    """The one who asked, and the one who agreed: each can take their word back."""
    return by in (asked_by, decided_by)


def fetchable(state: str, asked_by: str, by: str, until: datetime | None, *, now: datetime) -> bool:
    """The film is for the one who asked alone: their name is on it."""
    return state == READY and by == asked_by and until is not None and now < until


def size_at_most(duration_s: float) -> int:
    """Bytes."""
    return int(duration_s * BITS_PER_SECOND / 8) + 1_000_000


def fits(free_bytes: int, duration_s: float) -> bool:
    return free_bytes - size_at_most(duration_s) >= MARGIN_BYTES


def time_limit(duration_s: float) -> timedelta:
    """How long the making may take: live meetings come first, so even a slow making gets its chance."""
    return max(LEAST_TIME, timedelta(seconds=6 * duration_s))
