"""What is measured: each look as its page takes it, a transaction of its own, over a ministry that has been at work."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.media import gauges
from bench.search import town
from core.db import Database
from core.staff.models import Staff
from reception.dossier import service as dossier
from reception.hotline import service as hotline
from reception.petitions import queries
from web.schema import create_all

TARGETS: dict[str, dict[str, list[Any]]] = {
    "postgresql": {
        "search_p95_ms": ["<=", 50.0], "dossier_p95_ms": ["<=", 200.0], "inbox_p95_ms": ["<=", 100.0],
    },
    "sqlite": {"search_p95_ms": ["<=", 80.0], "dossier_p95_ms": ["<=", 200.0], "inbox_p95_ms": ["<=", 100.0]},
}  # fmt: skip
PETITIONS = {"postgresql": 1_000_000, "sqlite": 100_000}
SHELVES = (queries.TO_CONFIRM, queries.AT_WORK, queries.AT_WORK, queries.ASKED, queries.SETTLED)


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def asked(dice: random.Random, petitions: int, visitors: int) -> str:
    """What is typed into the one box: numbers mostly, names, at times a single one, a beginning, another spelling."""
    name = town.name_of(dice).split()
    serial = dice.randrange(visitors)
    return dice.choice(
        (
            town.case_number(dice.randrange(petitions)),
            town.identity(serial),
            town.phone(serial).replace("+966", "0"),
            f"f{dice.randrange(petitions):09d}",
            f"{name[0]} {name[2]} {name[3]}",
            f"{name[0]} {name[3].replace('ة', 'ه').removeprefix('ال')}",
            f"{name[0]} {name[3][:4]}",
            name[3],
            "لا أحد بهذا الاسم",
        )
    )


def measure(act: Callable[[int], object], count: int) -> list[float]:
    """Milliseconds of each, after a tenth of them to warm up."""
    for n in range(max(2, count // 10)):
        act(n)
    times = []
    for n in range(count):
        began = perf_counter()
        act(n)
        times.append(1000 * (perf_counter() - began))
    return times


def quantiles(name: str, times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        f"{name}_{label}_ms": round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)
        for share, label in ((0.5, "p50"), (0.95, "p95"), (1.0, "worst"))
    }


def looks(db: Database, known: dict[str, Any], *, petitions: int, count: int, seed: int) -> dict[str, float]:
    dice = random.Random(seed)
    words = [asked(dice, petitions, known["visitors"]) for _ in range(count)]
    cases = [f"p{dice.randrange(petitions):025d}" for _ in range(count)]

    def search(n: int) -> object:
        with db.read() as session:
            return hotline.look_up(session, words[n % count])

    def prepare(n: int) -> object:
        with db.read() as session:
            return dossier.assemble(session, cases[n % count], session.get_one(Staff, "aide0"))

    def inbox(n: int) -> object:
        with db.read() as session:
            officer = session.get_one(Staff, f"officer{n % len(known['departments'])}")
            queries.shelf_counts(session, officer)
            queries.overdue(session, officer, now=town.NOW)
            return queries.inbox(session, officer, shelf=SHELVES[n % len(SHELVES)], now=town.NOW)

    figures: dict[str, float] = {}
    for name, act in (("search", search), ("dossier", prepare), ("inbox", inbox)):
        figures |= quantiles(name, measure(act, count))
        say(f"{name}: p95 {figures[f'{name}_p95_ms']} ms")
    return figures


def bench(options: argparse.Namespace) -> dict[str, Any]:
    petitions = options.petitions or PETITIONS[options.database]
    place = _postgres if options.database == "postgresql" else _sqlite
    with place(options.folder) as url:
        db = Database(url)
        create_all(db.engine)
        say(f"writing {petitions} petitions into {options.database}")
        began = perf_counter()
        known = town.build(db, petitions=petitions, seed=options.seed)
        took = perf_counter() - began
        figures = looks(db, known, petitions=petitions, count=options.looks, seed=options.seed)
        db.dispose()
    return concluded(options.database, figures | {"petitions": petitions, "seeded_s": round(took, 1)})


def concluded(database: str, figures: dict[str, float]) -> dict[str, Any]:
    targets = TARGETS[database]
    return {
        "bench": "search",
        "machine": gauges.machine() | {"database": database},
        "figures": figures,
        "targets": targets,
        "met": {name: figures[name] <= most for name, (_, most) in targets.items()},
    }


@contextmanager
def _sqlite(folder: str | None) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="majlis-bench-", dir=folder) as place:
        yield f"sqlite:///{Path(place) / 'town.sqlite3'}"


@contextmanager
def _postgres(_folder: str | None) -> Iterator[str]:
    """A cluster of its own on a Unix socket, gone afterwards."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        raise SystemExit("PostgreSQL is not installed: bash requirements/system.sh test, or --database sqlite")
    home = Path(tempfile.mkdtemp(prefix="majlis-bench-pg-")).resolve()
    run: list[Any] = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        run = ["runuser", "-u", "postgres", "--"]
        shutil.chown(home, "postgres")
    data = home / "data"
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/", "timeout": 120}
    tools = binaries[-1]
    subprocess.run([*run, tools / "initdb", "-D", data, "-U", "majlis", "-A", "trust", "--no-sync"], **quiet)
    options = f"-k {home} -h '' -c fsync=off -c shared_buffers=256MB -c max_wal_size=4GB"
    subprocess.run([*run, tools / "pg_ctl", "-D", data, "-l", home / "log", "-w", "-o", options, "start"], **quiet)
    try:
        yield f"postgresql://majlis@/postgres?host={home}"
    finally:
        subprocess.run([*run, tools / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=sorted(PETITIONS), default="postgresql")
    parser.add_argument("--petitions", type=int, default=0, help="default: 1,000,000 (SQLite: 100,000)")
    parser.add_argument("--looks", type=int, default=300, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", default=None)
    outcome = bench(parser.parse_args())
    print(json.dumps(outcome, ensure_ascii=False))
    sys.exit(0 if all(outcome["met"].values()) else 1)
