"""`majlis run` keeps its three processes alive, and what was entered survives their death."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.serving import Server

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


def children(parent: int) -> dict[str, int]:
    """Role → process id of the processes that `majlis run` started (of two media processes, the younger waits)."""
    command = ["ps", "-o", "pid=,args=", "--sort", "pid", "--ppid", str(parent)]
    listing = subprocess.run(command, capture_output=True, text=True).stdout
    found = {}
    for line in listing.splitlines():
        if match := re.search(r"^\s*(\d+) .*web\.cli (web|worker|media)", line):
            found.setdefault(match.group(2), int(match.group(1)))
    return found


def answers(url: str, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if httpx.get(f"{url}/healthz", timeout=2, trust_env=False).status_code == 200:
                return True
        except httpx.HTTPError:
            time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Chapters in order: it is killed in parts, started a second time, and killed at its head."""
    with Server(tmp_path_factory.mktemp("majlis"), demo=True) as started:
        yield started


def test_a_used_port_is_told(server: Server) -> None:
    taken = subprocess.run(
        [sys.executable, "-m", "web.cli", "run", "--port", str(server.port)],
        capture_output=True, text=True, timeout=60, env={**os.environ, "MAJLIS_DATA_DIR": str(server.data)},
    )  # fmt: skip
    assert taken.returncode == 1 and "in use" in taken.stdout


def test_each_process_that_is_killed_comes_back_and_data_are_kept(server: Server) -> None:
    assert server.process
    before = children(server.process.pid)
    assert set(before) == {"web", "worker", "media"}
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        page = client.get("/kiosk/central/needs", params={"lang": "ar", "section": "men", "service": "reception"})
        once = re.search(r'name="once" value="([^"]+)"', page.text)
        assert once
        form = {"lang": "ar", "speak": "ar", "section": "men", "service": "reception", "once": once.group(1)}
        first = client.post("/kiosk/central/ticket", data=form)
        assert first.status_code == 303
        for process in before.values():
            os.kill(process, signal.SIGKILL)
        time.sleep(0.3)
        assert answers(server.url)
        again = client.post("/kiosk/central/ticket", data=form)
        assert again.headers["location"] == first.headers["location"], "sent again after the crash: the same ticket"
        assert client.get(first.headers["location"]).status_code == 200
    end = time.monotonic() + 30
    while set(children(server.process.pid)) != {"web", "worker", "media"} and time.monotonic() < end:
        time.sleep(0.1)
    after = children(server.process.pid)
    assert set(after) == set(before) and not set(after.values()) & set(before.values())


@pytest.mark.long
def test_a_second_start_leaves_nothing_of_the_first_running_and_keeps_the_data(server: Server) -> None:
    assert server.process
    left, size = children(server.process.pid), (server.data / "majlis.sqlite3").stat().st_size
    assert set(left) == {"web", "worker", "media"}
    server.__exit__()
    gone(left, 15)
    server.log.unlink()
    server.__enter__()
    assert b"Setting up the demo" not in server.log.read_bytes()
    assert (server.data / "majlis.sqlite3").stat().st_size >= size


def test_nothing_stays_behind_when_the_parent_is_killed(server: Server) -> None:
    assert server.process
    left = children(server.process.pid)
    assert set(left) == {"web", "worker", "media"}
    server.process.kill()
    server.process.wait(5)
    gone(left, 30)


def gone(processes: dict[str, int], seconds: float) -> None:
    end = time.monotonic() + seconds
    while any(alive(pid) for pid in processes.values()) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(alive(pid) for pid in processes.values()), "nothing is left running"


def alive(pid: int) -> bool:
    """Runs, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
