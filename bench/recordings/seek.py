"""Random seeks in a long sealed film, in the browser that shows it, through Range requests.

Measured is the time from the wish to the picture of that moment: `currentTime` is set, and the first frame that
`requestVideoFrameCallback` hands out after it is at hand. The file is opened anew for each request, as it is
in the product.
"""

from __future__ import annotations

import random
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from bench.media.film import FPS, HEIGHT, SOUND_S, WIDTH
from bench.recordings.call import Film
from recordings.keys import KeyRing
from recordings.ranges import ByteRange, parse_range, read_range
from recordings.sealed import SealedReader, SealedWriter
from recordings.webm import WebmWriter

BROWSER = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PAGE = "<!doctype html><title>seek</title><video id=v width=640 muted preload=auto src=/film></video>"
READY = "() => { const v = document.querySelector('video'); if (v.error) throw v.error.message; return v.readyState; }"
SEEK = """(t) => new Promise((done, fail) => {
  const v = document.querySelector('video'), begun = performance.now();
  const stuck = setTimeout(() => fail(new Error('seek to ' + t + ' is stuck')), 20000);
  v.requestVideoFrameCallback((now, shown) => {
    clearTimeout(stuck); done([performance.now() - begun, shown.mediaTime]);
  });
  v.currentTime = t;
})"""
Figures = dict[str, float]


def long_film(path: Path, keys: KeyRing, made: Film, seconds: float, key_every: float) -> None:
    """As a rendition is. Pictures of the loop up to `key_every`, so that keyframes are as far apart as that."""
    each = round(key_every * FPS)
    with SealedWriter(path, keys, owner="bench") as sink:
        writer = WebmWriter(sink)
        sounds = 0
        for number in range(round(seconds * FPS)):
            t = number / FPS
            while sounds * SOUND_S <= t:
                writer.audio(round(sounds * SOUND_S * 1000), made.sounds[sounds % len(made.sounds)])
                sounds += 1
            writer.video(round(t * 1000), made.pictures[number % each], keyframe=number % each == 0)
        writer.finish(seconds * 1000, WIDTH, HEIGHT)


@contextmanager
def served(path: Path, keys: KeyRing) -> Iterator[tuple[str, list[int]]]:
    """(address, bytes of each answer)"""
    answers: list[int] = []

    def film(request: Request) -> Response:
        file = SealedReader(path, keys)
        chosen = parse_range(request.headers.get("range"), file.size)
        part = chosen or ByteRange(0, file.size)
        headers = {"accept-ranges": "bytes", "content-length": str(part.length)}
        if chosen:
            headers["content-range"] = chosen.content_range(file.size)
        answers.append(0)

        def counted(mine: int = len(answers) - 1) -> Iterator[bytes]:
            with file:
                for block in read_range(file, part):
                    answers[mine] += len(block)
                    yield block

        return StreamingResponse(counted(), 206 if chosen else 200, headers, "video/webm")

    app = Starlette(routes=[Route("/", lambda _: HTMLResponse(PAGE)), Route("/film", film)])
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}", answers
    finally:
        server.should_exit = True
        thread.join(10)


def seeks(path: Path, keys: KeyRing, seconds: float, count: int, seed: int) -> Figures:
    chance = random.Random(seed)
    took: list[float] = []
    off: list[float] = []
    with served(path, keys) as (address, answers), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        try:
            page = browser.new_page()
            page.goto(address)
            until = time.monotonic() + 30
            while page.evaluate(READY) < 3:
                if time.monotonic() > until:
                    raise TimeoutError("the browser does not load the film")
                time.sleep(0.05)
            page.evaluate(SEEK, 1.0)
            before = len(answers)
            for _ in range(count):
                target = chance.uniform(0, seconds - 1)
                ms, shown = page.evaluate(SEEK, target)
                took.append(ms)
                off.append(abs(shown - target))
            answered = answers[before:]
        finally:
            browser.close()
    took.sort()
    return {
        "p50_ms": statistics.median(took),
        "p90_ms": took[int(0.9 * len(took))],
        "p99_ms": took[min(len(took) - 1, int(0.99 * len(took)))],
        "worst_ms": took[-1],
        "worst_off_ms": 1000 * max(off),
        "requests": len(answered) / count,
        "mb": sum(answered) / 1e6 / count,
    }
