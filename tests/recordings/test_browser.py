"""A rendition in the browser that will play it: length, seeking, picture, and no byte that was not asked for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import uvicorn
from playwright.sync_api import Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from recordings.ranges import ByteRange, Unsatisfiable, parse_range, read_range
from tests.recordings.conftest import ALICE_DELAY, BOB_DELAY, END, Recorded

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
PAGE = "<!doctype html><title>player</title><video id=v width=640 muted preload=auto></video>"
BRIGHTNESS = """() => {
  const v = document.querySelector('video'), c = document.createElement('canvas');
  c.width = 64; c.height = 36;
  const g = c.getContext('2d'); g.drawImage(v, 0, 0, 64, 36);
  const d = g.getImageData(0, 0, 64, 36).data; let sum = 0;
  for (let i = 0; i < d.length; i += 4) sum += d[i];
  return sum / (d.length / 4);
}"""
READY = """() => {
  const v = document.querySelector('video');
  if (v.error) throw v.error.message;
  return v.readyState >= 3;
}"""
SEEK = """(t) => new Promise((done, fail) => {
  const v = document.querySelector('video');
  const stuck = setTimeout(() => fail(new Error('seek to ' + t + ' is stuck')), 8000);
  v.addEventListener('seeked', () => { clearTimeout(stuck); done(v.currentTime); }, {once: true});
  v.currentTime = t;
})"""


@dataclass
class Site:
    address: str
    ranges: list[str | None] = field(default_factory=list)


@pytest.fixture(scope="module")
def site(call: Recorded) -> Iterator[Site]:
    seen: list[str | None] = []

    def rendition(request: Request) -> Response:
        file = call.open(request.path_params["who"])
        header = request.headers.get("range")
        seen.append(header)
        try:
            chosen = parse_range(header, file.size)
        except Unsatisfiable as refusal:
            return Response(status_code=416, headers={"content-range": refusal.content_range})
        part = chosen or ByteRange(0, file.size)
        headers = {"accept-ranges": "bytes", "content-length": str(part.length)}
        if chosen:
            headers["content-range"] = chosen.content_range(file.size)
        return StreamingResponse(read_range(file, part), 206 if chosen else 200, headers, "video/webm")

    app = Starlette(routes=[Route("/", lambda _: HTMLResponse(PAGE)), Route("/of/{who}", rendition)])
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Site(f"http://127.0.0.1:{door.getsockname()[1]}", seen)
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def page(site: Site) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page()
        page.goto(site.address)
        yield page
        browser.close()


def load(page: Page, who: str) -> float:
    page.evaluate("who => { document.querySelector('video').src = '/of/' + who }", who)
    page.wait_for_function(READY)
    return page.evaluate("document.querySelector('video').duration")


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_the_browser_sees_the_recordings_length(page: Page, who: str) -> None:
    assert load(page, who) == pytest.approx(END, abs=0.1)


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_it_plays_in_real_time_from_the_start(page: Page, who: str) -> None:
    load(page, who)
    page.evaluate("document.querySelector('video').play()")
    page.wait_for_timeout(2500)
    state = "(v => [v.currentTime, v.error && v.error.message, v.webkitAudioDecodedByteCount])"
    time_, error, decoded = page.evaluate(f"{state}(document.querySelector('video'))")
    page.evaluate("document.querySelector('video').pause()")
    assert error is None
    assert 1.5 < time_ < 3.0
    assert decoded > 0


@pytest.mark.parametrize("second", [20, 5, 12, 23, 1])
def test_a_seek_shows_the_picture_of_that_moment(page: Page, second: int) -> None:
    load(page, "alice")
    for offset, white in ((0.05, True), (0.5, False)):
        target = second + ALICE_DELAY + offset
        assert page.evaluate(SEEK, target) == pytest.approx(target, abs=0.05)
        assert (page.evaluate(BRIGHTNESS) > 150) is white


def test_seeking_into_a_gap_and_before_the_first_picture_works(page: Page) -> None:
    load(page, "bob")
    for target in (12.0, 1.0, 24.0, 0.0):
        assert page.evaluate(SEEK, target) == pytest.approx(target, abs=0.05)
    assert page.evaluate(SEEK, 16 + BOB_DELAY + 0.05) > 16
    assert page.evaluate(BRIGHTNESS) > 150


def test_playing_through_a_gap_comes_out_at_the_right_picture(page: Page) -> None:
    """Sound is the player's clock: were it not seamless, the flash after the gap would be elsewhere."""
    load(page, "bob")
    page.evaluate(SEEK, 13.8)
    page.evaluate("document.querySelector('video').play()")
    page.wait_for_function("document.querySelector('video').currentTime > 15.5")
    page.evaluate("document.querySelector('video').pause()")
    assert page.evaluate("document.querySelector('video').videoWidth") == 480


def test_only_ranges_were_asked_for(site: Site, page: Page) -> None:
    load(page, "alice")
    assert site.ranges
    assert all(header and header.startswith("bytes=") for header in site.ranges)
