"""The order of the measurements, and what is made of them."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.media import gauges
from bench.queue import replay, services, town
from core import calendar, clock

PARTS = ("services", "replay")
TARGETS: dict[str, list[Any]] = {
    "services_issue_p99_ms": ["<=", 50.0],
    "services_call_next_p99_ms": ["<=", 50.0],
    "services_call_late_to_early_ratio": ["<=", 1.25],
    "http_issue_p99_ms": ["<=", 50.0],
    "http_call_next_p99_ms": ["<=", 50.0],
    "call_to_screens_p99_ms": ["<=", 200.0],
    "sockets_lost": ["<=", 0],
    "replay_tickets_lost": ["<=", 0],
    "replay_numbers_twice": ["<=", 0],
    "replay_calls_wrong": ["<=", 0],
}
Figures = dict[str, float]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def bench(options: argparse.Namespace, parts: Sequence[str]) -> dict[str, Any]:
    machine = gauges.machine() | {
        "database": "postgresql" if options.database else "sqlite",
        "tickets": options.tickets,
        "counters": town.DESKS + town.VERIFIERS,
        "kept_waiting": town.KEPT_WAITING,
    }
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="majlis-queue-", dir=options.folder) as place:
        now = clock.now()
        length = min(services.LENGTH, now - calendar.day_bounds(calendar.local_day(now, town.ZONE), town.ZONE)[0])
        began = now - length if "services" in parts else now
        house = town.found(Path(place), database_url=options.database, now=began)
        with contextlib.closing(_Open(house)):
            for name in parts:
                busy = gauges.busy_and_all()
                if name == "services":
                    day = services.Day(house, options.tickets, began=began, length=length, seed=options.seed)
                    figures |= day.play(say)
                else:
                    there = options.tickets if "services" in parts else 0
                    more = min(options.tickets, options.pressed) if there else options.tickets
                    machine |= {"sockets": options.sockets, "tickets_per_s_wanted": options.rate, "there_before": there}
                    how = {"rate": options.rate, "sockets": options.sockets, "seed": options.seed}
                    figures |= replay.replay(house, more, there=there, say=say, **how)
                after = gauges.busy_and_all()
                machine[f"busy_pct_{name}"] = round(100 * (after[0] - busy[0]) / max(0.01, after[1] - busy[1]))
    machine |= {"load_1m_after": round(os.getloadavg()[0], 2)}
    return concluded(machine, figures)


class _Open:
    def __init__(self, house: town.Town) -> None:
        self.house = house

    def close(self) -> None:
        self.house.db.dispose()


def concluded(machine: Mapping[str, Any], figures: Figures) -> dict[str, Any]:
    met = {name: figures[name] <= most for name, (_, most) in TARGETS.items() if name in figures}
    return {"bench": "queue", "machine": dict(machine), "figures": figures, "targets": TARGETS, "met": met}


def together(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several runs of parts as one; the last word on a figure counts."""
    figures: Figures = {}
    machine: dict[str, Any] = {}
    for result in results:
        figures |= result["figures"]
        machine |= result["machine"]
    return concluded(machine, figures)


def table(result: Mapping[str, Any]) -> str:
    rows = ["| figure | | must |", "| --- | --- | --- |"]
    for name, value in result["figures"].items():
        must = result["targets"].get(name)
        said = f"{must[0]} {must[1]:g}: {'met' if result['met'][name] else 'missed'}" if must else ""
        rows.append(f"| `{name}` | {value:g} | {said} |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.queue", description="One centre's day")
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}, with commas")
    parser.add_argument("--tickets", type=int, default=5000)
    parser.add_argument(
        "--pressed", type=int, default=800, help="tickets pressed over HTTP on top of the services' day; alone: all"
    )
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--rate", type=float, default=2.0, help="tickets a second of the replay; life: one in six")
    parser.add_argument("--database", default="", help="address of an empty PostgreSQL database, instead of SQLite")
    parser.add_argument("--folder", default=None, help="where the temporary folders are made: the disk that is meant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--of", nargs="*", type=Path, help="measures nothing: puts earlier results together")
    options = parser.parse_args(arguments)
    if options.of:
        result = together([json.loads(path.read_text()) for path in options.of])
    else:
        result = bench(options, [name for name in PARTS if name in options.only.split(",")])
    say(table(result))
    print(json.dumps(result), flush=True)
