"""Staff and their appointments as they have them: two presses at the counter, a drag in the week, and keys alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.journey.test_axe import AXE, RUN, TAGS
from tests.serving import CHROMIUM, Server, sign_in
from web.demo.cases import VISITORS, check_digit

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(240)]
IDENTITY, PHONE = next((row[0], row[2]) for row in VISITORS if row[2] == "0500000008")  # has no appointment yet


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Page]]:
    """One page for each person, the aide's in Arabic and the agent's in English."""
    with Server(tmp_path_factory.mktemp("majlis"), demo=True) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        found = {}
        for who, lang in (("hotline", "en"), ("aide", "ar")):
            context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900}, bypass_csp=True)
            context.add_cookies([{"name": "majlis_language", "value": lang, "url": server.url}])
            found[who] = context.new_page()
            sign_in(found[who], who)
        yield found
        browser.close()


def no_fault(page: Page) -> None:
    page.add_script_tag(path=Path(AXE))
    assert page.evaluate(RUN, TAGS) == []


def open_case(page: Page) -> None:
    """The caller knows both ends of what is on file."""
    page.goto(f"/hotline?q={PHONE}")
    page.wait_for_url("**/hotline/cases/*")
    no_fault(page)
    page.fill("#f-identity", (IDENTITY + check_digit(IDENTITY))[-4:])
    page.fill("#f-called", PHONE[-4:])
    with page.expect_navigation():
        page.locator("form[action$='/check'] button").click()
    no_fault(page)


def test_one_press_holds_leaving_gives_back_and_two_presses_book(pages: dict[str, Page]) -> None:
    page = pages["hotline"]
    open_case(page)
    case = page.url
    with page.expect_navigation():
        page.locator("form[action$='/first'] button").click()
    expect(page.locator(".held [data-until]")).to_contain_text(":")
    no_fault(page)
    booking = page.url
    page.locator("a.back").click()
    page.wait_for_url(case)
    for _ in range(20):  # the word to let go leaves with the page, and may arrive a moment after the next one
        page.goto(booking)
        if not page.locator("[data-hold]").count():
            break
        page.goto(case)
        page.wait_for_timeout(250)
    expect(page.locator(".held--free")).to_be_visible()
    page.goto(case)
    with page.expect_navigation():
        page.locator("form[action$='/first'] button").click()
    text = page.locator(".held .sms").inner_text()
    with page.expect_navigation():
        page.locator("form[action$='/book'] button").click()
    expect(page.locator(".held--booked")).to_be_visible()
    expect(page.locator(".told .sms", has_text=text[-8:]).first).to_have_text(text, timeout=15_000)
    no_fault(page)


def test_a_drag_shows_what_fits_and_the_text_and_can_be_put_back(pages: dict[str, Page]) -> None:
    page = pages["aide"]
    page.goto("/office/calendar")
    if not page.locator("[data-carry]").count():
        page.locator("[data-week=later]").click()
    handle = page.locator("[data-carry]").first
    old = handle.get_attribute("data-carry")
    handle.scroll_into_view_if_needed()
    start = handle.bounding_box()
    assert start
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 40, start["y"] + 30, steps=4)
    target = page.locator(".cell--fits").nth(2)
    target.wait_for()
    place = target.bounding_box()
    assert place
    slot = target.get_attribute("data-slot")
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2, steps=6)
    page.mouse.up()
    dialog = page.locator("#put-dialog[open]")
    expect(dialog.locator(".sms")).to_contain_text("تغيّر موعدكم")
    no_fault(page)
    with page.expect_navigation():
        dialog.locator("button[type=submit]").click()
    expect(page.locator(f"[data-slot='{slot}'] [data-carry]")).to_have_count(1)
    with page.expect_navigation():
        page.locator("#hand form button").click()
    expect(page.locator(f"[data-slot='{slot}'] [data-carry]")).to_have_count(0)
    assert page.locator("[data-carry]").first.get_attribute("data-carry") != old, "put back is a move of its own"


def test_keys_alone_pick_up_choose_and_put_down_and_escape_changes_nothing(pages: dict[str, Page]) -> None:
    page = pages["aide"]
    page.goto("/office/calendar")
    if not page.locator("[data-carry]").count():
        page.locator("[data-week=later]").click()
    page.locator("[data-carry]").first.focus()
    carried = page.evaluate("document.activeElement.dataset.carry")
    page.keyboard.press("Enter")
    expect(page.locator("#week-said")).to_contain_text("بين يديكم")
    no_fault(page)
    chosen = []
    for key in ("ArrowDown", "ArrowLeft", "ArrowRight"):  # left is later: the week runs from the right
        page.keyboard.press(key)
        chosen.append(page.evaluate("document.activeElement.closest('.cell').dataset.slot"))
    days = [page.locator(f".week__day:has([data-slot='{one}'])").get_attribute("aria-label") for one in chosen]
    assert days[0] == days[2] != days[1]
    page.keyboard.press("Escape")
    expect(page.locator(".in-hand")).to_have_count(0)
    assert page.evaluate("document.activeElement.dataset.carry") == carried
    page.keyboard.press("Enter")
    expect(page.locator(".cell--fits a:focus")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#put-dialog[open]")).to_be_visible()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("#hand form button")).to_be_visible()
