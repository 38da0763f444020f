"""A campaign of many texts drains through a worker over SMPP, and meanwhile somebody asks for a one-time code.

Three processes, as in life: this one is the web side (it writes codes into the database), `bench.sms.worker` is the
product's worker, `bench.sms.smsc` the gateway. They share what cores there are.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from bench.media import gauges
from bench.queue.figures import quantile
from bench.sms.cluster import cluster
from core import clock
from core.db import Database, new_id
from messaging import service
from messaging.lanes import lane_of
from messaging.models import Dispatch, Message
from messaging.rules import segments
from messaging.states import CREATED
from web.schema import create_all

ROOT = Path(__file__).resolve().parents[2]
TEXT = "يُغلق مركز الرياض يوم الخميس القادم للصيانة، ونستقبلكم في بقية المراكز"  # 70 letters: one part
CODES = "96659"  # numbers of who asks for a code
TARGETS: dict[str, list[Any]] = {
    "drained_per_s": [">=", 500.0],
    "code_p99_ms": ["<=", 300.0],
    "memory_growth_mb": ["<=", 8.0],
    "memory_mb_per_10k_texts": ["<=", 1.0],
    "texts_lost": ["<=", 0],
    "texts_twice": ["<=", 0],
}
Figures = dict[str, float]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def bench(options: argparse.Namespace) -> dict[str, Any]:
    machine = gauges.machine() | {
        "database": "postgresql" if options.database else "sqlite",
        "texts": options.texts,
        "window": options.window,
        "gateway_delay_ms": options.delay * 1000,
    }
    with tempfile.TemporaryDirectory(prefix="majlis-sms-", dir=options.folder) as place, ExitStack() as beside:
        folder = Path(place)
        if options.database == "postgresql":
            options.database = beside.enter_context(cluster(options.folder))
        url = options.database or f"sqlite:///{folder / 'bench.sqlite3'}"
        db = Database(url)
        create_all(db.engine)
        began = time.monotonic()
        campaign(db, options.texts)
        say(f"{options.texts} texts wait after {time.monotonic() - began:.1f} s")
        with gateway(options.delay) as (port, told):
            settings = environment(folder, url, port, options.window)
            with process("bench.sms.worker", settings, folder / "worker.log") as worker:
                figures, codes = drain(db, worker.pid, options)
        figures |= judged(db, told, codes, options.texts)
        if options.keep_log:
            say((folder / "worker.log").read_text()[-4000:])
        db.dispose()
    machine |= {"load_1m_after": round(os.getloadavg()[0], 2)}
    return concluded(machine, figures)


def campaign(db: Database, texts: int) -> None:
    """As a campaign that was approved leaves it: rows of one class, all due."""
    now, cut = clock.now(), segments(TEXT)
    for start in range(0, texts, 5000):
        rows = [
            {
                "id": new_id(), "key": f"bench{n}", "to_number": f"+96650{n:07d}", "language": "ar",
                "template": "campaign", "message_class": "campaign", "body": TEXT, "encoding": cut.encoding,
                "parts": cut.count, "state": CREATED, "subject_kind": "campaign", "subject_id": "bench",
                "created_at": now, "due_at": now, "attempts": 0, "doubts": 0,
            }
            for n in range(start, min(start + 5000, texts))
        ]  # fmt: skip
        waiting = [
            {
                "message_id": row["id"], "to_number": row["to_number"], "body": TEXT, "message_class": "campaign",
                "lane": lane_of("campaign"), "run_at": now, "attempts": 0, "held": False, "released": False,
            }
            for row in rows
        ]  # fmt: skip
        with db.write() as session:
            session.execute(insert(Message), rows)
            session.execute(insert(Dispatch), waiting)


def drain(db: Database, pid: int, options: argparse.Namespace) -> tuple[Figures, dict[str, tuple[float, float]]]:
    """Until nothing waits; the figures of the worker's process, and when each code was asked for and committed."""
    codes: dict[str, tuple[float, float]] = {}
    over = threading.Event()
    asker = threading.Thread(target=ask, args=(db, codes, over, options.codes_per_s), daemon=True)
    memory: list[tuple[int, float]] = []  # texts that have left, and the worker's memory then
    while waiting(db) == options.texts:  # the worker starts
        time.sleep(0.05)
    began = time.monotonic()
    cpu = cpu_s(pid)
    asker.start()
    left = options.texts
    while left:
        time.sleep(0.5)
        left = waiting(db)
        memory.append((options.texts - left, rss_mb(pid)))
        if len(memory) % 10 == 0:
            say(f"{time.monotonic() - began:5.0f} s: {left} wait, {memory[-1][1]:.0f} MB")
        if time.monotonic() - began > options.most_s:
            break
    cpu = cpu_s(pid) - cpu
    took = time.monotonic() - began
    over.set()
    asker.join(10)
    time.sleep(2.0)  # the last receipts
    settled = [(gone, mb) for gone, mb in memory if gone >= options.texts * 0.25] or memory
    half = len(settled) // 2
    return {
        "drain_s": round(took, 2),
        "worker_cpu_pct": round(100 * cpu / took, 1),
        "worker_cpu_ms_per_text": round(1000 * cpu / options.texts, 3),
        "memory_mb": round(settled[-1][1], 1),
        "memory_growth_mb": round(mean_mb(settled[half:]) - mean_mb(settled[:half] or settled), 2),
        "memory_mb_per_10k_texts": round(10_000 * slope(settled), 2),
    }, codes


def waiting(db: Database) -> int:
    with db.read() as session:
        waits = select(func.count()).select_from(Dispatch).where(Dispatch.message_class == "campaign")
        return session.scalar(waits) or 0


def ask(db: Database, codes: dict[str, tuple[float, float]], over: threading.Event, per_s: float) -> None:
    """Somebody asks for a one-time code, again and again, as the web process does."""
    n = 0
    while not over.wait(1.0 / per_s):
        number = f"+{CODES}{n:07d}"
        asked = time.monotonic()
        with db.write() as session:
            service.queue(
                session, to=number, template="one_time_code", fields={"code": "482913"}, language="ar",
                subject=("phone", number), key=f"code{n}", secret="482913", now=clock.now(),
            )  # fmt: skip
        codes[number.removeprefix("+")] = asked, time.monotonic()
        n += 1


def judged(db: Database, told: dict[str, Any], codes: Mapping[str, tuple[float, float]], texts: int) -> Figures:
    came = told["codes"]
    waits = [came[number] - asked for number, (asked, _written) in codes.items() if number in came]
    out = [came[number] - written for number, (_asked, written) in codes.items() if number in came]
    with db.read() as session:
        delivered = session.scalar(select(func.count()).select_from(Message).where(Message.state == "delivered")) or 0
        sent = session.scalar(select(func.count()).select_from(Message).where(Message.state == "sent")) or 0
    figures: Figures = {
        "drained_per_s": round(told["parts"] / max(0.001, told["last"] - told["first"]), 1),
        "texts_lost": texts + len(codes) - told["texts"],
        "texts_twice": told["twice"],
        "delivered": delivered,
        "sent_without_receipt": sent,
        "codes": len(waits),
    }
    for name, values in (("code", waits), ("code_written_to_gateway", out)):
        if values:
            figures |= {f"{name}_p50_ms": round(1000 * quantile(values, 50), 1)}
            figures |= {f"{name}_p99_ms": round(1000 * quantile(values, 99), 1)}
            figures |= {f"{name}_max_ms": round(1000 * max(values), 1)}
    return figures


@contextmanager
def gateway(delay: float) -> Iterator[tuple[int, dict[str, Any]]]:
    """Its port; once it has ended, what it saw."""
    told: dict[str, Any] = {}
    command = [sys.executable, "-m", "bench.sms.smsc", "--delay", str(delay), "--codes", CODES]
    smsc = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert smsc.stdout is not None
    try:
        yield int(smsc.stdout.readline()), told
    finally:
        smsc.send_signal(signal.SIGTERM)
        told.update(json.loads(smsc.stdout.readline() or "{}"))
        smsc.wait(10)


def environment(folder: Path, url: str, port: int, window: int) -> dict[str, str]:
    line = {"name": "line", "kind": "smpp", "host": "127.0.0.1", "port": port, "system_id": "bench", "window": window}
    return {
        "MAJLIS_DATA_DIR": str(folder),
        "MAJLIS_DATABASE_URL": url,
        "MAJLIS_SMS_PROVIDERS": json.dumps([line]),
        "MAJLIS_SMS_QUIET": "{}",
        "MAJLIS_SMS_SENDERS": '{"*": "Majlis"}',
    }


@contextmanager
def process(module: str, settings: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", module], cwd=ROOT, env={**os.environ, **settings}, stdout=out, stderr=out
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()


def rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def mean_mb(memory: Sequence[tuple[int, float]]) -> float:
    return sum(mb for _gone, mb in memory) / len(memory)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line that lies nearest (least squares); 0 where there is none."""
    middle = sum(x for x, _y in points) / len(points)
    height = sum(y for _x, y in points) / len(points)
    width = sum((x - middle) ** 2 for x, _y in points)
    return sum((x - middle) * (y - height) for x, y in points) / width if width else 0.0


def concluded(machine: Mapping[str, Any], figures: Figures) -> dict[str, Any]:
    met = {
        name: figures[name] >= bound if sign == ">=" else figures[name] <= bound
        for name, (sign, bound) in TARGETS.items()
        if name in figures
    }
    return {"bench": "sms", "machine": dict(machine), "figures": figures, "targets": TARGETS, "met": met}


def table(result: Mapping[str, Any]) -> str:
    rows = ["| figure | | must |", "| --- | --- | --- |"]
    for name, value in result["figures"].items():
        must = result["targets"].get(name)
        said = f"{must[0]} {must[1]:g}: {'met' if result['met'][name] else 'missed'}" if must else ""
        rows.append(f"| `{name}` | {value:g} | {said} |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sms", description="A campaign, and codes meanwhile")
    parser.add_argument("--texts", type=int, default=50_000)
    parser.add_argument("--window", type=int, default=50)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds until the gateway answers")
    parser.add_argument("--codes-per-s", type=float, default=5.0)
    parser.add_argument("--database", default="", help="postgresql: one of our own; or the address of an empty one")
    parser.add_argument("--folder", default=None, help="where the temporary folder is made: the disk that is meant")
    parser.add_argument("--most-s", type=float, default=900.0)
    parser.add_argument("--keep-log", action="store_true", help="the worker's log on stderr")
    result = bench(parser.parse_args(arguments))
    say(table(result))
    print(json.dumps(result), flush=True)
