"""Texts in hand and the gateways they go to, on one event loop: lanes, windows, pace, choice. No database here."""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from messaging import choosing
from messaging.choosing import Health, Pace
from messaging.journal import Journal
from messaging.lanes import URGENT
from messaging.providers.base import Answer, Gateway, Heard, Part
from messaging.providers.config import Setup
from messaging.states import CREATED, FAILED, SENT, TEMPORARY, UNKNOWN
from messaging.work import Work

log = structlog.get_logger(__name__)
KEPT_FREE = 2  # of a window of ten or more, for one-time codes and answers
SLACK_S = 5.0  # beyond its own time-out, a gateway that never comes back is given up


class Handle:
    """A gateway with what we know of it."""

    def __init__(self, gateway: Gateway, setup: Setup) -> None:
        self.gateway, self.setup = gateway, setup
        self.name, self.priority = setup.name, setup.priority
        self.later = bool(getattr(gateway, "later", False))
        self.whole = bool(setup.options.get("whole", False))
        self.health, self.pace = Health(), Pace(setup.rate, shared=True)
        self.in_flight = 0
        self.taken = self.refused = self.unanswered = 0
        self._second, self._went, self.seen_rate = 0, 0, 0.0
        self._told = (0, 0, 0)
        self._resting = False

    @property
    def load(self) -> float:
        return self.in_flight / self.setup.window

    def usable(self, now: float) -> bool:
        """Whether it takes texts at all at the moment, be there room or not."""
        return self.gateway.ready and not self.health.resting(now)

    def room(self, now: float, *, urgent: bool = False) -> int:
        if not self.usable(now):
            return 0
        if self.health.probing(now):
            return 1 if self.in_flight == 0 else 0
        free = 0 if urgent or self.setup.window < 10 else KEPT_FREE
        return max(0, self.setup.window - free - self.in_flight)

    @property
    def resting(self) -> bool:
        return self._resting

    @property
    def share(self) -> float:
        return round(self.health.share, 3)

    def fresh(self) -> tuple[int, int, int]:
        """Taken, refused and unanswered since this was last asked."""
        now = self.taken, self.refused, self.unanswered
        since, self._told = self._told, now
        return now[0] - since[0], now[1] - since[1], now[2] - since[2]

    def went(self, now: float) -> None:
        self.in_flight += 1
        self.pace.went()
        if int(now) != self._second:
            self.seen_rate, self._second, self._went = float(self._went), int(now), 0
        self._went += 1

    def learned(self, answer: Answer, now: float) -> None:
        """From what came of a part. A text that nobody would take says nothing of the gateway."""
        self.taken += answer.state == SENT
        self.refused += answer.state in (TEMPORARY, FAILED)
        self.unanswered += answer.state == UNKNOWN
        if answer.hurried:
            self.pace.slow(self.seen_rate, now=now)
        elif answer.state == SENT or answer.ours:
            self.health = choosing.after(self.health, True, now=now)
        elif answer.state in (TEMPORARY, UNKNOWN) or self.gateway.ready:
            self.health = choosing.after(self.health, False, now=now)
        self._resting = self.health.rests > 0


class Pipeline:
    """`finished` and `heard` are called on the loop; `put` may be called from any thread."""

    def __init__(
        self,
        handles: Sequence[Handle],
        journal: Journal,
        *,
        finished: Callable[[Work], None],
        heard: Callable[[Heard], None],
        stirred: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self.handles, self.journal = list(handles), journal
        self._finished, self._heard, self._stirred, self._clock = finished, heard, stirred, clock
        self._loop = asyncio.new_event_loop()
        self._heap: list[tuple[int, int, Work, Part | None]] = []
        self._order = itertools.count()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = True
        self._flushing = False
        self.held: set[str] = set()  # ids of the texts in hand, until the database knows what became of them

    # what the sender's thread sees

    @property
    def in_hand(self) -> int:
        return len(self.held)

    def put(self, work: Sequence[Work]) -> None:
        self.held |= {one.message_id for one in work}
        self._loop.call_soon_threadsafe(self._take, list(work))

    def kept(self, heard: Sequence[Heard]) -> None:
        """What was heard is in the database: whoever told it may forget it."""
        if heard:
            self._loop.call_soon_threadsafe(lambda: [one.kept() for one in heard])

    def hungry(self) -> list[Handle]:
        """Gateways with a limit for which something waits, and that have hardly a slot left."""
        return [handle for handle in self.handles if handle.pace.hungry] if self.in_hand else []

    def lend(self, handle: Handle, in_s: float, count: int) -> None:
        """So many slots of its line, the first in so many seconds."""
        self._loop.call_soon_threadsafe(self._lend, handle, self._loop.time() + in_s, count)

    def room(self) -> int:
        """How many more texts are worth having in hand: enough to keep the windows full until the next look."""
        now = self._loop.time()
        usable = [handle for handle in self.handles if handle.usable(now)]
        wanted = 0
        for handle in usable:
            rate = handle.pace.now_rate
            wanted += 1 if handle.health.probing(now) else min(handle.setup.window * 4, int((rate or 1e9) * 2) + 1)
        return max(0, min(wanted, 400) - self.in_hand)

    def any_usable(self) -> bool:
        return any(handle.usable(self._loop.time()) for handle in self.handles)

    def run(self) -> None:
        """The loop's thread."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.close()

    def close(self) -> None:
        """No more leaves; what has left is waited for, the rest comes back as it was."""
        self._loop.call_soon_threadsafe(self._shut)

    # on the loop

    def heard(self, heard: Heard) -> None:
        self._heard(heard)

    def stirred(self) -> None:
        self._wake.set()
        self._stirred()

    def _lend(self, handle: Handle, begin: float, count: int) -> None:
        handle.pace.lend(begin, count)
        self._wake.set()

    def _take(self, work: list[Work]) -> None:
        for one in work:
            heapq.heappush(self._heap, (one.lane, next(self._order), one, None))
        self._wake.set()

    def _shut(self) -> None:
        self._open = False
        self._wake.set()

    async def _main(self) -> None:
        lines = [asyncio.create_task(self._line(handle)) for handle in self.handles]
        await self._pump()
        for _lane, _order, work, part in self._heap:
            self._answered(work, part, "", Answer(CREATED, error="the sender was stopped"))
        self._heap.clear()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=SLACK_S)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, *self._tasks, return_exceptions=True)

    async def _line(self, handle: Handle) -> None:
        while True:
            try:
                await handle.gateway.run(self)
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("gateway", gateway=handle.name)
            await asyncio.sleep(1.0)

    async def _pump(self) -> None:
        while self._open:
            self._wake.clear()
            wait = self._go()
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _go(self) -> float:
        """Hand over what can go now; seconds until there may be something to do without anybody saying so."""
        wait = 1.0
        while self._heap:
            lane, _order, work, part = self._heap[0]
            now = self._loop.time()
            if work.expires_at is not None and work.expires_at <= self._clock():
                heapq.heappop(self._heap)
                self._answered(work, part, "", Answer(CREATED, error="its hour passed while it waited in hand"))
                continue
            handle = self._handle_for(work, part, now)
            if handle is None:
                if not self._may_go(work, part, now):  # nothing waits in memory for a gateway that is away
                    heapq.heappop(self._heap)
                    self._answered(work, part, "", Answer(CREATED, error=self._trouble()))
                    continue
                return min(wait, 0.25)
            if (pause := handle.pace.wait(now=now)) > 0:
                if handle.pace.hungry:
                    self._stirred()  # the sender's thread borrows the next slots
                return min(wait, pause)
            heapq.heappop(self._heap)
            if part is None:
                parts = work.parts(whole=handle.whole)
                work.gateway = handle.name
                for more in reversed(parts[1:]):
                    heapq.heappush(self._heap, (lane, -next(self._order), work, more))
                work.answers = {one.number: ("", Answer("")) for one in parts}
                part = parts[0]
            handle.went(now)
            task = self._loop.create_task(self._submit(handle, work, part))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return wait

    def _may_go(self, work: Work, part: Part | None, now: float) -> bool:
        return any(h.usable(now) for h in self.handles if part is None or h.name == work.gateway)

    def _handle_for(self, work: Work, part: Part | None, now: float) -> Handle | None:
        urgent = work.lane <= URGENT
        if part is not None:  # the parts of a text go one way
            return next((h for h in self.handles if h.name == work.gateway and h.room(now, urgent=urgent)), None)
        able = [(h, h.health.now(now)) for h in self.handles if h.usable(now)]
        chosen = choosing.choose([(h, share) for h, share in able if h.room(now, urgent=urgent)], avoid=work.avoid)
        best = choosing.choose(able, avoid=work.avoid)
        if chosen is not None and best is not None and chosen.priority > best.priority and not urgent:
            return None  # a full window is no failure: wait for it
        return chosen

    async def _submit(self, handle: Handle, work: Work, part: Part) -> None:
        self.journal.hand(part.key, handle.name)
        if not handle.later:
            self.journal.flush()
        else:
            self._flush_soon()  # it comes before the gateway's own flush: what is said first is done first
        try:
            async with asyncio.timeout(handle.setup.timeout + SLACK_S):
                answer = await handle.gateway.submit(part)
        except TimeoutError:
            answer = Answer(UNKNOWN, error="no answer")
        except Exception as error:
            log.exception("gateway", gateway=handle.name)
            answer = Answer(UNKNOWN, error=f"{type(error).__name__}: {error}")
        self.journal.answer(part.key, handle.name, answer)
        self._flush_soon()
        handle.in_flight -= 1
        handle.learned(answer, self._loop.time())
        self._answered(work, part, handle.name, answer)
        self._wake.set()

    def _answered(self, work: Work, part: Part | None, gateway: str, answer: Answer) -> None:
        if part is None:
            work.answers = {0: (gateway, answer)}
        else:
            work.answers[part.number] = gateway, answer
        if all(given.state for _gateway, given in work.answers.values()):
            self._finished(work)

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        self.journal.flush()

    def _trouble(self) -> str:
        return next((h.gateway.trouble for h in self.handles if h.gateway.trouble), "no gateway is ready")
