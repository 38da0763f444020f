"""What tests start ends with them, though they be killed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.children import ROOT

PYTEST = """
import subprocess, sys, time
from tests.children import die_with_parent, guarded
child = subprocess.Popen(["sleep", "60"], preexec_fn=die_with_parent)
with guarded(["touch", sys.argv[1]], ["touch", sys.argv[1] + " two's"]):
    print(child.pid, flush=True)
    time.sleep(float(sys.argv[2]))
"""


def start(mark: Path, seconds: float) -> tuple[subprocess.Popen[str], Path]:
    command = [sys.executable, "-c", PYTEST, str(mark), str(seconds)]
    parent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    return parent, Path(f"/proc/{int(parent.stdout.readline())}/stat")


def ended(stat: Path) -> bool:
    try:
        return stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_after_kill_9_no_child_runs_and_what_was_to_end_is_ended(tmp_path: Path) -> None:
    mark = tmp_path / "a mark"
    parent, child = start(mark, 60)
    assert not ended(child) and not mark.exists()
    parent.send_signal(signal.SIGKILL)
    parent.communicate(timeout=10)
    until = time.monotonic() + 20
    while not ended(child) or len(list(tmp_path.iterdir())) < 2:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert {path.name for path in tmp_path.iterdir()} == {"a mark", "a mark two's"}


def test_at_the_end_of_the_block_the_commands_have_been_carried_out(tmp_path: Path) -> None:
    parent, child = start(tmp_path / "mark", 0)
    assert parent.wait(30) == 0 and (tmp_path / "mark").exists()
    parent.communicate()
    until = time.monotonic() + 20
    while not ended(child):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert (tmp_path / "mark two's").exists()
