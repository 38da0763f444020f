"""The bench of texts with a short campaign: that it measures something true. How fast, no test may say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.sms.run import concluded

ROOT = Path(__file__).resolve().parents[2]
TEXTS = 150


def test_the_line_has_its_figures_and_nothing_was_lost(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "bench.sms",
        "--texts",
        str(TEXTS),
        "--codes-per-s",
        "20",
        "--folder",
        str(tmp_path),
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    assert list(tmp_path.iterdir()) == [], "nothing is left"
    lines = run.stdout.splitlines()
    assert len(lines) == 1, "one line of JSON, and nothing else"
    outcome = json.loads(lines[0])
    figures = outcome["figures"]
    assert outcome["bench"] == "sms" and figures["drained_per_s"] > 0
    assert figures["texts_lost"] == figures["texts_twice"] == 0
    assert figures["delivered"] + figures["sent_without_receipt"] >= TEXTS


def test_what_must_be_more_and_what_must_be_less() -> None:
    met = concluded({}, {"drained_per_s": 499.0, "code_p99_ms": 299.0})["met"]
    assert met == {"drained_per_s": False, "code_p99_ms": True}
