"""`majlis run` keeps its three processes alive, and what was entered survives their death."""

import os
import re
import signal
import subprocess
import time
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


def answers(url: str, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if httpx.get(f"{url}/healthz", timeout=2, trust_env=False).status_code == 200:
                return True
        except httpx.HTTPError:
            time.sleep(0.1)
    return False


def test_each_process_that_is_killed_comes_back_and_data_are_kept(tmp_path: Path) -> None:
    with Server(tmp_path, demo=True) as server:
        assert server.process
        before = children(server.process.pid)
        assert set(before) == {"web", "worker", "media"}
        with httpx.Client(base_url=server.url, trust_env=False) as client:
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
        end = time.monotonic() + 15
        while set(children(server.process.pid)) != {"web", "worker", "media"} and time.monotonic() < end:
            time.sleep(0.1)
        after = children(server.process.pid)
        assert set(after) == set(before) and not set(after.values()) & set(before.values())
    time.sleep(0.5)
    assert not any(Path(f"/proc/{pid}").exists() for pid in after.values()), "nothing is left running"


def test_a_second_start_keeps_the_data_and_a_used_port_is_told(tmp_path: Path) -> None:
    with Server(tmp_path, demo=True) as server:
        port = str(server.port)
        taken = subprocess.run(
            [os.sys.executable, "-m", "web.cli", "run", "--port", port],  # type: ignore[attr-defined]
            capture_output=True, text=True, timeout=30, env={**os.environ, "MAJLIS_DATA_DIR": str(server.data)},
        )  # fmt: skip
        assert taken.returncode == 1 and "in use" in taken.stdout
        size = (server.data / "majlis.sqlite3").stat().st_size
    server.log.unlink()
    with server:
        assert b"Setting up the demo" not in server.log.read_bytes()
        assert (server.data / "majlis.sqlite3").stat().st_size >= size


def test_nothing_stays_behind_when_the_parent_is_killed(tmp_path: Path) -> None:
    with Server(tmp_path, demo=True) as server:
        assert server.process
        left = children(server.process.pid)
        assert set(left) == {"web", "worker", "media"}
        server.process.kill()
        server.process.wait(5)
        end = time.monotonic() + 15
        while any(alive(pid) for pid in left.values()) and time.monotonic() < end:
            time.sleep(0.1)
        assert not any(alive(pid) for pid in left.values())


def alive(pid: int) -> bool:
    """Runs, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
