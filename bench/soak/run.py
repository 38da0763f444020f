"""The soak itself: starts node and load, lets calls live, looks every few seconds, and says what became of it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pickle
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from bench.media import gauges
from bench.media.film import film
from bench.media.rig import Load, Server, free_port, started
from bench.media.run import interruptible, own_address, say
from bench.soak import verdict
from bench.soak.journals import Checked, check, ended
from bench.soak.life import Life
from bench.soak.watch import look
from recordings.container import SealBroken
from recordings.keys import FileKeyRing

SAMPLE_S = 10.0
SEATS_MORE = 8
"""Places in the film beyond three for each call: for legs that are still going while others come."""
SHOWN = (
    "pss_mb",
    "own_mb",
    "in_use_mb",
    "blocks",
    "fds",
    "threads",
    "tasks",
    "rooms",
    "meetings",
    "legs",
    "cpu_pct",
    "p50_ms",
    "p99_ms",
)


class SoakLoad(Load):
    module = "bench.soak.load"


class Node(Server):
    name = "soak"
    module = "bench.soak.node"

    async def _start(self) -> None:
        self.port = free_port()
        self.log = self.folder / "log"
        self.process = await started(
            self.module, self.address, str(self.port), str(self.folder), str(self.core), log=self.log
        )
        self.base = f"http://127.0.0.1:{self.port}"
        self.client = httpx.AsyncClient(trust_env=False, timeout=10)
        until = time.monotonic() + 30
        while True:
            try:
                await self.client.get(f"{self.base}/healthz")
                return
            except httpx.TransportError:
                if time.monotonic() > until or self.process.returncode is not None:
                    raise
                await asyncio.sleep(0.1)

    async def _hang_up(self) -> None:
        await self.client.aclose()

    async def inside(self, *, objects: bool = False) -> dict[str, Any]:
        answer = await self.client.get(f"{self.base}/inside", params={"objects": 1} if objects else {})
        return dict(answer.raise_for_status().json())

    async def health(self) -> dict[str, Any]:
        return dict((await self.client.get(f"{self.base}/healthz")).raise_for_status().json())

    async def counts(self) -> dict[str, Any]:
        """All that must be as it was once every call is over."""
        seen, inside = look(self.pid), await self.inside()
        return {"fds": seen.fds, "udp_sockets": seen.udp_sockets, "threads": seen.threads, **inside}

    async def over(self) -> None:
        await self.client.post(f"{self.base}/over")


class Clerk:
    """Checks the journals of meetings that are over; throws away what was found whole: half an hour fills a disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.checked: list[Checked] = []

    async def work(self, life: Life) -> None:
        while True:
            await asyncio.sleep(5)
            for name in list(life.over):
                for path in sorted(self._folder.glob(f"{name}.*.journal")):
                    await asyncio.to_thread(self._look, path)

    def _look(self, path: Path) -> None:
        try:
            if not ended(path):
                return
        except SealBroken:
            pass
        self._check(path)

    def _check(self, path: Path) -> None:
        checked = check(path, FileKeyRing(self._folder / "key"))
        self.checked.append(checked)
        if not checked.broken:
            path.unlink()
        else:
            path.rename(path.with_suffix(".broken"))

    def rest(self) -> None:
        """Once the node has gone: whatever isn't whole now never will be."""
        for path in sorted(self._folder.glob("*.journal")):
            self._check(path)


class Observer:
    def __init__(self, node: Node, load: Load, life: Life) -> None:
        self.samples: list[dict[str, float]] = []
        self._node, self._load, self._life = node, load, life
        self._zero = self._at = time.monotonic()
        self._cpu = gauges.cpu_s(node.pid)

    async def work(self) -> None:
        while True:
            await asyncio.sleep(SAMPLE_S)
            await self.sample()

    async def sample(self) -> None:
        now, cpu = time.monotonic(), gauges.cpu_s(self._node.pid)
        inside, health, took = await asyncio.gather(self._node.inside(), self._node.health(), self._load.ask("took"))
        counts = took["counts"]
        came, lost = counts["came"] - counts["sounds"], counts["gaps"] - counts["sounds_lost"]
        repaired = counts["repaired"] - counts["sounds_repaired"]
        silent = counts["sounds_lost"] - counts["sounds_repaired"]
        self.samples.append(
            {
                "at": now - self._zero,
                **asdict(look(self._node.pid)),
                **inside,
                "meetings": health["meetings"],
                "legs": health["legs"],
                "lag_ms": health["load"]["lag_ms"],
                "cpu_pct": 100 * (cpu - self._cpu) / (now - self._at),
                "p50_ms": took["p50_ms"],
                "p99_ms": took["p99_ms"],
                "peers": took["peers"],
                "load_late_ms": took["late_ms"],
                "skipped": took["skipped"],
                "pictures_lost_pct": 100 * lost / max(1, came + lost),
                "pictures_missing_pct": 100 * (lost - repaired) / max(1, came + lost),
                "sounds_missing_pct": 100 * silent / max(1, counts["sounds"] + counts["sounds_lost"]),
                **{name: counts[name] for name in sorted(counts)},
            }
        )
        self._at, self._cpu = now, cpu
        shown = "  ".join(f"{name} {self.samples[-1][name]:.4g}" for name in SHOWN)
        say(f"{now - self._zero:6.0f} s  {shown}  surprises {len(self._life.surprises)}")


async def soak(options: argparse.Namespace, kind: type[Node] = Node) -> dict[str, Any]:
    machine = gauges.machine()
    for_node, for_load = gauges.cores()
    gauges.pin(0, for_load)
    with tempfile.TemporaryDirectory(prefix="majlis-soak-") as name:
        folder = Path(name)
        say("preparing the film")
        reel = folder / "film"
        reel.write_bytes(pickle.dumps(await asyncio.to_thread(film)))
        seats = 3 * options.calls + SEATS_MORE
        load = await SoakLoad.start(reel, for_load, str(seats), str(options.loss))
        try:
            async with kind(folder / "node", own_address(), for_node) as node:
                assert isinstance(node, Node)
                figures, more = await _through(node, load, options)
        finally:
            await load.stop()
    machine |= {"minutes": options.minutes, "calls": options.calls, "loss": options.loss, "nice": os.nice(0)} | more
    machine["load_1m_after"] = round(os.getloadavg()[0], 2)
    wanted = verdict.targets(60 * options.minutes)
    return {
        "bench": "soak",
        "machine": machine,
        "figures": figures,
        "targets": wanted,
        "met": verdict.met(figures, wanted),
    }


async def _through(node: Node, load: Load, options: argparse.Namespace) -> tuple[dict[str, float], dict[str, Any]]:
    life = Life(
        load, port=node.port, address=node.address, calls=options.calls, turn_s=options.turn, event_s=options.event
    )
    clerk = Clerk(node.folder)
    before = await _warmed(node, life)
    objects = (await node.inside(objects=True))["objects"]
    await life.begin()
    say(f"{len(life.calls)} calls with {len(life.people)} people")
    observer = Observer(node, load, life)
    helpers = [asyncio.create_task(clerk.work(life)), asyncio.create_task(observer.work())]
    try:
        await life.live(time.monotonic() + 60 * options.minutes)
        for helper in helpers:
            if helper.done():
                helper.result()
    finally:
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
    say("every call ends")
    await life.finish()
    await node.over()
    left = await _settled(node, before, options.settle)
    left_objects = verdict.left_over(objects, (await node.inside(objects=True))["objects"], verdict.OBJECTS_SLACK)
    after, rest = look(node.pid), await node.inside()
    await node.gone()
    await asyncio.to_thread(clerk.rest)
    log = verdict.wrong_lines((await asyncio.to_thread(node.log.read_text, errors="replace")).splitlines())
    if options.samples:
        await asyncio.to_thread(_keep, Path(options.samples), observer.samples)
    figures = concluded(observer.samples, life, clerk.checked)
    figures |= {
        "left_over": float(sum(left.values())),
        "objects_left_over": float(sum(left_objects.values())),
        "wrong_log_lines": float(len(log)),
        "pss_mb_after": round(after.pss_mb, 1),
        "in_use_mb_more": round(rest["in_use_mb"] - before["in_use_mb"], 3),
        "blocks_more": float(rest["blocks"] - before["blocks"]),
    }
    broken = [one.broken for one in clerk.checked if one.broken]
    return figures, {
        "happened": dict(life.happened),
        "left_over": left,
        "objects_left_over": left_objects,
        "surprises": life.surprises[:20],
        "wrong_log_lines": log[:20],
        "journals_broken": broken[:20],
    }


async def _warmed(node: Node, life: Life) -> dict[str, Any]:
    """What the node has open after one call that is over: whatever it loads and keeps at its first is no leak."""
    await life.warm()
    await asyncio.sleep(2.5)
    return await node.counts()


async def _settled(node: Node, before: dict[str, Any], most_s: float) -> dict[str, int]:
    """Waits until nothing is left over, or for `most_s`; what is left over then."""
    until = time.monotonic() + most_s
    while True:
        left = verdict.left_over(before, _countable(await node.counts()), verdict.SLACK)
        if not left or time.monotonic() > until:
            return left
        await asyncio.sleep(1)


def _countable(counts: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if name not in ("in_use_mb", "blocks")}


def _keep(path: Path, samples: list[dict[str, float]]) -> None:
    path.write_text("".join(json.dumps(sample) + "\n" for sample in samples))


def concluded(samples: list[dict[str, float]], life: Life, checked: list[Checked]) -> dict[str, float]:
    figures: dict[str, float] = {
        "surprises": float(len(life.surprises)),
        "journals": float(len(checked)),
        "journals_broken": float(sum(1 for one in checked if one.broken)),
        "recorded_mb": round(sum(one.octets for one in checked) / 1e6, 1),
        "recorded_packets": float(sum(one.packets for one in checked)),
    }
    figures["recorded_pauses"] = float(sum(one.pauses for one in checked))
    expected = sum(one.expected for one in checked)
    if expected:
        figures["recorded_pictures_pct"] = round(100 * sum(one.pictures for one in checked) / expected, 4)
    if not samples:
        return figures
    for name in (
        "rss_mb",
        "pss_mb",
        "own_mb",
        "in_use_mb",
        "blocks",
        "fds",
        "threads",
        "tasks",
        "rooms",
        "udp_sockets",
    ):
        points = [(sample["at"], sample[name]) for sample in samples]
        figures[f"{name}_first"] = round(points[0][1], 1)
        figures[f"{name}_most"] = round(max(value for _, value in points), 1)
        figures[f"{name}_last"] = round(points[-1][1], 1)
        figures[f"{name}_per_min"] = round(verdict.per_minute(points), 4)
        if name.endswith("_mb"):
            figures[f"{name.removesuffix('_mb')}_pct_per_hour"] = round(verdict.growth_pct(points), 2)
    for name in ("cpu_pct", "p50_ms", "p99_ms", "lag_ms", "legs", "meetings"):
        figures[name] = round(statistics.median(sample[name] for sample in samples), 3)
        figures[f"{name}_most"] = round(max(sample[name] for sample in samples), 3)
    for name in ("pictures_lost_pct", "pictures_missing_pct", "sounds_missing_pct"):
        figures[name] = round(statistics.mean(sample[name] for sample in samples), 3)
    sums: Counter[str] = Counter()
    for sample in samples:
        for name in (
            "sent",
            "came",
            "gaps",
            "repaired",
            "given_up",
            "cut_off",
            "asked",
            "asked_of_us",
            "answered",
            "wrong",
        ):
            sums[name] += int(sample[name])
    return figures | {name: float(value) for name, value in sums.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    options = wished(arguments)
    try:
        result = asyncio.run(interruptible(soak(options)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("interrupted; everything that was started has been ended")
        sys.exit(130)
    for name, met in result["met"].items():
        sign, bound = result["targets"][name]
        say(f"{'met   ' if met else 'NOT MET'}  {name} {result['figures'].get(name)} {sign} {bound}")
    print(json.dumps(result, ensure_ascii=False), flush=True)
    sys.exit(0 if all(result["met"].values()) else 1)


def wished(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description="Recorded calls with life in them")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--calls", type=int, default=10, help="at the same time")
    parser.add_argument("--loss", type=float, default=0.02, help="of every packet, each way")
    parser.add_argument("--turn", type=float, default=20.0, help="seconds after which a call ends and another begins")
    parser.add_argument("--event", type=float, default=4.0, help="seconds after which something befalls someone")
    parser.add_argument("--settle", type=float, default=20.0, help="seconds at most until nothing may be left over")
    parser.add_argument("--samples", default="", help="a file for every sample, as lines of JSON")
    return parser.parse_args(arguments)
