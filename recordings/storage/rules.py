"""Pure decisions about disks and buckets: what room meetings need, when to try again, what may go from the disk."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

GIB = 1024**3
BYTES_PER_HOUR = 14 * GIB // 10
"""Of a journal in HD, both sides together; its renditions take as much again."""
RESERVE = GIB // 2
"""For database, papers and logs: never promised to a recording."""
SHORTEST = timedelta(minutes=20)
"""A meeting gets at least so much: many last longer than their slot."""
WARN_FACTOR = 3
"""Staff are told when there is no more room than for so many times what is needed."""

GRACE = timedelta(hours=2)
"""What was brought back, for an export or a proof, stays at least so long."""

LOCK_OVER = timedelta(minutes=1)
"""The store's clock may be so much behind ours."""
LONGEST_WAIT = timedelta(days=7)

FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=15), timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Span:
    """A meeting's slot; `live_at` None for one that is about to begin."""

    ends_at: datetime
    live_at: datetime | None = None


def needed(meetings: Iterable[Span], *, now: datetime, reserve: int = RESERVE) -> int:
    """Bytes that must be free so that all of these can be recorded to their end and made playable."""
    seconds = 0.0
    for meeting in meetings:
        ahead = max(meeting.ends_at - now, SHORTEST)
        behind = max(now - meeting.live_at, timedelta()) if meeting.live_at else timedelta()
        seconds += 2 * ahead.total_seconds() + behind.total_seconds()  # what is written has its renditions to come
    return reserve + int(seconds * BYTES_PER_HOUR / 3600)


def low(free: int, need: int) -> bool:
    """Is it time to tell somebody?"""
    return free < need * WARN_FACTOR


def backoff(tries: int) -> timedelta:
    """A quarter of a minute, doubling to half an hour; it never ends."""
    doubled: int = 2 ** min(max(tries - 1, 0), 12)
    return min(FIRST_RETRY * doubled, LONGEST_RETRY)


def look_again(locked_until: datetime | None, tries: int, *, now: datetime) -> datetime:
    """When a destroyed recording's object is tried again: behind its lock, and never later than in a week, for locks
    are shortened too."""
    if locked_until is None:
        return now + backoff(tries)
    return min(max(locked_until, now) + LOCK_OVER, now + LONGEST_WAIT)


def may_free(stored_at: datetime, *, keep: timedelta, cramped: bool, now: datetime) -> bool:
    """A local copy whose twin in the bucket was read back goes after `keep`; sooner where room is short."""
    return cramped or now - stored_at >= keep


def part_size(size: int, least: int) -> int:
    """A bucket takes at most 10 000 parts."""
    mib = 1024**2
    return max(least, -(-size // 9000 // mib) * mib)
