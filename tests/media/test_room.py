"""The room in the whole product: the web process dies in mid-call, a second tab takes over, strangers find no door."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.media.raw import refused
from tests.media.test_killed import FRAMES, open_page, rows, until
from tests.serving import CHROMIUM, Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
STILL_S = 0.7
"""The picture goes on (a poll and a busy machine between two looks)."""
LATER_MS = 30_000
"""Nobody promises when a web process that starts on a busy machine has time; what was written arrives then."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("majlis"), demo=True, MAJLIS_MEDIA_PROCESSES="1") as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def meeting(server: Server) -> str:
    ((meeting,),) = rows(
        server, "SELECT id FROM meeting WHERE state IN ('scheduled', 'open') ORDER BY starts_at LIMIT 1"
    )
    return str(meeting)


@pytest.fixture(scope="module")
def pages(server: Server, browser: Browser, meeting: str) -> tuple[Page, Page]:
    """The minister and the visitor's hall, in the meeting."""
    room = open_page(browser, server, "attendant", "#b03020", 440)
    room.goto("/video-hall")
    room.locator("li.row [data-dialog-open]").first.click()
    room.locator("dialog[open] form button[type=submit]").click()
    room.wait_for_url("**/room")
    room.click("#join")
    minister = open_page(browser, server, "minister", "#2040c0", 660)
    minister.goto(f"/meeting/{meeting}")
    minister.click("#join")
    minister.locator("[data-admit]").click()
    for page in (minister, room):
        until(page, lambda page=page: page.evaluate(FRAMES) > 30)
    return minister, room


def test_another_origin_finds_no_socket(server: Server, pages: tuple[Page, Page], meeting: str) -> None:
    url = f"{server.url}/media/ws/{meeting}"
    assert refused(url, Origin="https://evil.example") == 403
    assert refused(url, Origin=server.url) == 101


def test_the_picture_goes_on_while_the_web_process_is_started_again_and_signalling_comes_back(
    server: Server, pages: tuple[Page, Page]
) -> None:
    minister, room = pages
    usual = longest_still(room, lambda since: since > 2)
    os.kill(web_process(server), signal.SIGKILL)
    minister.click("#write")
    for text in ("أهلًا", "وسهلًا"):  # while nobody is there to take it
        minister.locator("#rtt-line").press_sequentially(text)
        minister.locator("#rtt-line").press("Enter")
    longest = longest_still(room, lambda since: server_answers(server) or since > 40)
    print("longest still", round(longest, 2), "before", round(usual, 2))
    assert server_answers(server)
    assert longest < max(STILL_S, 3 * usual)
    minister.locator("#rtt-line").press_sequentially("بكم")
    expect(room.locator("#captions")).to_contain_text("بكم", timeout=LATER_MS)
    assert captions(room) == ["أهلًا", "وسهلًا", "بكم"]
    minister.locator("#rtt-line").press("Enter")
    room.locator("#write").click()
    room.locator("#rtt-line").press_sequentially("شكرًا")
    expect(minister.locator("#captions")).to_contain_text("شكرًا", timeout=LATER_MS)
    room.locator("#rtt-line").press("Enter")
    assert minister.locator("[data-admit]").count() == 0


def test_a_second_tab_takes_over_and_the_first_says_so_in_the_person_s_language(
    server: Server, pages: tuple[Page, Page], meeting: str
) -> None:
    first, room = pages
    second = first.context.new_page()
    first.context.add_cookies([{"name": "majlis_language", "value": "en", "url": server.url}])
    second.goto(f"/meeting/{meeting}")
    second.click("#join")
    expect(first.locator("#over-title")).to_have_text("هذا اللقاء مفتوح على شاشة أخرى لك")
    expect(first.locator("#over-text")).to_contain_text("اللقاء مستمر هناك")
    expect(first.locator("#over-title")).to_be_focused()
    assert first.locator("#stage video").count() == 0
    until(second, lambda: second.evaluate(FRAMES) > 15)
    first.click("#again")
    expect(second.locator("#over-title")).to_have_text("This meeting is open on another screen of yours")
    expect(second.locator("#over-text")).to_contain_text("It goes on there.")
    until(first, lambda: first.evaluate(FRAMES) > 15)
    before = room.evaluate(FRAMES)
    until(room, lambda: room.evaluate(FRAMES) > before + 15)


def test_a_host_shows_somebody_out_and_calls_them_back(server: Server, pages: tuple[Page, Page]) -> None:
    minister, room = pages
    people, sheet = minister.locator("#people"), minister.locator("#out-sheet")
    visitor = people.locator("[data-show-out]")
    visitor.click()
    expect(sheet).to_contain_text(people.locator("bdi").inner_text())
    minister.keyboard.press("Escape")  # a wrong press does nothing
    expect(sheet).to_be_hidden()
    expect(visitor).to_be_focused()
    minister.keyboard.press("Enter")
    sheet.locator("[data-sure]").click()
    expect(room.locator("#over-text")).to_contain_text("أخرج مكتب الوزير هذه الشاشة من اللقاء")
    expect(minister.locator("#stage video")).to_have_count(0)
    expect(people).to_be_hidden()
    room.click("#again")
    expect(room.locator("#lobby-text")).to_contain_text("أخرج مكتب الوزير هذه الشاشة من اللقاء")
    minister.locator("#shown-out [data-invite]").click()
    expect(minister.locator("#shown-out [data-invite]")).to_have_count(0)
    room.click("#join")
    minister.locator("[data-admit]").click()
    for page in pages:
        until(page, lambda page=page: page.evaluate(FRAMES) > 15)


def longest_still(page: Page, over: Callable[[float], bool]) -> float:
    """Seconds that one picture stood, watched until it is `over`."""
    began = since = time.monotonic()
    shown, longest = page.evaluate(FRAMES), 0.0
    while not over(time.monotonic() - began):
        page.wait_for_timeout(50)
        now, frames = time.monotonic(), page.evaluate(FRAMES)
        if frames != shown:
            longest, shown, since = max(longest, now - since), frames, now
    return max(longest, time.monotonic() - since)


def captions(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#captions .captions__line > span").all_inner_texts()]


def web_process(server: Server) -> int:
    assert server.process
    command = ["ps", "-o", "pid=,args=", "--ppid", str(server.process.pid)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"^\s*(\d+) .*web\.cli web", listing, re.M)
    assert found, listing
    return int(found.group(1))


def server_answers(server: Server) -> bool:
    port = f"{server.port:04X}"
    return any(
        fields[1].endswith(f":{port}") and fields[3] == "0A"
        for fields in map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:])
    )
