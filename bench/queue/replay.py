"""The day over HTTP: kiosks and clerks press the forms of a real `majlis run` while 200 sockets listen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from sqlalchemy import func, select

from bench.media import gauges
from bench.queue.browser import Browser
from bench.queue.figures import late_to_early, told
from bench.queue.town import KEPT_WAITING, SECRET, Clerk, Town, course, wish
from core.events import EventDelivery, OutboxEvent
from queueing.tickets import rules
from queueing.tickets.models import CallLog, Ticket
from queueing.tickets.reasons import Reasons

ROOT = Path(__file__).resolve().parents[2]
KIOSKS = 3
NONE_WAITS_S = 0.1
CATCH_UP_S, FEW = 300.0, 20
Say = Callable[[str], None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server(town: Town) -> Iterator[tuple[int, int]]:
    """`majlis run` on the town's folder: (port, pid)."""
    port = free_port()
    log = town.settings.data_dir / "majlis.log"
    environment = {
        **os.environ,
        "MAJLIS_DATA_DIR": str(town.settings.data_dir),
        "MAJLIS_DATABASE_URL": town.settings.database_url,
        "MAJLIS_SECRET_HEX": SECRET,
        "MAJLIS_MEDIA_PROCESSES": "1",
        "MAJLIS_VOICE_AHEAD": "0",  # made once, in a centre's first hours
    }
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "web.cli", "run", "--port", str(port)],
            stdout=out, stderr=out, env=environment, cwd=ROOT, start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + 150
        while b"Majlis is ready" not in log.read_bytes():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text()[-3000:])
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def screens(town: Town, port: int, count: int) -> Iterator[subprocess.Popen[str]]:
    folder = str(town.settings.data_dir)
    topic = f"queue:{town.centre.id}"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.queue.screens", str(port), str(count), topic, folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout and process.stdin
    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("the screens could not subscribe")
        yield process
    finally:
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def web_process(pid: int) -> int:
    """The child of `majlis run` that serves pages."""
    for child in gauges._children(pid):
        if Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[-2] == b"web":
            return child
    raise RuntimeError("there is no web process")


class Replay:
    """`rate` is tickets a second. What a press took counts from sending it to its answer."""

    def __init__(self, town: Town, port: int, tickets: int, *, rate: float, seed: int) -> None:
        self.town, self.port, self.tickets, self.rate = town, port, tickets, rate
        self.random = Random(seed)
        self.presses: list[tuple[str, float, float, int]] = []  # verb, began, done (by the clock), tickets given
        self.looks: list[float] = []  # seconds that the ticket's page took
        self.issued = 0
        self.parked: dict[bool, list[tuple[float, str]]] = {False: [], True: []}
        self.visit = len(town.clerks) / rate * 0.55
        self.least = min(KEPT_WAITING, tickets // 10)  # so many wait before a desk's clerk calls
        self.pressing = {False: 0, True: 0}  # clerks who have seen that somebody waits, and call
        self.over = asyncio.Event()

    async def play(self, say: Say) -> None:
        self._say = say
        clerks = [asyncio.create_task(self._clerk(clerk)) for clerk in self.town.clerks]
        kiosks = [asyncio.create_task(self._kiosk(n)) for n in range(KIOSKS)]
        for task in asyncio.as_completed([*kiosks]):
            await task
        self.over.set()
        for task in clerks:
            await task

    async def _press(self, verb: str, browser: Browser, path: str, **fields: str) -> str:
        began = time.time()
        answer = await browser.press(path, **fields)
        self.presses.append((verb, began, time.time(), self.issued))
        return answer.location

    async def _kiosk(self, number: int) -> None:
        browser = Browser(self.port, device=self.town.device)
        began = time.monotonic()
        for turn in range(number, self.tickets, KIOSKS):
            await asyncio.sleep(max(0.0, began + turn / self.rate - time.monotonic()))
            one = wish(self.random)
            fields = {"lang": one.language, "speak": one.language, "section": one.section, "service": one.service}
            need = {"need": one.need} if one.need else {}
            where = await self._press("issue", browser, f"/kiosk/{self.town.centre.code}/ticket", **fields, **need)
            assert "/ticket/" in where, where
            self.issued += 1
            shown = time.monotonic()
            page = await browser.look(where)  # as the kiosk does: here the visitor is told the wait, and it is kept
            assert page.status == 200, page.body[-300:]
            self.looks.append(time.monotonic() - shown)
            if self.issued % 500 == 0:
                took = [done - at for verb, at, done, _ in self.presses[-500:] if verb == "issue"]
                self._say(f"replay: {self.issued} tickets; issue p50 {1000 * sorted(took)[len(took) // 2]:.1f} ms")
        await browser.close()

    async def _clerk(self, clerk: Clerk) -> None:
        browser = Browser(self.port, token=clerk.token, csrf=clerk.csrf)
        done = await asyncio.to_thread(self.town.at_counter, clerk.counter_id) or ""  # from the day before the replay
        await asyncio.sleep(self.visit * self.random.random())  # nobody's twelve clerks press in one moment
        while not self.over.is_set():
            aside = self.parked[clerk.verifies]
            if aside and aside[0][0] <= time.monotonic() and not done:
                _, ticket_id = aside.pop(0)
                await self._press("resume", browser, f"/counter/tickets/{ticket_id}/resume")
            else:
                least = 0 if clerk.verifies else self.least
                waits = await asyncio.to_thread(self.town.number_waiting, clerk.verifies)
                if not done and waits - self.pressing[clerk.verifies] <= least:
                    await asyncio.sleep(NONE_WAITS_S)
                    continue
                given = {"finish": done} if done else {}
                self.pressing[clerk.verifies] += 1
                await self._press("call_next", browser, "/counter/next", **given)
                self.pressing[clerk.verifies] -= 1
                done = ""
                found = await asyncio.to_thread(self.town.at_counter, clerk.counter_id)
                if found is None:
                    await asyncio.sleep(NONE_WAITS_S)
                    continue
                ticket_id = found
                await self._press("start", browser, f"/counter/tickets/{ticket_id}/start")
            await asyncio.sleep(self.visit * self.random.uniform(0.5, 1.5))
            done = await self._end(browser, clerk, ticket_id)
        await browser.close()

    async def _end(self, browser: Browser, clerk: Clerk, ticket_id: str) -> str:
        verb = course(self.random, clerk.verifies)
        if verb == "next":
            return ticket_id
        fields: dict[str, str] = {}
        if verb == "park":
            fields = {"reason": "papers"}
            self.parked[clerk.verifies].append((time.monotonic() + self.visit, ticket_id))
        elif verb == "forward":
            fields = {"service": self.town.points["verification"]}
        elif verb == "transfer":
            with self.town.db.read() as session:
                here = session.get_one(Ticket, ticket_id).service_point_id
            fields = {
                "service": next(self.town.points[c] for c in ("followup", "records") if self.town.points[c] != here)
            }
        await self._press(verb, browser, f"/counter/tickets/{ticket_id}/{verb}", **fields)
        return ""


def reached(presses: list[tuple[str, float, float, int]], heard: list[list[tuple[int, float]]]) -> list[float]:
    """For each call and each screen the seconds from the press to the hint, never too few.

    A hint doesn't say what changed. Where no other press was under way, the first one sent after the press is meant;
    else the first that was sent after the answer: by then the change was committed.
    """
    others = sorted((began, done) for _, began, done, _ in presses)
    starts = [began for began, _ in others]
    found = []
    for verb, began, done, _ in presses:
        if verb != "call_next":
            continue
        near = others[max(0, bisect_left(starts, began - 1.0)) : bisect_left(starts, done + 0.001)]
        alone = sum(theirs_done > began - 0.1 for _, theirs_done in near) == 1
        since = int(1000 * (began if alone else done))
        for screen in heard:
            place = bisect_left(screen, (since, 0.0))
            if place < len(screen):
                found.append(screen[place][1] - began)
    return found


def delivered(heard: list[list[tuple[int, float]]]) -> list[float]:
    """Seconds from the server's sending to each screen."""
    return [got - at / 1000 for screen in heard for at, got in screen]


def right(town: Town, tickets: int) -> dict[str, float]:
    """What must hold of the day that was played: nobody lost, nobody twice, every call replays from its log."""
    with town.db.read() as session:
        of = Ticket.centre_id == town.centre.id
        count = session.scalar(select(func.count()).where(of)) or 0
        labels = session.scalar(select(func.count(func.distinct(Ticket.label))).where(of)) or 0
        range_told = session.scalar(select(func.count()).where(of, Ticket.promised_low.is_not(None))) or 0
        calls = session.execute(select(CallLog.ticket_id, CallLog.reasons).where(CallLog.kind == "call")).all()
        wrong = sum(rules.replay(Reasons.from_json(reasons)) != ticket for ticket, reasons in calls)
    return {
        "replay_tickets_lost": tickets - count,
        "replay_numbers_twice": count - labels,
        "replay_calls_wrong": wrong,
        "replay_wait_told_pct": round(100 * range_told / tickets, 1),
    }


def caught_up(town: Town, say: Say) -> float:
    """Waits until the worker has told of the day so far, at most `CATCH_UP_S`: the services' part has none beside it,
    and in life no day's events come in one moment. Seconds."""
    began, left = time.monotonic(), -1
    while time.monotonic() - began < CATCH_UP_S:
        with town.db.read() as session:
            new = session.scalar(select(func.count()).where(OutboxEvent.fanned_out_at.is_(None))) or 0
            owed = session.scalar(select(func.count()).where(EventDelivery.done_at.is_(None))) or 0
        if not new + owed or new + owed == left < FEW:  # what fails is put off, and doesn't hold anybody up
            break
        left = new + owed
        say(f"replay: the worker has {left} events before it")
        time.sleep(2)
    return round(time.monotonic() - began, 1)


def replay(town: Town, tickets: int, *, there: int, rate: float, sockets: int, seed: int, say: Say) -> dict[str, float]:
    """`there` tickets of the day were given already; so many `tickets` more are given over HTTP."""
    figures: dict[str, float] = {}
    with server(town) as (port, pid):
        web = web_process(pid)
        figures["web_rss_start_mb"] = round(gauges.resident_mb(web), 1)
        with screens(town, port, sockets):
            figures["web_rss_with_sockets_mb"] = round(gauges.resident_mb(web), 1)
            say(f"replay: {sockets} sockets are subscribed")
            figures["worker_caught_up_s"] = caught_up(town, say)
            before = gauges.cpu_s(web)
            began = time.monotonic()
            run = Replay(town, port, tickets, rate=rate, seed=seed)
            asyncio.run(run.play(say))
            took = time.monotonic() - began
            figures["web_cpu_pct"] = round(100 * (gauges.cpu_s(web) - before) / took, 1)
            figures["web_rss_end_mb"] = round(gauges.resident_mb(web), 1)
            time.sleep(0.5)
        figures["replay_s"] = round(took, 1)
        figures["tickets_per_s"] = round(tickets / took, 2)
        figures["presses_per_s"] = round(len(run.presses) / took, 2)
    dead, heard = pickle.loads((town.settings.data_dir / "hints").read_bytes())  # written by our own process
    figures["sockets_lost"] = dead
    for verb in sorted({verb for verb, *_ in run.presses}):
        figures |= told(f"http_{verb}", [done - at for name, at, done, _ in run.presses if name == verb])
    figures |= told("http_ticket_page", run.looks)
    calls = [(given, done - at) for verb, at, done, given in run.presses if verb == "call_next"]
    figures |= {f"http_{name}": value for name, value in late_to_early(calls, tickets).items()}
    figures |= told("call_to_screens", reached(run.presses, heard))
    figures |= told("hint_to_screens", delivered(heard))
    return figures | right(town, there + tickets)
