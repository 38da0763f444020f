"""The soak in a minute: that the node stays as it was, and that the soak would say so if it did not."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.soak.run import Node, soak, wished

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def outcome() -> dict[str, Any]:
    """Three calls with two or three people; about thirty things befall them."""
    wishes = ["--minutes", "0.5", "--calls", "3", "--turn", "6", "--event", "1.0"]
    run = subprocess.run(
        [sys.executable, "-m", "bench.soak", *wishes],
        cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    lines = run.stdout.splitlines()
    assert len(lines) == 1, run.stderr[-3000:]
    return json.loads(lines[0])


def test_nothing_is_left_of_calls_that_are_over(outcome: dict[str, Any]) -> None:
    """Files, sockets, threads, tasks, rooms, and every object of ours and of the libraries below."""
    machine = outcome["machine"]
    assert machine["left_over"] == {} and machine["objects_left_over"] == {}
    assert outcome["met"]["left_over"] and outcome["met"]["objects_left_over"]


def test_everybody_came_back_whatever_befell_them(outcome: dict[str, Any]) -> None:
    assert outcome["machine"]["surprises"] == []
    assert outcome["machine"]["wrong_log_lines"] == []
    happened = outcome["machine"]["happened"]
    assert all(happened.get(one, 0) >= 2 for one in ("reload", "lose_link", "second_tab", "go_dark", "end", "lines"))


def test_what_was_lost_was_asked_for_and_came(outcome: dict[str, Any]) -> None:
    figures = outcome["figures"]
    assert figures["asked_of_us"] > 100 and figures["answered"] > 100, "on the way up"
    assert figures["gaps"] > 100 and figures["repaired"] > 0.95 * figures["gaps"], "on the way down"
    assert figures["asked"] < 2 * figures["gaps"], "in the dark one asks again"
    assert figures["given_up"] <= 0.01 * figures["asked"]
    assert figures["wrong"] == 0, "everything decrypts"


def test_every_journal_is_whole_and_lacks_no_picture(outcome: dict[str, Any]) -> None:
    figures = outcome["figures"]
    assert figures["journals"] == outcome["machine"]["happened"]["started"]
    assert figures["journals_broken"] == 0
    assert figures["recorded_pictures_pct"] >= 99.5


def test_a_minute_claims_nothing_about_memory(outcome: dict[str, Any]) -> None:
    assert outcome["bench"] == "soak" and "own_mb_per_min" in outcome["figures"]
    assert "own_mb_per_min" not in outcome["met"]


class Leaky(Node):
    module = "tests.bench.leaky"


@pytest.mark.long
def test_a_node_that_leaks_is_found_out() -> None:
    wishes = ["--minutes", "0.15", "--calls", "1", "--turn", "3", "--event", "60", "--settle", "3"]
    outcome = asyncio.run(soak(wished(wishes), Leaky))
    assert not outcome["met"]["left_over"] and not outcome["met"]["objects_left_over"]
    left = outcome["machine"]["left_over"]
    assert left["rooms"] >= 2 and left["fds"] >= 4
    assert outcome["machine"]["objects_left_over"]["video.media.room.Room"] >= 2
