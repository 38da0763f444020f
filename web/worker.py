"""The worker: turns events into reactions, runs jobs, and fires what has fallen due. As many as needed may run.

Jobs that take long have threads of their own (`Handler.thread`), so that a code on its way to somebody's phone waits
for no film, and a recording that becomes playable for no audit.
"""

import signal
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from core import clock, jobs
from core.db import Database
from core.events import EventDelivery, OutboxEvent, decode, name_of
from core.jobs import QUICK, Handler
from core.sweeping import is_due, reads_first

log = structlog.get_logger()
IDLE = 0.2  # seconds between looks when nothing is due
IDLE_LONG = 0.5  # of threads whose work takes long anyway
BATCH = 50
LOOK_EVERY_S = 60.0
TO_END_S = 10.0  # a job that is not done by then comes back when its lease ends
FIRST_RETRY = timedelta(seconds=5)  # of a reaction; it doubles, and stays at ten minutes

Reaction = Callable[..., None]
Sweep = Callable[[Session, datetime], None]


class Beside(Protocol):
    """Work with a loop of its own: `run` in a thread of a worker that runs, `step` where everything goes in turn."""

    def run(self, stop: threading.Event) -> None: ...

    def step(self) -> bool: ...

    def close(self) -> None: ...


@dataclass
class Worker:
    """`reactions`: event type → functions (session, event, now=…). `sweeps`: run about once a second.

    `quiet`: events from which nothing follows; None: whatever is in no table is one. An event or reaction of which this
    version knows nothing is of a newer one, and waits for it: while an installation is renewed, both are at work.
    `clock` is only ever another than the real one where a past is played through (the demo).
    """

    db: Database
    reactions: Mapping[type, tuple[Reaction, ...]]
    handlers: Mapping[str, Handler]
    sweeps: tuple[Sweep, ...] = ()
    quiet: Collection[type] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], datetime] = clock.now
    beside: tuple[Beside, ...] = ()
    _swept: float = 0.0
    _looked: float = 0.0
    _rest: dict[tuple[str, str | None], tuple[object, datetime | None]] = field(default_factory=dict)
    """Of looks that found nothing: the database's mark, and when something that was there falls due."""

    def __post_init__(self) -> None:
        self._types = {name_of(event): event for event in self.reactions}
        self._by_name = {r.__name__: r for rs in self.reactions.values() for r in rs}
        self._names = None if self.quiet is None else sorted({*self._types, *(name_of(event) for event in self.quiet)})

    def run(self) -> None:
        """Until stopped: events, sweeps and quick jobs here, every other thread that handlers name beside it."""
        names = sorted({handler.thread for handler in self.handlers.values()} - {QUICK})
        threads = [
            threading.Thread(
                target=self._keep_on, args=(partial(self._run_job, name), IDLE_LONG), name=name, daemon=True
            )
            for name in names
        ]
        threads += [threading.Thread(target=one.run, args=(self.stop,), daemon=True) for one in self.beside]
        for thread in threads:
            thread.start()
        self._keep_on(partial(self.step, QUICK) if threads else self.step)
        for thread in threads:
            thread.join(TO_END_S)

    def _keep_on(self, step: Callable[[], bool], idle: float = IDLE) -> None:
        """A fault is logged and waited out; nothing here may end the loop."""
        while not self.stop.is_set():
            try:
                busy = step()
            except Exception:
                log.exception("worker")
                busy = False
                self.stop.wait(1.0)
            if not busy:
                self.stop.wait(idle)

    def step(self, thread: str | None = None) -> bool:
        """One round: fan out, react, one job (of `thread`, else of any), sweeps. True when there was work."""
        did = self._anything(thread) and self._fan_out() | self._react() | self._run_job(thread)
        for one in self.beside if thread is None else ():
            did |= one.step()
        if time.monotonic() - self._looked > LOOK_EVERY_S:
            self._looked = time.monotonic()
            self._tell_of_unknown()
        if time.monotonic() - self._swept > 1.0:
            self._swept = time.monotonic()
            for sweep in self.sweeps:
                self._sweep(sweep)
        return did

    def _sweep(self, sweep: Sweep) -> None:
        """One that fails must not keep the others from their turn; it has its own again in a second."""
        try:
            now = self.clock()
            if not is_due(sweep, now) or (
                reads_first(sweep) and not self.db.would_write(lambda session: sweep(session, now))
            ):
                return
            with self.db.write() as session:
                sweep(session, self.clock())
        except Exception:
            log.exception("sweep failed", sweep=getattr(sweep, "__name__", repr(sweep)))

    def drain(self, seconds: float = 30.0) -> None:
        """Work until nothing is due (for the demo and tests)."""
        until = time.monotonic() + seconds
        try:
            while self.step():
                if time.monotonic() > until:
                    raise TimeoutError("the worker found no end")
        finally:
            for one in self.beside:
                one.close()

    def _anything(self, thread: str | None) -> bool:
        """One look for all three: an idle worker is idle most of the time."""
        mark, place = self.db.mark(), ("anything", thread)
        if self._rests(place, mark):
            return False
        with self.db.read() as session:
            for look in (select(OutboxEvent.id).where(*self._new()), self._owed(), self._open_jobs(thread)):
                if session.scalar(look.limit(1)) is not None:
                    return True
            owed = session.scalar(select(func.min(EventDelivery.due_at)).where(*self._undelivered()))
            moments = [moment for moment in (owed, session.scalar(self._next_job(thread))) if moment]
        self._rest[place] = mark, min(moments, default=None)
        return False

    def _rests(self, place: tuple[str, str | None], mark: object) -> bool:
        """Nothing was committed since that look, and nothing that it saw has fallen due: another finds nothing, too."""
        before, until = self._rest.get(place, (None, None))
        return before == mark and (until is None or self.clock() < until)

    def _fan_out(self) -> bool:
        with self.db.read() as session:
            waiting = session.scalar(select(OutboxEvent.id).where(*self._new()).limit(1))
        if waiting is None:
            return False
        now = self.clock()
        with self.db.write() as session:
            rows = session.scalars(
                select(OutboxEvent)
                .where(*self._new())
                .order_by(OutboxEvent.id)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            for row in rows:
                row.fanned_out_at = now
                event = self._types.get(row.name)
                for reaction in self.reactions.get(event, ()) if event else ():
                    session.add(EventDelivery(event_id=row.id, reaction=reaction.__name__, due_at=now, attempts=0))
        return True

    def _new(self) -> tuple[ColumnElement[bool], ...]:
        new = OutboxEvent.fanned_out_at.is_(None)
        return (new,) if self._names is None else (new, OutboxEvent.name.in_(self._names))

    def _tell_of_unknown(self) -> None:
        """What waits for a newer version must not wait unseen."""
        with self.db.read() as session:
            since = self.clock() - timedelta(seconds=LOOK_EVERY_S)
            waiting = EventDelivery.done_at.is_(None), EventDelivery.reaction.not_in(sorted(self._by_name))
            reactions = session.scalars(select(EventDelivery.reaction).where(*waiting).distinct()).all()
            old = OutboxEvent.fanned_out_at.is_(None), OutboxEvent.occurred_at < since
            names = session.scalars(select(OutboxEvent.name).where(*old).distinct()).all() if self._names else []
        unknown = [name for name in names if self._names is not None and name not in self._names]
        if reactions or unknown:
            log.warning("work for a newer version waits", reactions=list(reactions), events=unknown)

    def _react(self) -> bool:
        with self.db.read() as session:
            due = session.execute(self._owed().order_by(EventDelivery.event_id).limit(BATCH)).all()
        for event_id, reaction in due:
            self._deliver(event_id, reaction)
        return bool(due)

    def _owed(self) -> Select[Any]:
        due = EventDelivery.due_at <= self.clock()
        return select(EventDelivery.event_id, EventDelivery.reaction).where(due, *self._undelivered())

    def _undelivered(self) -> tuple[ColumnElement[bool], ...]:
        return EventDelivery.done_at.is_(None), EventDelivery.reaction.in_(sorted(self._by_name))

    def _kinds(self, thread: str | None) -> list[str]:
        return [kind for kind, handler in self.handlers.items() if thread in (None, handler.thread)]

    def _pending(self, thread: str | None) -> tuple[ColumnElement[bool], ...]:
        return jobs.Job.state == jobs.PENDING, jobs.Job.kind.in_(self._kinds(thread))

    def _open_jobs(self, thread: str | None) -> Select[Any]:
        return select(jobs.Job.id).where(*self._pending(thread), jobs.Job.run_at <= self.clock())

    def _next_job(self, thread: str | None) -> Select[Any]:
        return select(func.min(jobs.Job.run_at)).where(*self._pending(thread))

    def _deliver(self, event_id: int, reaction: str) -> None:
        """The reaction and the mark that it is done commit together; a failure is put off with backoff."""
        now = self.clock()
        try:
            with self.db.write() as session:
                delivery = session.scalar(
                    select(EventDelivery)
                    .where(EventDelivery.event_id == event_id, EventDelivery.reaction == reaction)
                    .with_for_update(skip_locked=True)
                )
                if delivery is None or delivery.done_at:
                    return
                row = session.get_one(OutboxEvent, event_id)
                session.info.update(actor_id=row.actor_id, actor_name="system")
                self._by_name[reaction](session, decode(self._types[row.name], row.payload), now=now)
                delivery.done_at, delivery.attempts = now, delivery.attempts + 1
        except Exception as error:
            log.exception("reaction failed", reaction=reaction, event_id=event_id)
            with self.db.write() as session:
                mine = (EventDelivery.event_id == event_id, EventDelivery.reaction == reaction)
                tried = session.scalar(select(EventDelivery.attempts).where(*mine)) or 0
                session.execute(
                    update(EventDelivery)
                    .where(*mine, EventDelivery.done_at.is_(None))
                    .values(
                        attempts=EventDelivery.attempts + 1,
                        due_at=self.clock() + max(jobs.backoff(tried), FIRST_RETRY),
                        last_error=f"{type(error).__name__}: {error}"[:2000],
                    )
                )

    def _run_job(self, thread: str | None = None) -> bool:
        now = self.clock()
        kinds = self._kinds(thread)
        mark, place = self.db.mark(), ("job", thread)
        if self._rests(place, mark):
            return False
        with self.db.read() as session:
            waiting = session.scalar(self._open_jobs(thread).limit(1))
            if waiting is None:
                self._rest[place] = mark, session.scalar(self._next_job(thread))
                return False
        with self.db.write() as session:
            claimed = jobs.claim(session, kinds, now=now, lease=lambda kind: self.handlers[kind].lease)
        if claimed is None:
            return False
        handler = self.handlers[claimed.kind]
        try:
            if claimed.attempts > handler.tries:
                raise Abandoned("every worker that took it died of it")
            with _renewing(self.db, claimed, handler.lease):
                result = handler.act(claimed.payload)
            with self.db.write() as session:
                if jobs.finish(session, claimed, now=self.clock()) and handler.record:
                    handler.record(session, claimed.payload, result, self.clock())
        except Exception as error:
            log.warning("job failed", kind=claimed.kind, attempt=claimed.attempts, error=str(error))
            shown = f"{type(error).__name__}: {error}"
            with self.db.write() as session:
                over = jobs.retry(session, claimed, shown, tries=handler.tries, now=self.clock())
                if over and handler.gave_up:
                    handler.gave_up(session, claimed.payload, shown, self.clock())
        return True


class Abandoned(Exception):
    """A job was claimed more often than it may be tried, and nobody came back to say what went wrong."""


class _renewing:
    """Keeps a job's lease alive from a side thread while its work goes on."""

    def __init__(self, db: Database, claimed: jobs.Claimed, lease: timedelta) -> None:
        self._db, self._claimed, self._lease = db, claimed, lease
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._lease.total_seconds() / 3):
            try:
                with self._db.write() as session:
                    jobs.renew(session, self._claimed, lease=self._lease, now=clock.now())
            except Exception as error:  # the database may be back before the lease is over
                log.warning("lease not renewed", kind=self._claimed.kind, error=str(error))


def stop_on_signals(worker: Worker) -> None:
    def on_signal(*_: Any) -> None:
        worker.stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
