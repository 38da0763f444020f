"""The bench of searches over a small ministry: that it measures something true. How fast, no test may say."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

from bench.search import town
from bench.search.run import TARGETS, asked
from core.db import Database
from core.staff.models import Staff
from reception.hotline import service as hotline
from reception.petitions import queries

ROOT = Path(__file__).resolve().parents[2]


def test_the_line_has_its_figures(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.search", "--database", "sqlite", "--petitions", "400", "--looks", "12"]
    run = subprocess.run(
        [*command, "--folder", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode in (0, 1), run.stderr[-3000:]
    assert list(tmp_path.iterdir()) == [], "nothing is left"
    (line,) = run.stdout.splitlines()
    outcome = json.loads(line)
    figures = outcome["figures"]
    assert outcome["bench"] == "search" and figures["petitions"] == 400
    for name in ("search", "dossier", "inbox"):
        assert 0 < figures[f"{name}_p50_ms"] <= figures[f"{name}_p95_ms"] <= figures[f"{name}_worst_ms"]
    assert set(outcome["met"]) == set(TARGETS["sqlite"])


def test_what_is_asked_for_is_there(db: Database) -> None:
    known = town.build(db, petitions=300, seed=1)
    dice = random.Random(1)
    with db.read() as session:
        exact = {n: hotline.look_up(session, town.case_number(n))[0] for n in range(0, 300, 30)}
        assert all(case.id == f"p{n:025d}" for n, cases in exact.items() for case in cases)
        assert sum(map(len, exact.values())) >= 6, "all but secret ones"
        found = [hotline.look_up(session, asked(dice, 300, known["visitors"])) for _ in range(40)]
        assert sum(bool(people) for _, people in found) > 15
        officer = session.get_one(Staff, "officer1")
        counts = queries.shelf_counts(session, officer)
        assert sum(counts.values()) == len([n for n in range(300) if n % len(known["departments"]) == 1])
        cases, pages = queries.inbox(session, officer, shelf=queries.SETTLED, now=town.NOW)
        assert cases and pages == -(-counts[queries.SETTLED] // 25)
