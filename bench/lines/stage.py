"""Two Chromiums, the node and the proxy: one call after another, the visitor's line with a fault."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.lines import tape
from bench.lines.cells import Cell, Viewer
from bench.media.gauges import busy_and_all
from tests.media.conftest import FLAGS, free_port
from tests.media.lines import Seen, Watch, lead
from tests.media.proxy import Proxy, running_proxy

ROOT = Path(__file__).resolve().parents[2]
WARM_S = 6.0
"""What the senders get to reach their rate before anything happens."""
AFTER_S = 1.5
"""Without faults before the meeting is ended, so that what was asked for can still come."""
SIZE = "640x480"
SAID = {
    "official": (
        "kal",
        "Good morning. I have read your petition, and I would like to hear from you how it came to this. "
        "Which office did you speak to first, and what were you told there? We will look into it today.",
    ),
    "visitor": (
        "slt",
        "Thank you for seeing me. The application was sent in spring, and since then I have heard nothing at all, "
        "although I called several times. My family is waiting for the permit, and so is the school.",
    ),
}


class NotConnected(RuntimeError):
    """A call did not come about."""


@dataclass
class Outcome:
    """What one cell showed: everybody's view from the fault's beginning on, the records, the node's own counts."""

    seen: dict[Viewer, Seen]
    dark: tuple[float, float] | None
    tracks: list[tape.Track]
    whole: bool
    fared: dict[str, dict[str, Any]]
    counts: dict[str, dict[str, int]]
    machine_pct: float


class Stage:
    def __init__(self, base: int, folder: Path, browsers: dict[Viewer, Any], proxy: Proxy) -> None:
        self.port = base
        self.folder = folder
        self._browsers = browsers
        self._proxy = proxy

    def play(self, cell: Cell, number: int) -> Outcome:
        meeting = f"{cell.name}-{number}"
        line = self._proxy.line(meeting)
        contexts = {who: browser.new_context() for who, browser in self._browsers.items()}
        try:
            pages = {}
            for who, context in contexts.items():
                pages[who] = page = context.new_page()
                lead(page, line if who == "visitor" else None)
                port = line.relay("127.0.0.1", self.port) if who == "visitor" else self.port
                page.goto(f"http://127.0.0.1:{port}/")
                until(page, "Boolean(window.rig?.ready)")
                token = self._ask("token", meeting=meeting, who=who)
                page.evaluate("token => rig.join(token)", token)
            for page in pages.values():
                until(page, "rig.client.state === 'here'")
            watches = {who: Watch(page) for who, page in pages.items()}
            watches["visitor"].rest(WARM_S)
            for who, watch in watches.items():
                if watch.seen().fps() < 1:
                    raise NotConnected(f"{who} sees nothing")
            return self._suffer(cell, meeting, line, pages, watches)
        finally:
            for context in contexts.values():
                context.close()
            line.close()

    def _suffer(
        self, cell: Cell, meeting: str, line: Any, pages: dict[Viewer, Any], watches: dict[Viewer, Watch]
    ) -> Outcome:
        clock = watches["visitor"]
        dark = None
        if cell.faults:
            line.set(**({"both": {}, "up": {"up": cell.faults}, "down": {"down": cell.faults}}[cell.side]))
            if cell.side == "both":
                line.set(**cell.faults)
            elif "delay_ms" in cell.faults:
                line.set(delay_ms=cell.faults["delay_ms"])
        clock.rest(cell.settle_s)
        busy, passed = busy_and_all()
        since = time.time()
        if cell.dark_s:
            dark = line.blackout(cell.dark_s, cell.side)
        clock.rest(cell.watched_s)
        until = time.time()
        busy, passed = busy_and_all()[0] - busy, busy_and_all()[1] - passed
        line.clear()
        clock.rest(AFTER_S)
        seen = {who: watch.seen().between(since, until) for who, watch in watches.items()}
        counts = line.counts()
        pages["official"].evaluate("rig.client.end()")
        clock.rest(1.0)
        tracks, whole = tape.read(self.folder / f"{meeting}.journal", self.folder / "key")
        fared = self._ask("fared", meeting=meeting)
        return Outcome(seen, dark, tracks, whole, fared, counts, 100 * busy / passed)

    def _ask(self, what: str, **query: str) -> Any:
        words = "&".join(f"{name}={value}" for name, value in query.items())
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{what}?{words}", timeout=10) as answer:
            return json.loads(answer.read())


def until(page: Any, expression: str, timeout: float = 15) -> None:
    deadline = time.monotonic() + timeout
    while not page.evaluate(expression):
        if time.monotonic() > deadline:
            raise NotConnected(f"not in time: {expression}")
        page.wait_for_timeout(50)


@contextlib.contextmanager
def stage(folder: Path, seed: int) -> Iterator[Stage]:
    """Everything that the cells share; it is ended and removed behind."""
    from playwright.sync_api import sync_playwright

    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.lines.node", str(port), str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        with running_proxy(seed) as proxy, sync_playwright() as player, contextlib.ExitStack() as opened:
            browsers: dict[Viewer, Any] = {}
            for who in SAID:
                picture, sound = film(folder, who)
                flags = [f"--use-file-for-fake-video-capture={picture}", f"--use-file-for-fake-audio-capture={sound}"]
                browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=[*FLAGS, *flags])
                opened.callback(browser.close)
                browsers[who] = browser  # type: ignore[index]
            listening(port)
            yield Stage(port, folder, browsers, proxy)
    finally:
        process.terminate()
        process.wait(20)


def film(folder: Path, who: str) -> tuple[Path, Path]:
    """A moving picture and somebody speaking: Opus protects speech otherwise than it does a tone."""
    picture, sound = folder / f"{who}.y4m", folder / f"{who}.wav"
    voice, text = SAID[who]
    hue = 0 if who == "official" else 120
    _ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate=30:duration=4", "-vf", f"hue=h={hue}",
            "-pix_fmt", "yuv420p", str(picture))  # fmt: skip
    words = text.replace(",", r"\,").replace("'", "")
    _ffmpeg("-f", "lavfi", "-i", f"flite=text='{words}':voice={voice}", "-ar", "48000", "-ac", "1", str(sound))
    return picture, sound


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", *arguments], check=True)


def listening(port: int) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/media/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise NotConnected("the node does not answer")
