"""What is measured: searches and bookings one by one, each in a transaction of its own as a page would do it."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from bench.booking.year import CENTRES, DAYS, NOW, build
from bench.media import gauges
from core.db import Database
from core.errors import Refused
from queueing.appointments import service
from queueing.appointments.models import Appointment
from queueing.appointments.rules import AUDIENCE, VIDEO
from web.schema import create_all

TARGETS: dict[str, list[Any]] = {"search_p99_ms": ["<=", 30.0], "book_p99_ms": ["<=", 60.0]}
DESKS = 4  # that book at once


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def wishes(dice: random.Random) -> dict[str, Any]:
    """What a desk asks for: mostly the next free time, at times with an official, a hall, a date or an interpreter."""
    wanted: dict[str, Any] = {"kind": dice.choice([None, VIDEO, VIDEO, AUDIENCE])}
    if dice.random() < 0.3:
        wanted["centre_id"] = f"centre{dice.randrange(CENTRES)}"
    if dice.random() < 0.3:
        wanted["official_id"] = f"official{dice.randrange(CENTRES)}"
    if dice.random() < 0.2:
        wanted["since"] = NOW + timedelta(days=dice.randrange(300))
    if dice.random() < 0.1:
        wanted["visitor_id"] = f"visitor{dice.randrange(40_000)}"
    wanted["needs_interpreter"] = dice.random() < 0.1
    wanted["urgent"] = dice.random() < 0.1
    return wanted


Times = tuple[float, float]  # ms on the clock, ms of the processor


def quantiles(name: str, times: Sequence[Times]) -> dict[str, float]:
    """On the clock, and what of it was work: on a busy machine the rest is waiting for a core."""
    found = {}
    for which, part in enumerate(("", "_cpu")):
        ordered = sorted(each[which] for each in times) or [float("nan")]
        for share, label in ((0.5, "p50"), (0.99, "p99"), (1.0, "worst")):
            found[f"{name}{part}_{label}_ms"] = ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return found


def timed(act: Callable[[], object]) -> Times:
    began, worked = perf_counter(), thread_time()
    act()
    return 1000 * (perf_counter() - began), 1000 * (thread_time() - worked)


def searches(db: Database, dice: random.Random, count: int) -> list[Times]:
    def search() -> None:
        with db.read() as session:
            service.first_fitting(session, now=NOW, **wishes(dice))

    return [timed(search) for _ in range(count)]


def bookings(db: Database, dice: random.Random, count: int, desk: str) -> tuple[list[Times], int]:
    """Times of bookings that came about, and how often a rival had been faster. What is chosen is found beforehand."""
    times: list[Times] = []
    refused = 0
    for n in range(2 * count + 20):
        if len(times) == count:
            break
        wanted = wishes(dice) | {"visitor_id": None}
        with db.read() as session:
            free = service.open_slots(session, now=NOW, limit=20, **wanted)
        if not free:
            continue
        slot = dice.choice(free)

        def book(slot_id: str = slot.id, n: int = n, wanted: Mapping[str, Any] = wanted) -> Appointment:
            with db.write() as session:
                return service.book(
                    session, slot_id=slot_id, visitor_id=f"{desk} {n}", petition_id=f"{desk} {n}", by="aide", now=NOW,
                    needs_interpreter=wanted["needs_interpreter"], urgent=wanted["urgent"],
                )  # fmt: skip

        try:
            times.append(timed(book))
        except Refused:
            refused += 1
    return times, refused


def bench(options: argparse.Namespace) -> dict[str, Any]:
    machine = gauges.machine() | {"database": "SQLite", "days": DAYS, "officials": CENTRES}
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="majlis-bench-", dir=options.folder) as place:
        db = Database(f"sqlite:///{Path(place) / 'year.sqlite3'}")
        create_all(db.engine)
        say(f"writing {options.slots} slots")
        began = perf_counter()
        year = build(db, slots=options.slots, share=options.share, seed=options.seed)
        figures |= {"slots": year.slots, "taken_pct": 100 * year.taken / year.slots, "claims": year.claims}
        say(f"{year.taken} of {year.slots} taken, {year.claims} claims, in {perf_counter() - began:.0f} s")
        dice = random.Random(options.seed)
        cold = searches(db, dice, options.warm)  # a process compiles each kind of search once
        figures |= {"search_cold_worst_ms": max(cold)[0]} if cold else {}
        figures |= quantiles("search", searches(db, dice, options.searches))
        say(f"search: {figures['search_p50_ms']:.1f} ms, p99 {figures['search_p99_ms']:.1f} ms")
        bookings(db, dice, options.warm // 10, "first")
        times, _ = bookings(db, dice, options.bookings, "alone")
        figures |= quantiles("book", times) | {"booked": len(times)}
        say(f"book: {figures['book_p50_ms']:.1f} ms, p99 {figures['book_p99_ms']:.1f} ms")
        with ThreadPoolExecutor(DESKS) as pool:
            runs = pool.map(
                lambda n: bookings(db, random.Random(f"{options.seed} {n}"), options.bookings // DESKS, f"desk {n}"),
                range(DESKS),
            )
            at_once = list(runs)
        figures |= quantiles(f"book_{DESKS}_desks", [one for times, _ in at_once for one in times])
        figures["refused_to_rivals"] = sum(refused for _, refused in at_once)
        db.dispose()
    machine["load_1m_after"] = round(os.getloadavg()[0], 2)
    return concluded(machine, {name: round(value, 3) for name, value in figures.items()})


def concluded(machine: Mapping[str, Any], figures: Mapping[str, float]) -> dict[str, Any]:
    met = {name: figures[name] <= most for name, (_, most) in TARGETS.items() if name in figures}
    return {"bench": "booking", "machine": dict(machine), "figures": dict(figures), "targets": TARGETS, "met": met}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.booking", description="How fast a free time is found")
    parser.add_argument("--slots", type=int, default=50_000)
    parser.add_argument("--share", type=float, default=0.9, help="of them that are taken")
    parser.add_argument("--searches", type=int, default=2_000)
    parser.add_argument("--bookings", type=int, default=600)
    parser.add_argument("--warm", type=int, default=500, help="searches before the measured ones")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the database is made; it is removed")
    print(json.dumps(bench(parser.parse_args(arguments))))
