"""The media process is killed in mid-call: no warning, no clean-up."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recordings.journal import JournalReader
from recordings.keys import FileKeyRing

LOSS_S = 1.0
RECORDER = """
import sys, time
from datetime import UTC, datetime
from recordings.journal import open_journal
from recordings.keys import FileKeyRing

path, ring = sys.argv[1:]
journal = open_journal(path, FileKeyRing(ring), recording_id="r", meeting_id="m", started_at=datetime.now(UTC))
journal.track("a", "visitor", "audio", "opus", 48000, 0.0)
begin = time.monotonic()
while True:
    at = time.monotonic() - begin
    journal.write("a", at, b"%.6f " % at + b"x" * 900)
    print(f"{at:.6f}", flush=True)
    time.sleep(0.005)
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kill_minus_nine_loses_at_most_a_second(tmp_path: Path, seed: int) -> None:
    ring = FileKeyRing(tmp_path / "ring")
    command = [sys.executable, "-c", RECORDER, tmp_path / "journal", tmp_path / "ring"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as recorder:
        assert recorder.stdout is not None
        recorder.stdout.readline()
        time.sleep(1.2 + random.Random(seed).random())
        os.kill(recorder.pid, signal.SIGKILL)
        written = [line for line in recorder.stdout.read().splitlines() if line.endswith(tuple("0123456789"))]
    with JournalReader(tmp_path / "journal", ring) as reader:
        read = list(reader.packets())
        assert not reader.finished
    assert float(written[-1]) - read[-1][1] < LOSS_S
    assert [packet.split()[0].decode() for _, _, packet in read[1:]] == written[: len(read) - 1]
