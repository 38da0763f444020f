"""Jobs: work outside the database (texts, files, ffmpeg), claimed by lease so that a killed worker's job comes back.

A handler acts with no transaction open and returns what is to be recorded; recording and completion commit together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, new_id

LEASE = timedelta(seconds=60)
PENDING, DONE, FAILED = "pending", "done", "failed"
QUICK, MESSAGES, MEDIA, READING = "quick", "messages", "media", "reading"
"""Threads of a worker: what takes an instant; texts to people; making playable, signing; reading whole recordings."""


class Job(Base):
    """`run_at` is when it is next due; a running job is due again when its lease ends."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_due", "state", "lane", "run_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=PENDING)
    lane: Mapped[int] = mapped_column(default=5)
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    claim: Mapped[str | None]
    unique_key: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Claimed:
    id: str
    kind: str
    payload: dict[str, Any]
    attempts: int
    claim: str


@dataclass(frozen=True, slots=True)
class Handler:
    """`act(payload)` does the outside work; `record(session, payload, result, now)` writes what came of it.

    `gave_up(session, payload, error, now)` runs in the transaction that marks the job failed for good.
    `thread` says beside which other kinds it waits for its turn in a worker: only beside what takes about as long.
    """

    act: Callable[[dict[str, Any]], Any]
    record: Callable[[Session, dict[str, Any], Any, datetime], None] | None = None
    gave_up: Callable[[Session, dict[str, Any], str, datetime], None] | None = None
    tries: int = 6
    lease: timedelta = LEASE
    thread: str = QUICK


def enqueue(
    session: Session,
    kind: str,
    payload: dict[str, Any],
    *,
    now: datetime,
    run_at: datetime | None = None,
    lane: int = 5,
    unique_key: str | None = None,
    again_after: timedelta | None = None,
) -> str | None:
    """Add a job in the present transaction; with `unique_key` only once (None when it was there already).

    With `again_after` one that came to its end so long ago, well or not, is done once more; with none at all, whatever
    the clock said at its end.
    """
    if unique_key is not None and session.scalar(select(Job.id).where(Job.unique_key == unique_key)):
        return _again(session, unique_key, after=again_after, now=now) if again_after is not None else None
    job = Job(
        id=new_id(),
        kind=kind,
        payload=payload,
        run_at=run_at or now,
        lane=lane,
        unique_key=unique_key,
        created_at=now,
    )
    session.add(job)
    return job.id


def _again(session: Session, unique_key: str, *, after: timedelta, now: datetime) -> str | None:
    long_ago = (Job.finished_at <= now - after,) if after else ()
    return session.scalar(
        update(Job)
        .where(Job.unique_key == unique_key, Job.state.in_((DONE, FAILED)), *long_ago)
        .values(state=PENDING, run_at=now, attempts=0, finished_at=None, claim=None)
        .returning(Job.id)
    )


def claim(session: Session, kinds: list[str], *, now: datetime, lease: Callable[[str], timedelta]) -> Claimed | None:
    """Take the next due job by one conditional update (safe on SQLite and PostgreSQL). The caller commits at once."""
    candidate = session.execute(
        select(Job.id, Job.kind, Job.run_at, Job.attempts)
        .where(Job.state == PENDING, Job.kind.in_(kinds), Job.run_at <= now)
        .order_by(Job.lane, Job.run_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if candidate is None:
        return None
    mark = new_id()
    took = session.execute(
        update(Job)
        .where(Job.id == candidate.id, Job.state == PENDING, Job.run_at == candidate.run_at)
        .values(claim=mark, run_at=now + lease(candidate.kind), attempts=Job.attempts + 1)
        .returning(Job.id, Job.kind, Job.payload, Job.attempts)
    ).first()
    return Claimed(took.id, took.kind, took.payload, took.attempts, mark) if took else None


def finish(session: Session, claimed: Claimed, *, now: datetime) -> bool:
    """Mark done; False when the lease was lost to another worker, whose result stands."""
    changed = session.execute(
        update(Job)
        .where(Job.id == claimed.id, Job.claim == claimed.claim, Job.state == PENDING)
        .values(state=DONE, finished_at=now, last_error=None)
        .returning(Job.id)
    ).first()
    return changed is not None


def backoff(attempts: int) -> timedelta:
    """2, 4, 8 … seconds, at most ten minutes."""
    return timedelta(seconds=min(2**attempts, 600))


def retry(session: Session, claimed: Claimed, error: str, *, tries: int, now: datetime) -> bool:
    """Put a failed attempt back with backoff, or give it up after `tries`.

    True when given up; False too when the lease was lost, for then another worker has the word.
    """
    over = claimed.attempts >= tries
    changed = session.execute(
        update(Job)
        .where(Job.id == claimed.id, Job.claim == claimed.claim, Job.state == PENDING)
        .values(
            state=FAILED if over else PENDING,
            run_at=now + backoff(claimed.attempts),
            finished_at=now if over else None,
            last_error=error[:2000],
        )
        .returning(Job.id)
    ).first()
    return over and changed is not None


def renew(session: Session, claimed: Claimed, *, lease: timedelta, now: datetime) -> None:
    """Extend the lease of a job that is still being worked on."""
    mine = (Job.id == claimed.id, Job.claim == claimed.claim, Job.state == PENDING)
    session.execute(update(Job).where(*mine).values(run_at=now + lease))


def backlog(session: Session, *, now: datetime) -> dict[str, int]:
    """How many jobs wait past their time, and how many were given up (for `doctor` and the health page)."""
    due = session.scalar(select(func.count()).select_from(Job).where(Job.state == PENDING, Job.run_at <= now))
    failed = session.scalar(select(func.count()).select_from(Job).where(or_(Job.state == FAILED)))
    return {"due": due or 0, "failed": failed or 0}
