"""The bench of the queue with a short day: that it measures something true. How fast, no test may say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.queue.figures import late_to_early, quantile, told
from bench.queue.replay import reached
from bench.queue.run import concluded, together

ROOT = Path(__file__).resolve().parents[2]
TICKETS = 60


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("bench")
    command = [
        sys.executable, "-m", "bench.queue", "--tickets", str(TICKETS), "--sockets", "12", "--rate", "8",
        "--folder", str(folder),
    ]  # fmt: skip
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    assert list(folder.iterdir()) == [], "nothing is left"
    lines = run.stdout.splitlines()
    assert len(lines) == 1, "one line of JSON, and nothing else"
    return json.loads(lines[0])


@pytest.mark.real
def test_the_line_has_its_figures_and_the_day_was_a_right_one(outcome: dict[str, Any]) -> None:
    figures = outcome["figures"]
    assert outcome["bench"] == "queue" and outcome["machine"]["database"] == "sqlite"
    assert figures["services_issue_count"] == figures["http_issue_count"] == TICKETS
    for part in ("services_issue", "services_call_next", "http_issue", "http_call_next", "call_to_screens"):
        assert 0 < figures[f"{part}_p50_ms"] <= figures[f"{part}_p99_ms"]
    assert figures["call_to_screens_count"] >= 12 * figures["http_call_next_count"] * 0.9, "every screen heard of it"
    assert figures["call_to_screens_p50_ms"] > figures["hint_to_screens_p50_ms"]
    for nothing in ("sockets_lost", "replay_tickets_lost", "replay_numbers_twice", "replay_calls_wrong"):
        assert figures[nothing] == 0 and outcome["met"][nothing] is True


def test_a_hundredth_is_the_worst_of_a_hundred() -> None:
    assert quantile([float(n) for n in range(1, 101)], 99) == 99
    assert quantile([3.0], 99) == 3.0
    assert told("x", [0.001, 0.003, 0.002]) == {"x_p50_ms": 2.0, "x_p99_ms": 3.0, "x_count": 3}
    assert told("x", []) == {}


def test_growth_over_the_day_shows_in_the_ratio() -> None:
    growing = [(n, 0.001 + n * 1e-6) for n in range(5000)]
    assert late_to_early(growing, 5000)["call_late_to_early_ratio"] > 3
    assert late_to_early([(n, 0.004) for n in range(5000)], 5000)["call_late_to_early_ratio"] == 1.0
    assert late_to_early([], 5000) == {}


def test_a_hint_is_counted_for_a_call_never_too_early() -> None:
    alone = [("call_next", 100.0, 100.010, 1)]
    assert reached(alone, [[(99_990, 99.992), (100_008, 100.012)]]) == [pytest.approx(0.012)]
    # beside another press nobody knows whose the first hint was: the one after the answer is surely not too early
    beside = [("call_next", 100.0, 100.030, 1), ("issue", 100.005, 100.015, 1)]
    assert reached(beside, [[(100_016, 100.017), (100_032, 100.040)]]) == [pytest.approx(0.040)]
    assert reached(alone, [[(99_990, 99.992)]]) == [], "a screen that heard nothing counts nowhere as quick"


def test_what_was_not_measured_is_not_met() -> None:
    one = concluded({}, {"http_issue_p99_ms": 12.0})
    both = together([one, concluded({}, {"call_to_screens_p99_ms": 900.0})])
    assert both["met"] == {"http_issue_p99_ms": True, "call_to_screens_p99_ms": False}
