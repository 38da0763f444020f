"""The media benchmark with one call: that it measures something true. How fast, no test may say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench.media.film import MAGIC, SECONDS, STAMP, VIDEO_BPS, Piece, Reel, film
from bench.media.run import concluded
from tests.children import die_with_parent
from video.media.rtp import is_vp8_keyframe

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parents[2]


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "bench.media", "--n", "1", "--rounds", "1", "--only", "ours", *options]


@pytest.fixture(scope="module")
def outcome() -> dict[str, Any]:
    run = subprocess.run(command("--seconds", "2"), cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    lines = run.stdout.splitlines()
    assert len(lines) == 1, "one line of JSON, and nothing else"
    return json.loads(lines[0])


def test_the_line_has_its_figures(outcome: dict[str, Any]) -> None:
    assert outcome["bench"] == "media" and outcome["machine"]["cores"] >= 1
    assert outcome["machine"]["srtp"].startswith("SRTP_AEAD_AES"), "AES-GCM was offered"
    assert set(outcome["targets"]) == {"cpu_ours_to_janus_n20_ratio", "ours_n20_p99_ms"}
    assert outcome["met"] == {}, "nothing is claimed that was not measured"
    figures = outcome["figures"]
    for name in ("cpu_pct_per_call", "us_per_packet", "rss_mb", "p50_ms", "p99_ms"):
        assert figures[f"ours_n1_{name}"] > 0
    assert figures["ours_n1_p50_ms"] <= figures["ours_n1_p99_ms"]


def test_packets_went_through_and_came_whole(outcome: dict[str, Any]) -> None:
    figures = outcome["figures"]
    assert figures["ours_n1_packets_per_s_and_call"] > 200
    assert figures["ours_n1_loss_pct"] < 5
    assert figures["ours_n1_silent_streams"] == 0
    assert figures["ours_n1_wrong"] == 0, "every sampled packet decrypts and carries its stamp"


def test_the_journal_holds_what_was_sent(outcome: dict[str, Any]) -> None:
    figures = outcome["figures"]
    assert figures["ours_n1_recordings_whole"] == 1
    assert 95 < figures["ours_n1_recorded_pct"] <= 100.01


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle: its processes end and its folder goes."""
    run = subprocess.Popen(
        command("--seconds", "60"), cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=die_with_parent,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("majlis-bench-*/*/*.journal")):
            assert run.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        children = [int(child) for child in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()]
        assert len(children) == 2
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=40)
    finally:
        run.kill()
        run.wait()
    assert run.returncode == 130, said[-2000:]
    assert list(tmp_path.iterdir()) == []
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


@pytest.fixture(scope="module")
def reel() -> list[Piece]:
    return film()


def test_the_film_has_its_rate_and_room_for_stamps(reel: list[Piece]) -> None:
    pictures = [piece for piece in reel if piece.video]
    rate = sum(len(piece.plain) for piece in pictures) * 8 / SECONDS
    assert 0.8 * VIDEO_BPS < rate < 1.25 * VIDEO_BPS
    assert max(len(piece.plain) for piece in reel) <= 1300
    assert all(piece.plain[-STAMP:] == bytes(STAMP) and len(MAGIC) == 8 for piece in reel if piece.stamped)
    sounds = [piece for piece in reel if not piece.video]
    assert len(sounds) == 50 * SECONDS and all(piece.stamped for piece in sounds)


def test_only_the_first_picture_of_the_film_is_a_key_frame(reel: list[Piece]) -> None:
    beginnings = [number for number, piece in enumerate(reel) if is_vp8_keyframe(piece.plain)]
    assert [piece.video for piece in reel].index(True) == beginnings[0] and len(beginnings) == 1
    sizes = {len(piece.plain) for piece in reel if piece.video}
    assert len(sizes) > 20, "what changes from picture to picture differs in size"


def test_each_sender_shows_the_film_in_its_order(reel: list[Piece]) -> None:
    events = Reel(reel, 3).events
    for sender in range(3):
        shown = [(-before, number) for who, number, before in events if who == sender]
        assert shown == sorted(shown) and len(shown) == len(reel)


def test_the_ratio_is_that_of_neighbours() -> None:
    cells = {
        ("ours", 20): {0: cell(1.0), 1: cell(4.0), 2: cell(9.0)},
        ("janus", 20): {1: cell(5.0), 0: cell(2.0), 3: cell(0.1)},
    }
    outcome = concluded({}, cells)
    assert outcome["figures"]["cpu_ours_to_janus_n20_ratio"] == 0.65
    assert outcome["met"] == {"cpu_ours_to_janus_n20_ratio": True, "ours_n20_p99_ms": False}


def cell(cpu: float) -> dict[str, float]:
    return {"cpu_pct_per_call": cpu, "p99_ms": 3.5}
