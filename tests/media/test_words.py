"""What people read about a bad line, in the whole product: a hall whose line loses packets, an official's desk."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.journey.known import script
from tests.journey.test_axe import AXE, RUN, TAGS
from tests.media.lines import lead
from tests.media.proxy import Line, running_proxy
from tests.serving import CHROMIUM, Server, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
CALM_MS = 5500
WATCH = """() => {
  window.heard = [];
  new MutationObserver(() => {
    const text = document.getElementById("said").textContent;
    if (text) heard.push([performance.now(), text]);
  }).observe(document.getElementById("said"), { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, Page, Line]]:
    """The official, the hall, and the hall's line, in a meeting that runs."""
    folder: Path = tmp_path_factory.mktemp("majlis")
    with Server(folder, demo=True) as server, running_proxy() as proxy, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        line = proxy.line("hall")
        hall, official = (
            page_of(browser, server, "attendant", "#b03020", line),
            page_of(browser, server, "minister", "#2040c0"),
        )
        hall.goto("/video-hall")
        hall.locator("li.row [data-dialog-open]").first.click()
        hall.locator("dialog[open] form button[type=submit]").click()
        hall.wait_for_url("**/room")
        hall.click("#join")
        expect(hall.locator("#waiting")).to_be_visible()
        official.goto("/office")
        official.goto(str(official.locator("a[href^='/meeting/']").first.get_attribute("href")))
        official.click("#join")
        official.locator("[data-admit]").wait_for()
        official.keyboard.press("a")
        for page in (official, hall):
            page.locator("#stage video").wait_for()
            expect(page.locator(".present .bars--3")).to_have_count(2, timeout=20_000)
            page.evaluate(WATCH)
        yield official, hall, line
        browser.close()


def page_of(browser: Browser, server: Server, who: str, colour: str, line: Line | None = None) -> Page:
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 800}, bypass_csp=True)
    context.set_default_timeout(20_000)
    context.add_init_script(script(colour, 440))
    page = context.new_page()
    if line is not None:
        lead(page, line)
    sign_in(page, who)
    return page


def heard(page: Page) -> list[tuple[float, str]]:
    return [(at, text) for at, text in page.evaluate("heard")]


@pytest.mark.long
def test_each_side_reads_whose_line_is_weak_and_what_to_do_then_that_all_is_well(
    room: tuple[Page, Page, Line],
) -> None:
    official, hall, line = room
    line.set(up={"loss": 0.3})
    expect(hall.locator("#trouble")).to_have_text("خط هذه القاعة ضعيف. إن طال ذلك فأخبر مشرف القاعة من فضلك.")
    trouble = official.locator(".face__trouble")
    expect(trouble).to_contain_text("ضعيف، والسبب ليس من جهتك")
    expect(official.locator("#trouble")).to_be_hidden()
    assert official.locator(".present .bars--1").get_attribute("aria-label") == "الخط: ضعيف"
    assert hall.locator(".present__one", has_text="أنت").locator(".bars--1").count() == 1
    line.clear()
    for page in (official, hall):
        expect(page.locator(".present .bars--3")).to_have_count(2, timeout=20_000)
    expect(hall.locator("#trouble")).to_be_hidden()
    expect(trouble).to_be_hidden()
    official.wait_for_timeout(CALM_MS)
    for page in (official, hall):
        said = heard(page)
        assert said[-1][1] == "عادت الخطوط كلها جيدة.", said
        assert len({text for _, text in said}) == len(said) <= 3, "nothing is said twice, nothing flickers"
        assert all(after[0] - before[0] > 3900 for before, after in pairwise(said))


@pytest.mark.long
def test_silence_is_said_within_seconds_and_is_over_when_something_comes(room: tuple[Page, Page, Line]) -> None:
    official, _hall, line = room
    line.blackout(4)
    trouble = official.locator(".face__trouble")
    expect(trouble).to_contain_text("لم يصل شيء من", timeout=5000)
    assert official.locator(".present .bars--0").count() == 1
    expect(trouble).not_to_contain_text("لم يصل شيء", timeout=6000)
    expect(official.locator(".present .bars--3")).to_have_count(2, timeout=20_000)


def test_the_technician_is_read_the_numbers_by_keyboard_alone(room: tuple[Page, Page, Line]) -> None:
    official, _hall, _line = room
    official.keyboard.press("i")
    sheet = official.locator("#line-sheet")
    expect(sheet).to_be_visible()
    expect(sheet.locator(".facts__pair", has_text="الذهاب والإياب")).to_contain_text("مللي ثانية")
    expect(sheet.locator(".facts__pair", has_text="صورتك")).to_contain_text("صورة في الثانية")
    official.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    official.locator("#mic").focus()
    official.keyboard.press("ArrowLeft")
    assert official.evaluate("document.activeElement.id") == "cam", "arrows follow the direction of writing"
    official.keyboard.press("End")
    assert official.evaluate("document.activeElement.id") == "end"
    official.keyboard.press("?")
    expect(official.locator("#shortcut-sheet")).to_contain_text("تشغيل الميكروفون أو إيقافه")
    official.keyboard.press("Escape")


def test_axe_finds_no_serious_fault_in_a_room_where_a_meeting_goes_on(room: tuple[Page, Page, Line]) -> None:
    for page in room[:2]:
        page.add_script_tag(path=AXE)
        assert page.evaluate(RUN, TAGS) == []
