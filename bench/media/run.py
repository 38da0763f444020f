"""The measurement itself: which server with how many calls in which order, and what is made of the figures."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pickle
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.media import gauges, janus
from bench.media.film import FPS, SECONDS, film
from bench.media.janus import Janus, JanusLoops
from bench.media.ours import Ours
from bench.media.plain import Plain
from bench.media.rig import Load, Server
from video.media import hooks

WARM_S = 2.5
DRAIN_S = 0.4
AT_ONCE = 5
"""Calls that are being made at the same time."""
CELL_S = 60.0
"""What starting, connecting and reading the records of one cell may take at most."""
TARGETS: dict[str, list[Any]] = {"cpu_ours_to_janus_n20_ratio": ["<=", 0.75], "ours_n20_p99_ms": ["<=", 3.0]}
KINDS: dict[str, type[Server]] = {"ours": Ours, "janus": Janus, "janus_loops": JanusLoops, "aiortc": Plain}
SHOWN = ("cpu_pct_per_call", "us_per_packet", "p50_ms", "p99_ms", "loss_pct", "rss_mb", "recorded_pct", "others_pct")

Cell = dict[str, float]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def own_address() -> str:
    """An address of this machine that every measured server accepts; packets to it stay on loopback."""
    return next((one for one in hooks.host_addresses() if ":" not in one), "127.0.0.1")


async def measure(server: Server, load: Load, calls: int, seconds: float) -> Cell:
    """One cell: `calls` recorded calls through a server that was just started."""
    async with server:
        for first in range(0, calls, AT_ONCE):
            await asyncio.gather(*(server.call(load, number) for number in range(first, min(calls, first + AT_ONCE))))
        await asyncio.sleep(0.5)
        await load.ask("send")
        await asyncio.sleep(WARM_S)
        pid = server.pid
        await load.ask("reset")
        cpu, load_cpu, since = gauges.cpu_s(pid), gauges.cpu_s(load.process.pid), time.monotonic()
        busy, _ = gauges.busy_and_all()
        await asyncio.sleep(seconds)
        report = await load.ask("report")
        passed = time.monotonic() - since
        cpu, load_cpu = gauges.cpu_s(pid) - cpu, gauges.cpu_s(load.process.pid) - load_cpu
        busy = gauges.busy_and_all()[0] - busy
        memory = gauges.resident_mb(server.pid)
        await load.ask("stop")
        await asyncio.sleep(DRAIN_S)
        sent = (await load.ask("close"))["sent_in_all"]
        await server.gone()
        recorded = await asyncio.to_thread(server.recorded)
    if report["failed"]:
        raise RuntimeError("; ".join(report["failed"]))
    cell: Cell = {
        "cpu_pct_per_call": 100 * cpu / passed / calls,
        "us_per_packet": 1e6 * cpu / max(1, report["received"]),
        "packets_per_s_and_call": report["received"] / passed / calls,
        "loss_pct": 100 * (1 - report["received"] / report["expected"]) if report["expected"] else 100.0,
        "rss_mb": memory,
        "load_pct": 100 * load_cpu / passed,
        "others_pct": max(0.0, 100 * (busy - cpu - load_cpu) / passed),
        "late_ms": report["late_ms"],
        "skipped": report["skipped"] + report["refused"],
        "silent_streams": report["silent"],
        "recorded_mb": recorded.octets / 1e6,
        "recordings_whole": float(recorded.whole),
    }
    if recorded.pictures:
        cell["recorded_pictures_pct"] = 100 * recorded.pictures / (2 * FPS * calls * (WARM_S + passed + 0.5))
    if recorded.packets:
        cell["recorded_pct"] = 100 * recorded.packets / sent
    if report["sampled"] and server.name != "aiortc":
        for share, name in (("50", "p50_ms"), ("90", "p90_ms"), ("99", "p99_ms")):
            cell[name] = report["latency_us"][share] / 1000
        cell["wrong"] = report["wrong"]
    return cell


def plan(kinds: Sequence[str], counts: Sequence[int], rounds: int) -> list[tuple[int, str, int]]:
    """Each round has every cell once. The servers of one N follow each other at once, in an order left to chance."""
    cells = []
    for turn in range(rounds):
        for calls in random.sample(counts, len(counts)):
            order = random.sample(kinds, len(kinds))
            cells += [(turn, kind, calls) for kind in order if kind != "aiortc" or calls == 1]
    return cells


async def bench(kinds: Sequence[str], counts: Sequence[int], rounds: int, seconds: float) -> dict[str, Any]:
    """Runs every cell and returns what is printed at the end."""
    machine = gauges.machine()
    machine["janus"] = janus.installed() or "not installed"
    if machine["janus"] == "not installed":
        kinds = [kind for kind in kinds if not kind.startswith("janus")]
    address = own_address()
    if address.startswith("127."):
        kinds = [kind for kind in kinds if kind == "ours"]
    for_server, for_load = gauges.cores()
    gauges.pin(0, for_load)
    cells: dict[tuple[str, int], dict[int, Cell]] = {}
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="majlis-bench-") as name:
        folder = Path(name)
        say("preparing the film")
        reel = folder / "film"
        reel.write_bytes(pickle.dumps(await asyncio.to_thread(film)))
        load = await Load.start(reel, for_load)
        try:
            order = plan(kinds, counts, rounds)
            for index, (turn, kind, calls) in enumerate(order):
                server = KINDS[kind](folder / str(index), address, for_server)
                try:
                    async with asyncio.timeout(seconds + CELL_S):
                        cell = await measure(server, load, calls, seconds)
                except (RuntimeError, TimeoutError, OSError) as error:
                    say(f"{index + 1}/{len(order)}  {kind} N={calls}: failed: {str(error) or type(error).__name__}")
                    failed.append(f"{kind} n{calls}")
                    await load.stop()
                    load = await Load.start(reel, for_load)
                    continue
                machine["srtp"] = load.profile
                cells.setdefault((kind, calls), {})[turn] = cell
                say(f"{index + 1}/{len(order)}  {kind} N={calls}: {told(cell)}")
        finally:
            await load.stop()
    machine["failed_cells"] = failed
    machine["load_1m_after"] = round(os.getloadavg()[0], 2)
    machine |= {"seconds": seconds, "rounds": rounds, "film_s": SECONDS, "nice": os.nice(0)}
    return concluded(machine, cells)


def told(cell: Cell) -> str:
    shown = [*SHOWN, "load_pct", "late_ms", "packets_per_s_and_call"]
    shown += [name for name in ("skipped", "silent_streams", "wrong") if cell.get(name)]
    return "  ".join(f"{name} {cell[name]:.2f}" for name in shown if name in cell)


def concluded(machine: dict[str, Any], cells: dict[tuple[str, int], dict[int, Cell]]) -> dict[str, Any]:
    """Medians over the rounds; the ratio is the median of those of neighbours. `cells`: by server, N and round."""
    figures: dict[str, float] = {}
    for (kind, calls), by_round in sorted(cells.items()):
        runs = list(by_round.values())
        for name in runs[0]:
            values = [run[name] for run in runs if name in run]
            figures[f"{kind}_n{calls}_{name}"] = round(statistics.median(values), 3)
        for name in ("cpu_pct_per_call", "p99_ms"):
            values = [run[name] for run in runs if name in run]
            if len(values) > 1:
                figures[f"{kind}_n{calls}_{name}_least"] = round(min(values), 3)
                figures[f"{kind}_n{calls}_{name}_most"] = round(max(values), 3)
    for calls in sorted({calls for _, calls in cells}):
        for other in ("janus", "janus_loops"):
            ours, theirs = cells.get(("ours", calls), {}), cells.get((other, calls), {})
            ratios = [
                ours[turn]["cpu_pct_per_call"] / theirs[turn]["cpu_pct_per_call"]
                for turn in ours.keys() & theirs.keys()
            ]
            if ratios:
                figures[f"cpu_ours_to_{other}_n{calls}_ratio"] = round(statistics.median(ratios), 3)
    met = {name: figures[name] <= most for name, (_, most) in TARGETS.items() if name in figures}
    return {"bench": "media", "machine": machine, "figures": figures, "targets": TARGETS, "met": met}


def table(figures: dict[str, float], kinds: Sequence[str], counts: Sequence[int]) -> str:
    rows = ["| server | N | " + " | ".join(SHOWN) + " |", "| --- " * (len(SHOWN) + 2) + "|"]
    for calls in counts:
        for kind in kinds:
            values = [figures.get(f"{kind}_n{calls}_{name}") for name in SHOWN]
            if any(value is not None for value in values):
                shown = " | ".join("–" if value is None else f"{value:.2f}" for value in values)
                rows.append(f"| {kind} | {calls} | {shown} |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.media", description="CPU and delay of recorded calls")
    parser.add_argument("--seconds", type=float, default=10.0, help="measured in each cell")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--n", default="1,10,20,30", help="numbers of calls, with commas")
    parser.add_argument("--only", default="ours,janus,janus_loops,aiortc", help="servers, with commas")
    parser.add_argument("--nice", type=int, default=0, help="of everything measured; below 0 it needs the right to")
    parser.add_argument("--quick", action="store_true", help="one short round with 1 and 20 calls")
    options = parser.parse_args(arguments)
    counts = [int(count) for count in options.n.split(",")]
    kinds = [kind for kind in options.only.split(",") if kind in KINDS]
    seconds, rounds = options.seconds, options.rounds
    if options.quick:
        counts, seconds, rounds = [1, 20], min(seconds, 4.0), 1
    if options.nice:
        os.nice(options.nice)
    try:
        result = asyncio.run(interruptible(bench(kinds, counts, rounds, seconds)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("interrupted; everything that was started has been ended")
        sys.exit(130)
    say(table(result["figures"], kinds, counts))
    print(json.dumps(result), flush=True)


async def interruptible(work: Any) -> Any:
    """SIGTERM cleans up as Ctrl-C does, which a shell's background job would not hear of otherwise."""
    task = asyncio.ensure_future(work)
    for word in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(word, task.cancel)
    return await task
