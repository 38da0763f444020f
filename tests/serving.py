"""The product as its user has it: `majlis run` as a process of its own, and browsers in front of it."""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.children import ROOT, die_with_parent, free_port
from web.demo.people import PASSWORD

CHROMIUM: dict[str, Any] = {
    "executable_path": shutil.which("chromium") or "/usr/bin/chromium",
    "args": [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--autoplay-policy=no-user-gesture-required",
    ],
}


def with_devices(video: Path, audio: Path) -> dict[str, Any]:
    """Launch options of a Chromium whose camera shows `video` (y4m) and whose microphone plays `audio` (wav)."""
    devices = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
        f"--use-file-for-fake-audio-capture={audio}",
    ]
    return {**CHROMIUM, "args": [*CHROMIUM["args"], *devices]}


PRODUCT = ("core", "messaging", "queueing", "video", "recordings", "reception", "web", "migrations")


def _state_of_the_product() -> str:
    """Changes with any file of the product, and with the hour: the demo ministry's day goes on."""
    files = sorted(path for name in PRODUCT for path in (ROOT / name).rglob("*") if path.suffix in (".py", ".po"))
    states = [f"{path}:{path.stat().st_mtime_ns}:{path.stat().st_size}" for path in files]
    return hashlib.sha256("\n".join([time.strftime("%F %H"), *states]).encode()).hexdigest()[:16]


def demo_data(to: Path) -> None:
    """The demo ministry's data as `majlis demo` makes them, with the strips that its worker would draw at once: made
    once, then copied for each server that wants them."""
    home = Path(tempfile.gettempdir()) / f"majlis-demo-{os.getuid()}"
    home.mkdir(mode=0o700, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = home / _state_of_the_product()
        if not made.exists():
            for older in home.iterdir():
                if older.is_dir():
                    shutil.rmtree(older)
            half = home / "half"
            environment = {**os.environ, "MAJLIS_DATA_DIR": str(half)}
            for command in (["-m", "web.cli", "demo"], ["-m", "tests.strips"]):
                subprocess.run(
                    [sys.executable, *command],
                    env=environment,
                    cwd=ROOT,
                    check=True,
                    stdout=subprocess.DEVNULL,
                    timeout=170,
                    preexec_fn=die_with_parent,
                )
            half.rename(made)
        shutil.copytree(made, to)


class Server:
    """`majlis run` on a free port with its data below `folder`; `demo` gives it the demo ministry.

    `fresh` lets the server seed the ministry itself, as a newcomer's first start does.
    """

    def __init__(self, folder: Path, *, demo: bool = False, fresh: bool = False, **environment: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "majlis.log"
        self._demo = demo
        self._copied = demo and not fresh and "MAJLIS_DATABASE_URL" not in environment
        self._environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Server":
        command = [
            sys.executable,
            "-m",
            "web.cli",
            "run",
            "--port",
            str(self.port),
            *(["--demo"] if self._demo else []),
        ]
        ours = {"MAJLIS_DATA_DIR": str(self.data), "MAJLIS_VOICE_AHEAD": "0"}  # a clip is made when a hall wants it
        environment = {**os.environ, **ours, **self._environment}
        if self._copied and not self.data.exists():
            demo_data(self.data)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
                cwd=ROOT,
                preexec_fn=die_with_parent,
            )
        until = time.monotonic() + 150
        while b"Majlis is ready" not in self.log.read_bytes():
            if self.process.poll() is not None or time.monotonic() > until:
                self.__exit__()
                raise RuntimeError(f"the server did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()


def sign_in(page: Page, username: str) -> None:
    page.goto("/sign-in")
    page.fill("#f-username", username)
    page.fill("#f-password", PASSWORD)
    page.locator("form[action='/sign-in'] button[type=submit]").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
