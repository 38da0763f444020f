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
from messaging import entering, incoming, lent, outbox, seen
from messaging.journal import Journal, left_behind
from messaging.lanes import URGENT
from messaging.outbox import Manners
from messaging.pipeline import Handle, Pipeline
from messaging.providers import Heard, Inbound, Receipt, setups
from messaging.providers.config import LEADS_NOWHERE, Wrong, gateways, told
from messaging.work import Work

log = structlog.get_logger(__name__)
ROUND_S = 0.02  # between two rounds while something is in hand: that is how far a one-time code may be behind
IDLE_S = 0.1
PORTION = 150  # a longer transaction would keep a code waiting, and whoever else writes
TIDY_EVERY = timedelta(seconds=2)
LOOK_EVERY = timedelta(seconds=10)
RENEW_EVERY = timedelta(minutes=1)


def manners_of(settings: Settings) -> Manners:
    """What can't be understood is as if it had not been set; `faults` says what that is."""
    return _manners(settings)[0]


def faults(settings: Settings) -> list[Fault]:
    """What is wrong in what the settings say of all texts, the gateways apart."""
    return _manners(settings)[1]


def _manners(settings: Settings) -> tuple[Manners, list[Fault]]:
    found: list[Fault] = []
    senders: dict[str, str] = {}
    quiet: dict[str, tuple[int, int]] = {}
    try:
        senders = _senders(settings.sms_senders)
    except (AttributeError, TypeError, ValueError, Fault) as error:
        found.append(_not_understood("MAJLIS_SMS_SENDERS", error))
    try:
        quiet = _quiet(settings.sms_quiet)
    except (AttributeError, TypeError, ValueError, Fault) as error:
        found.append(_not_understood("MAJLIS_SMS_QUIET", error))
        quiet = _quiet(str(Settings.model_fields["sms_quiet"].default))  # better the usual nights than none
    manners = Manners(
        senders=senders,
        quiet=quiet,
        zone=settings.timezone,
        pilot=settings.sms_pilot,
        receipts_within=timedelta(hours=settings.sms_receipt_hours),
        silent=frozenset({*LEADS_NOWHERE, *(one.name for one in setups(settings) if not one.receipts)}),
    )
    return manners, found


def _senders(written: str) -> dict[str, str]:
    return {str(kind): str(name) for kind, name in told(written, "MAJLIS_SMS_SENDERS").items()}


def _quiet(written: str) -> dict[str, tuple[int, int]]:
    hours = told(written, "MAJLIS_SMS_QUIET").items()
    return {str(kind): (int(first) % 24, int(last) % 24) for kind, (first, last) in hours}


def _not_understood(name: str, error: Exception) -> Fault:
    return error if isinstance(error, Fault) else Fault("{name} is not understood.", name=name)


def handles_of(settings: Settings) -> tuple[list[Handle], list[Wrong]]:
    """The gateways of the settings, and those that are set up wrongly: the others go on without them."""
    made, wrong = gateways(settings)
    return [Handle(one, setup) for setup, one in made], wrong


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
        wrong: Sequence[Wrong] = (),
    ) -> None:
        self.wrong = wrong  # gateways that can't be used: shown with those that can
        self.db, self.handles, self.manners, self.data_dir, self.clock = db, list(handles), manners, data_dir, clock
        self._finished: deque[Work] = deque()
        self._heard: deque[Heard] = deque()
        self._news = threading.Event()
        self._pipeline: Pipeline | None = None
        self._journal: Journal | None = None
        self._loop: threading.Thread | None = None
        self._tidied: datetime | None = None
        self._looked: datetime | None = None
        self._renewed: datetime | None = None
        self._ask_at: dict[str, datetime] = {}
        self._rest: tuple[object, datetime | None] = None, None  # of a look in vain: the database's mark, until when

    @classmethod
    def of(cls, settings: Settings, db: Database, clock: Callable[[], datetime]) -> "Sender":
        handles, wrong = handles_of(settings)
        for one in wrong:
            log.error("a gateway is set up wrongly", gateway=one.name, why=str(one.why))
        for fault in faults(settings):
            log.error("a setting of texts is wrong", why=str(fault))
        manners = manners_of(settings)
        return cls(db, handles, manners=manners, data_dir=settings.data_dir, clock=clock, wrong=wrong)

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
        lane = self._due(now)
        urgent = lane is not None and lane <= URGENT and self._take_urgent(now)
        self._borrow(pipeline, now)
        finished = [self._finished.popleft() for _ in range(min(len(self._finished), PORTION))]
        heard = [self._heard.popleft() for _ in range(min(len(self._heard), PORTION))]
        room = pipeline.room()
        if not finished and not heard and not (room and lane is not None and (lane > URGENT or self._due(now))):
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
        pipeline.held -= {work.message_id for work in finished}
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
                clock=self.clock,
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

    def _due(self, now: datetime) -> int | None:
        """The first lane with something to take. A look that locks nothing: an idle sender leaves others in peace, and
        looks only where something was committed or what it saw has fallen due."""
        if not self._pipeline or not self._pipeline.any_usable():
            return None
        mark = self.db.mark()
        before, until = self._rest
        if mark == before and (until is None or now < until):
            return None
        with self.db.read() as session:
            lane = outbox.due(session, now=now)
            if lane is None:
                self._rest = mark, outbox.soonest(session, now=now)
        return lane

    def _enter(self, session: Session, finished: Sequence[Work], heard: Sequence[Heard], now: datetime) -> None:
        session.info.update(actor_name="system")
        if self._journal is not None:
            outbox.record(session, self._journal.claim, finished, now=now)
        entering.receipts(
            session, [(one.provider, one.what) for one in heard if isinstance(one.what, Receipt)], now=now
        )
        for one in heard:
            if isinstance(one.what, Inbound):
                incoming.inbound(session, one.provider, one.what, now=now)

    def _take(self, session: Session, room: int, now: datetime) -> list[Work]:
        if self._pipeline is None or self._journal is None or not self._pipeline.any_usable():
            return []
        return outbox.take(session, self._journal.claim, room=room, manners=self.manners, now=now)

    def _take_urgent(self, now: datetime) -> bool:
        """Codes and answers don't wait for a portion to be written down."""
        if self._pipeline is None or self._journal is None:
            return False
        with self.db.write() as session:
            taken = outbox.take(session, self._journal.claim, room=0, manners=self.manners, now=now)
        if taken:
            self._pipeline.put(taken)
        return bool(taken)

    def _borrow(self, pipeline: Pipeline, now: datetime) -> None:
        """Slots of limited lines, which all workers share; a refusal says when to ask again."""
        for handle in pipeline.hungry():
            rate = handle.pace.now_rate
            if rate is None or now < self._ask_at.get(handle.name, now):
                continue
            with self.db.write() as session:
                begin, count = lent.lend(session, handle.name, rate=rate, now=now)
            if count:
                pipeline.lend(handle, (begin - self.clock()).total_seconds(), count)
            else:
                self._ask_at[handle.name] = begin

    def _tidy(self, now: datetime) -> None:
        """Every few seconds: dead senders' notes, hours that passed, receipts that never came, how gateways fare."""
        if self._tidied is not None and now - self._tidied < TIDY_EVERY:
            return
        self._tidied = now
        with left_behind(self.data_dir, now=now) as found:
            for notes in found:
                with self.db.write() as session:
                    outbox.recover(session, notes, now=now, settle=self.manners.settle)
        if self._renewed is None or now - self._renewed >= RENEW_EVERY:
            self._renewed = now
            self._renew(now)
        with self.db.write() as session:
            outbox.expire(session, now=now)
            seen.write(session, self.handles, now=now, wrong=self.wrong)
        if self._looked is None or now - self._looked >= LOOK_EVERY:
            self._looked = now
            with self.db.write() as session:
                entering.match_late(session, now=now)
                outbox.lose(session, manners=self.manners, now=now)
                incoming.join_late(session, now=now)

    def _renew(self, now: datetime) -> None:
        """Many parts to a slow gateway take longer than a lease: nobody, we included, is to take such a text again."""
        if self._pipeline is not None and self._journal is not None and self._pipeline.held:
            with self.db.write() as session:
                outbox.renew(session, self._journal.claim, self._pipeline.held, now=now)
