"""What happens to the calls: who comes, what befalls them, how they end. In turns, so that a run has some of each."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from bench.media.rig import Load
from bench.media.run import say
from bench.soak.device import Device
from bench.soak.person import Person
from bench.soak.stranger import intrude

DARK_S = 8.0
MARK_EVERY_S = 10.0
TEXT_EVERY_S = 2.0
RECORDED_S = 15.0
"""How soon a call must be recorded."""
ENDINGS = ("end", "leave", "end", "vanish")
BEFALLS = ("reload", "lose_link", "second_tab", "go_dark", "stumble")


class Call:
    def __init__(self, name: str, people: list[Person]) -> None:
        self.name = name
        self.people = people
        self.marking = 0.0


class Life:
    """Keeps `calls` going for as long as `live` runs."""

    def __init__(self, load: Load, *, port: int, address: str, calls: int, turn_s: float, event_s: float) -> None:
        self.calls: list[Call] = []
        self.over: list[str] = []
        """Names of the meetings that have ended, in that order."""
        self.happened: Counter[str] = Counter()
        self.surprises: list[str] = []
        """What should not have happened."""
        self._load, self._port, self._address = load, port, address
        self._wanted = calls
        self._turn_s, self._event_s = turn_s, event_s
        self._numbers = itertools.count(1)
        self._strangers = itertools.count()
        self._endings, self._befalls = itertools.cycle(ENDINGS), itertools.cycle(BEFALLS)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def people(self) -> list[Person]:
        return [person for call in self.calls for person in call.people]

    def surprised(self, what: str) -> None:
        self.surprises.append(what)
        say(f"surprise: {what}")

    async def warm(self) -> None:
        """One call that begins and ends before anything is counted."""
        await self._start()
        await asyncio.sleep(1)
        await self._end(self.calls.pop(), "end")

    async def begin(self) -> None:
        for _ in range(self._wanted):
            await self._start()

    async def live(self, until: float) -> None:
        """`until` as `time.monotonic` counts."""
        turn = event = time.monotonic()
        while (now := time.monotonic()) < until:
            if now - turn >= self._turn_s:
                turn = now
                self._spawn(self._replace())
            if now - event >= self._event_s:
                event = now
                self._befall()
                self._spawn(self._intrude())
            for call in list(self.calls):
                self._talk(call, now)
            await asyncio.sleep(0.25)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=40)

    async def finish(self) -> None:
        while self.calls:
            await self._end(self.calls.pop(0), "end")

    async def _start(self) -> None:
        number = next(self._numbers)
        roles = ["official", "visitor", *(["interpreter"] if number % 3 == 0 else [])]
        kinds: list[type[Person]] = [Person, Device if number % 5 == 4 else Person, Person]
        call = Call(
            f"m{number}", [self._person(kind, f"m{number}", role) for kind, role in zip(kinds, roles, strict=False)]
        )
        for person in call.people:
            person.busy = True
            await person.arrive()
        await self._recorded(call)
        for person in call.people:
            person.busy = False
        self.calls.append(call)
        self.happened["started"] += 1

    def _person(self, kind: type[Person], meeting: str, role: str) -> Person:
        return kind(meeting, role, port=self._port, address=self._address, load=self._load, surprised=self.surprised)

    async def _recorded(self, call: Call) -> None:
        until = time.monotonic() + RECORDED_S
        while call.people[0].recording != "on":
            if time.monotonic() > until:
                self.surprised(f"{call.name}: not recorded after {RECORDED_S:.0f} s")
                return
            await asyncio.sleep(0.1)

    async def _replace(self) -> None:
        if not self.calls:
            return
        call = self.calls.pop(0)
        while any(person.busy for person in call.people):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await self._end(call, next(self._endings))
        await self._start()

    async def _end(self, call: Call, how: str) -> None:
        self.happened[how] += 1
        for person in call.people:
            person.gone = True
        if how == "end":
            await call.people[0].end()
            await asyncio.sleep(0.5)
        else:
            for person in call.people:
                await getattr(person, how)()
        for person in call.people:
            await person.clear()
        self.over.append(call.name)

    def _befall(self) -> None:
        free = [person for person in self.people if not person.busy]
        if not free:
            return
        person, how = random.choice(free), next(self._befalls)
        person.busy = True  # at once: a call whose turn it is at this moment waits for it
        works: dict[str, Callable[[], Awaitable[None]]] = {
            "reload": person.reload,
            "lose_link": person.lose_link,
            "second_tab": person.second_tab,
            "stumble": person.stumble,
            "go_dark": lambda: person.go_dark(DARK_S),
        }
        self._spawn(self._during(person, how, works[how]))

    async def _during(self, person: Person, how: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
            self.happened[how] += 1
        except (OSError, TimeoutError, RuntimeError) as error:
            self.surprised(f"{person.name}: {how}: {error or type(error).__name__}")
        finally:
            person.busy = False

    async def _intrude(self) -> None:
        media_port = next((person.media_port for person in self.people if person.media_port), 0)
        wrong = await intrude(self._port, self._address, media_port, next(self._strangers))
        self.happened["strangers"] += 1
        if wrong:
            self.surprised(wrong)

    def _talk(self, call: Call, now: float) -> None:
        if now - call.marking >= MARK_EVERY_S:
            call.marking = now
            self.happened["marks"] += 1
            self._spawn(call.people[0].say("mark", kind="order", data={"text": "x" * 50}, ref=1))
        if random.random() < 0.25 / TEXT_EVERY_S:
            self.happened["lines"] += 1
            self._spawn(random.choice(call.people).type_a_line())

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)  # type: ignore[arg-type]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.surprised(f"the soak itself failed: {type(error).__name__}: {error}")
