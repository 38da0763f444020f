"""Full HD from a centre's hall to the office: `python -m bench.lines.large`.

One direction only: two cores don't encode VP8 at 1920x1080 twice in real time beside two browsers, a node and a
proxy; the office sends nothing. The hall's line is free, then carries 1.2 Mbit/s, then is free again. Shown is what the
office sees on its screen: the size of the pictures, how many a second, the longest still.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.lines.stage import ROOT, listening, until
from bench.media.gauges import busy_and_all
from tests.media.conftest import FLAGS, free_port
from tests.media.lines import Frame, Seen, Watch, lead
from tests.media.proxy import running_proxy

PARTS = (("free", 0, 20.0), ("1200 kbps", 1200, 20.0), ("free again", 0, 25.0))
STEADY_S = 8.0
"""The end of each part, when the sender has found its size."""


@dataclass(frozen=True)
class Part:
    name: str
    size: str
    fps: float
    kbps: float
    longest_ms: float
    """Of the whole part, the change of the line included."""
    sizes: tuple[str, ...]
    """One after the other."""
    sent_fps: float | None
    limited: str | None
    machine_pct: float

    def row(self) -> str:
        sizes = " → ".join(self.sizes)
        values = (self.name, self.size, f"{self.fps:.1f}", f"{self.kbps:.0f}", f"{self.longest_ms:.0f}", sizes)
        return f"| {' | '.join(values)} | {self.limited or '–'} | {self.machine_pct:.0f} |"


def sizes(frames: Sequence[Frame]) -> tuple[str, ...]:
    """The sizes in which pictures came, one after the other."""
    found: list[str] = []
    for frame in frames:
        size = f"{frame.width}x{frame.height}"
        if not found or found[-1] != size:
            found.append(size)
    return tuple(found)


def judged(name: str, seen: Seen, sent: Seen, machine_pct: float) -> Part:
    steady = seen.between(seen.until - STEADY_S, seen.until)
    encoded = sent.between(sent.until - STEADY_S, sent.until)
    return Part(
        name,
        sizes(steady.frames)[-1] if steady.frames else "none",
        steady.fps(),
        steady.rate_kbps("in", "video"),
        seen.longest() * 1000,
        sizes(seen.frames),
        encoded.grew("out", "video", "framesEncoded") / STEADY_S,
        next((one["limited"] for one in reversed(encoded.samples) if one.get("limited")), None),
        machine_pct,
    )


def measure() -> list[Part]:
    from playwright.sync_api import sync_playwright

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="majlis-large-")))
        camera = folder / "hall.mjpeg"
        # A hall: a still ground, somebody who moves, a camera's noise.
        drawn = "drawbox=x='700+300*sin(2*PI*t/2)':y=300:w=520:h=780:color=0x506070:t=fill,noise=alls=4:allf=t"
        subprocess.run(
            ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i",
             "smptehdbars=size=1920x1080:rate=30:duration=4", "-vf", drawn, "-q:v", "4", str(camera)],
            check=True,
        )  # fmt: skip
        port = free_port()
        node = subprocess.Popen([sys.executable, "-m", "bench.lines.node", str(port), str(folder)], cwd=ROOT)
        stack.callback(node.wait, 20)
        stack.callback(node.terminate)
        proxy = stack.enter_context(running_proxy(1))
        player = stack.enter_context(sync_playwright())
        pages: dict[str, Any] = {}
        line = proxy.line("hall")
        listening(port)
        for who, more in (("official", []), ("visitor", [f"--use-file-for-fake-video-capture={camera}"])):
            browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=[*FLAGS, *more])
            stack.callback(browser.close)
            pages[who] = page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
            lead(page, line if who == "visitor" else None)
            page.goto(f"http://127.0.0.1:{port}/")
            until(page, "Boolean(window.rig?.ready)")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/token?meeting=large&who={who}") as answer:
                token = json.loads(answer.read())
            options = {"large": True} if who == "visitor" else {"stream": None}
            page.evaluate("([token, options]) => rig.join(token, options)", [token, options])
        for page in pages.values():
            until(page, "rig.client.state === 'here'")
        sees, sends = (Watch(pages[who]) for who in ("official", "visitor"))
        found = []
        for name, kbps, seconds in PARTS:
            line.set(up={"kbps": kbps})
            (busy, passed), before = busy_and_all(), sees.seen().until
            sees.rest(seconds)
            now, sent = sees.seen(), sends.seen()
            load = [after - earlier for after, earlier in zip(busy_and_all(), (busy, passed), strict=True)]
            found.append(
                judged(name, now.between(before, now.until), sent.between(before, sent.until), 100 * load[0] / load[1])
            )
        return found


def main() -> None:
    print("| the hall's line | pictures | fps | kbps | longest still, ms | sizes seen | limited by | machine busy, % |")
    print("| --- " * 8 + "|")
    for part in measure():
        print(part.row(), flush=True)


if __name__ == "__main__":
    main()
