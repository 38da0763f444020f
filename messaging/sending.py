"""The sender: takes texts in hand in portions, keeps the gateways busy, writes down what became of each.

Two threads. One runs the event loop with the gateways (`pipeline`); the other is a worker's thread for texts and turns
in rounds: one transaction enters everything that was answered or heard since the last and takes the next portion. What
was heard is acknowledged only after that transaction. A killed sender leaves its journal, and the next one enters it.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Fault
from core.settings import Settings
from messaging import entering, outbox, seen
from messaging.journal import Journal, left_behind
from messaging.outbox import Manners
from messaging.pipeline import Handle, Pipeline
from messaging.providers import Heard, Inbound, Receipt, gateway, setups
from messaging.providers.config import told
from messaging.work import Work

log = structlog.get_logger(__name__)
ROUND_S = 0.02  # between two rounds while something is in hand: that is how far a one-time code may be behind
IDLE_S = 0.1
PORTION = 150  # a longer transaction would keep a code waiting, and whoever else writes
TIDY_EVERY = timedelta(seconds=2)
LOOK_EVERY = timedelta(seconds=10)


def manners_of(settings: Settings) -> Manners:
    """Raises Fault for what is wrong in the settings."""
    try:
        senders = {str(k): str(v) for k, v in told(settings.sms_senders, "MAJLIS_SMS_SENDERS").items()}
        quiet = {
            str(kind): (int(first) % 24, int(last) % 24)
            for kind, (first, last) in told(settings.sms_quiet, "MAJLIS_SMS_QUIET").items()
        }
    except (AttributeError, TypeError, ValueError):
        raise Fault("{name} is not understood.", name="MAJLIS_SMS_SENDERS, MAJLIS_SMS_QUIET") from None
    return Manners(
        senders=senders,
        quiet=quiet,
        zone=settings.timezone,
        pilot=settings.sms_pilot,
        receipts_within=timedelta(hours=settings.sms_receipt_hours),
    )


def handles_of(settings: Settings) -> list[Handle]:
    """The gateways of the settings. Raises Fault for what is wrong with them: at the start, not at the first text."""
    return [Handle(gateway(setup, settings), setup) for setup in setups(settings)]


class Sender:
    """`step` is one round; True while there is something to do. Gateways are called from the first round on."""

    def __init__(
        self,
        db: Database,
        handles: Sequence[Handle],
        *,
        manners: Manners,
        data_dir: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self.db, self.handles, self.manners, self.data_dir, self.clock = db, list(handles), manners, data_dir, clock
        self._finished: deque[Work] = deque()
        self._heard: deque[Heard] = deque()
        self._news = threading.Event()
        self._pipeline: Pipeline | None = None
        self._journal: Journal | None = None
        self._loop: threading.Thread | None = None
        self._tidied: datetime | None = None
        self._looked: datetime | None = None

    @classmethod
    def of(cls, settings: Settings, db: Database, clock: Callable[[], datetime]) -> "Sender":
        return cls(db, handles_of(settings), manners=manners_of(settings), data_dir=settings.data_dir, clock=clock)

    def run(self, stop: threading.Event) -> None:
        """Until stopped. A fault is logged and waited out: nothing here may end the loop."""
        while not stop.is_set():
            try:
                busy = self.step()
            except Exception:
                log.exception("sender")
                stop.wait(1.0)
                continue
            self._news.wait(ROUND_S if busy else IDLE_S)
            if busy:
                stop.wait(ROUND_S / 4)  # answers come one by one: a round for each would be a transaction for each
            self._news.clear()
        self.close()

    def step(self) -> bool:
        """Enter what came, take what is due, hand it on."""
        pipeline = self._begin()
        now = self.clock()
        self._tidy(now)
        urgent = self._take_urgent(now)
        finished = [self._finished.popleft() for _ in range(min(len(self._finished), PORTION))]
        heard = [self._heard.popleft() for _ in range(min(len(self._heard), PORTION))]
        room = pipeline.room()
        if not finished and not heard and not self._due(room, now):
            return urgent or pipeline.in_hand > 0
        try:
            with self.db.write() as session:
                self._enter(session, finished, heard, now)
                taken = self._take(session, room + len(finished), now)
        except Exception:
            self._finished.extendleft(reversed(finished))  # what is known stays known, in memory and in the journal
            self._heard.extendleft(reversed(heard))
            raise
        assert self._journal is not None
        self._journal.recorded({work.message_id for work in finished})
        pipeline.in_hand -= len(finished)
        pipeline.kept(heard)
        if taken:
            pipeline.put(taken)
        return bool(finished or heard or taken or pipeline.in_hand)

    def close(self, seconds: float = 8.0) -> None:
        """What has left is waited for and written down; the rest waits for the next sender."""
        if self._pipeline is None or self._loop is None or self._journal is None:
            return
        self._pipeline.close()
        self._loop.join(seconds)
        finished, heard = list(self._finished), list(self._heard)
        with self.db.write() as session:
            self._enter(session, finished, heard, self.clock())
        self._journal.recorded({work.message_id for work in finished})
        self._journal.close()
        self._pipeline = self._loop = self._journal = None
        self._finished.clear()
        self._heard.clear()

    def _begin(self) -> Pipeline:
        if self._pipeline is None:
            self._journal = Journal(self.data_dir)
            self._pipeline = Pipeline(
                self.handles,
                self._journal,
                finished=self._on_finished,
                heard=self._on_heard,
                stirred=self._news.set,
            )
            self._loop = threading.Thread(target=self._pipeline.run, name="gateways", daemon=True)
            self._loop.start()
        return self._pipeline

    def _on_finished(self, work: Work) -> None:
        self._finished.append(work)
        self._news.set()

    def _on_heard(self, heard: Heard) -> None:
        self._heard.append(heard)
        self._news.set()

    def _due(self, room: int, now: datetime) -> bool:
        """A look that locks nothing: an idle sender leaves the database to others."""
        if not self._pipeline or not self._pipeline.any_usable():
            return False
        with self.db.read() as session:
            return outbox.due(session, now=now, urgent_only=room == 0)

    def _enter(self, session: Session, finished: Sequence[Work], heard: Sequence[Heard], now: datetime) -> None:
        session.info.update(actor_name="system")
        if self._journal is not None:
            outbox.record(session, self._journal.claim, finished, now=now)
        entering.receipts(
            session, [(one.provider, one.what) for one in heard if isinstance(one.what, Receipt)], now=now
        )
        for one in heard:
            if isinstance(one.what, Inbound):
                entering.inbound(session, one.provider, one.what, now=now)

    def _take(self, session: Session, room: int, now: datetime) -> list[Work]:
        if self._pipeline is None or self._journal is None or not self._pipeline.any_usable():
            return []
        return outbox.take(session, self._journal.claim, room=room, manners=self.manners, now=now)

    def _take_urgent(self, now: datetime) -> bool:
        """Codes and answers don't wait for a portion to be written down."""
        if self._pipeline is None or self._journal is None or not self._due(0, now):
            return False
        with self.db.write() as session:
            taken = outbox.take(session, self._journal.claim, room=0, manners=self.manners, now=now)
        if taken:
            self._pipeline.put(taken)
        return bool(taken)

    def _tidy(self, now: datetime) -> None:
        """Every few seconds: dead senders' notes, hours that passed, receipts that never came, how gateways fare."""
        if self._tidied is not None and now - self._tidied < TIDY_EVERY:
            return
        self._tidied = now
        with left_behind(self.data_dir) as found:
            for notes in found:
                with self.db.write() as session:
                    outbox.recover(session, notes, now=now, settle=self.manners.settle)
        with self.db.write() as session:
            outbox.expire(session, now=now)
            seen.write(session, self.handles, now=now)
            if self._looked is None or now - self._looked >= LOOK_EVERY:
                self._looked = now
                outbox.lose(session, manners=self.manners, now=now)
                entering.join_late(session, now=now)
