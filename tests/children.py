"""Processes that tests start. None of them outlives a pytest, however that ends: by an error, Ctrl-C, or kill -9."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from web.processes import _die_with_parent as die_with_parent

ROOT = Path(__file__).parent.parent
READY_S = 150
__all__ = ["ROOT", "WebProcess", "die_with_parent", "free_port", "guarded"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def guarded(*ends: Sequence[object]) -> Iterator[None]:
    """For what runs under another name, which kernels let no parent's death end: these commands are carried out at the
    end of the block, or of this process."""
    ending = 'while read -r _; do :; done; for end in "$@"; do eval "$end"; done'
    lines = [" ".join(_quoted(str(word)) for word in end) for end in ends]
    guard = subprocess.Popen(
        ["sh", "-c", ending, "guard", *lines],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd="/", start_new_session=True,
    )  # fmt: skip
    assert guard.stdin is not None
    try:
        yield
    finally:
        guard.stdin.close()
        guard.wait(60)


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


class WebProcess:
    """`majlis web` over the data in `folder`, to which the test writes beside it; may be killed and started again."""

    def __init__(self, folder: Path, secret_hex: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "web.log"
        self._environment = {**os.environ, "MAJLIS_DATA_DIR": str(folder), "MAJLIS_SECRET_HEX": secret_hex}
        self._process: subprocess.Popen[bytes] | None = None
        self.start()
        self.wait()

    def start(self) -> None:
        command = [sys.executable, "-m", "web.cli", "web", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=self._environment, cwd=ROOT,
                start_new_session=True, preexec_fn=die_with_parent,
            )  # fmt: skip

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=2, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise RuntimeError(self.log.read_text()[-3000:])

    def kill(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
