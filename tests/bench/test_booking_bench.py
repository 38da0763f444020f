"""The bench of bookings over a small year: that it measures something true. How fast, no test may say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.booking.run import concluded
from bench.booking.year import build
from core.db import Database
from tests.appointments.invariants import check

ROOT = Path(__file__).resolve().parents[2]


def test_the_line_has_its_figures(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.booking", "--slots", "2000", "--searches", "20", "--warm", "10"]
    run = subprocess.run(
        [*command, "--bookings", "8", "--folder", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    assert list(tmp_path.iterdir()) == [], "nothing is left"
    lines = run.stdout.splitlines()
    assert len(lines) == 1, "one line of JSON, and nothing else"
    outcome = json.loads(lines[0])
    figures = outcome["figures"]
    assert outcome["bench"] == "booking"
    assert (figures["slots"], figures["taken_pct"], figures["booked"]) == (2000, 90.0, 8)
    for name in ("search", "book", "book_4_desks"):
        assert 0 < figures[f"{name}_p50_ms"] <= figures[f"{name}_p99_ms"] <= figures[f"{name}_worst_ms"]
    assert set(outcome["met"]) == {"search_p99_ms", "book_p99_ms"}


def test_the_year_is_one_that_the_services_could_have_made(db: Database) -> None:
    year = build(db, slots=400, share=0.9, seed=3)
    with db.read() as session:
        assert len(check(session)) == year.taken == 360


def test_what_was_not_measured_is_not_met() -> None:
    assert concluded({}, {"book_p99_ms": 61.0})["met"] == {"book_p99_ms": False}
