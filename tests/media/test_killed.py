"""A media process killed in mid-call, in the whole product: `majlis run`, the visitor's hall, the official's desk."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.journey.known import script
from tests.serving import CHROMIUM, Server, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
MOST_S = 5.0
FRAMES = "() => document.querySelector('#stage video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0"
TIME = "() => document.querySelector('#stage video')?.currentTime ?? 0"


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.long)], ids=["one", "two"])
def server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("majlis")
    with Server(folder, demo=True, MAJLIS_MEDIA_PROCESSES=str(request.param)) as server:
        yield server


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


def open_page(browser: Browser, server: Server, who: str, colour: str, tone: int) -> Page:
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    context.add_init_script(script(colour, tone))
    page = context.new_page()
    sign_in(page, who)
    return page


def until(page: Page, holds: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come about"
        page.wait_for_timeout(50)
    return found


def rows(server: Server, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(server.data / "majlis.sqlite3")) as base:
        return base.execute(query).fetchall()


def test_both_are_back_within_five_seconds_without_admission_and_the_recording_goes_on(
    server: Server, browser: Browser
) -> None:
    ((meeting,),) = rows(
        server, "SELECT id FROM meeting WHERE state IN ('scheduled', 'open') ORDER BY starts_at LIMIT 1"
    )
    room = open_page(browser, server, "attendant", "#b03020", 440)
    room.goto("/video-hall")
    room.locator("li.row [data-dialog-open]").first.click()
    room.locator("dialog[open] form button[type=submit]").click()
    room.wait_for_url("**/room")
    room.click("#join")
    expect(room.locator("#waiting")).to_be_visible()
    minister = open_page(browser, server, "minister", "#2040c0", 660)
    minister.goto(f"/meeting/{meeting}")
    minister.click("#join")
    minister.locator("[data-admit]").click()
    for page in (minister, room):
        until(page, lambda page=page: page.evaluate(FRAMES) > 30)
    minister.wait_for_timeout(8000)  # the spare has loaded

    ((node,),) = rows(server, f"SELECT node FROM meeting WHERE id = '{meeting}'")
    assert server.process
    os.kill(carrier(server, node), signal.SIGKILL)
    died = time.monotonic()
    back = when_back((minister, room), died)
    print("back after", {name: round(seconds, 2) for name, seconds in back.items()})
    assert max(back.values()) <= MOST_S, back
    assert minister.locator("[data-admit]").count() == 0, "nobody had to be admitted again"
    expect(minister.locator("#recording-text")).to_have_text("تسجيل")
    query = f"SELECT state FROM recording WHERE meeting_id = '{meeting}' ORDER BY started_at"

    def parts() -> list[str]:
        return [state for (state,) in rows(server, query)]

    until(minister, lambda: len(parts()) == 2)
    assert parts()[-1] == "recording", parts()
    admitted = "name LIKE '%ParticipantAdmitted' AND payload LIKE"
    admissions = rows(server, f"SELECT count(*) FROM outbox_event WHERE {admitted} '%{meeting}%'")
    assert admissions == [(1,)]
    minister.click("#end")
    minister.click("#end-sure")
    for page in (minister, room):
        expect(page.locator("#over")).to_be_visible()


def carrier(server: Server, node: str) -> int:
    """The process that listens where the meeting is."""
    port = int(node.rsplit(":", 1)[1])
    inode = next(
        fields[9]
        for fields in map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:])
        if int(fields[1].split(":")[1], 16) == port and fields[3] == "0A"
    )
    assert server.process
    for process in media_processes(server.process.pid):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            if os.readlink(descriptor) == f"socket:[{inode}]":
                return process
    raise AssertionError("nobody listens there")


def media_processes(parent: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"media" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def when_back(pages: tuple[Page, Page], died: float) -> dict[str, float]:
    """Seconds from the death until new pictures come again on each side: the clock stands still, then goes on."""
    back: dict[str, float] = {}
    last: dict[str, tuple[float, float]] = {}
    still: set[str] = set()
    while len(back) < 2 and time.monotonic() - died < 30:
        for name, page in zip(("official", "visitor"), pages, strict=True):
            now, shown = time.monotonic() - died, page.evaluate(FRAMES)
            before, since = last.get(name, (-1, now))
            if shown == before:
                if now - since > 0.35:
                    still.add(name)
                continue
            last[name] = (shown, now)
            if name in still and shown > 0 and name not in back:
                back[name] = now
        pages[0].wait_for_timeout(20)
    assert len(back) == 2, back
    return back
