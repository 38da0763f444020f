"""The counter's work by keyboard alone, measured; then the second pair of eyes, and the visitor at home."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.serving import CHROMIUM, Server, sign_in
from tests.unit.reception.conftest import identity

pytestmark = [pytest.mark.browser, pytest.mark.real]

DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
NUMBER, NAME, PHONE = identity(610_001), "عبد الرحمن بن محمد العتيبي", "0551234567"
SUBJECT, BODY = "نقل كفالة من شركة متعثرة", "ألتمس نقل كفالتي، فقد تأخرت الرواتب ستة أشهر والشركة أغلقت مقرها."
PRESSES_A_SECOND = 4.0  # 48 words a minute: a clerk who types, not a typist


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("intake"), demo=True) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(**(CHROMIUM | {"args": [*CHROMIUM["args"], *DEVICES]}))
        expect.set_options(timeout=25_000)  # the machine of the tests may be busy with others
        yield opened
        expect.set_options(timeout=5_000)
        opened.close()


def page_of(browser: Browser, server: Server, who: str | None = None) -> Page:
    context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900})
    context.grant_permissions(["camera", "microphone"])
    page = context.new_page()
    page.set_default_timeout(20_000)
    if who:
        sign_in(page, who)
    return page


class Keys:
    """A clerk's hands: nothing but keys, counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.pressed, self.waited = page, 0, 0.0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.pressed += len(text)

    def tab_to(self, selector: str) -> None:
        """As many tabs as it takes, each of them a press."""
        for _ in range(12):
            if self.page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
                return
            self.press("Tab")
        raise AssertionError(f"{selector} is not to be reached in a dozen tabs")

    def until(self, look) -> None:
        """Waits for the house, which is no press but does take the visitor's time."""
        began = time.monotonic()
        look()
        self.waited += time.monotonic() - began


@pytest.fixture(scope="module")
def taken(server: Server, browser: Browser) -> dict[str, str]:
    """A petition with a scanned paper and a dictated note, from the empty form to the receipt."""
    page = page_of(browser, server, "receptionist2")
    page.goto("/intake")
    expect(page.locator("#f-identity_number")).to_be_focused()
    keys = Keys(page)
    keys.write(NUMBER)
    keys.press("Enter")
    keys.until(lambda: expect(page.locator("#f-name")).to_be_focused())
    keys.write(NAME)
    keys.press("Tab")
    keys.write(PHONE)
    keys.tab_to("#type-filter")
    keys.write("كفالة")
    keys.press("Enter")
    keys.tab_to("#f-subject")
    keys.write(SUBJECT)
    keys.press("Tab")
    keys.write(BODY)
    keys.press("Alt+KeyS")
    keys.until(lambda: expect(page.locator("#scan-take")).to_be_focused())
    for _ in range(2):
        keys.press("Enter")  # take the page
        keys.until(lambda: expect(page.locator("#scan-keep")).to_be_focused())
        keys.press("Enter")  # keep it
        keys.until(lambda: expect(page.locator("#scan-take")).to_be_focused())
    keys.tab_to("#scan-done")
    keys.press("Enter")
    keys.until(lambda: expect(page.locator("#papers [data-paper]")).to_have_count(1))
    keys.press("Alt+KeyD")
    keys.until(lambda: expect(page.locator("#note-stop")).to_be_focused())
    keys.until(lambda: page.wait_for_timeout(1500))  # somebody speaks
    keys.press("Enter")
    keys.until(lambda: expect(page.locator("#papers audio")).to_have_count(1))
    assert "draft=" in page.url
    page.reload()  # a crash of the browser comes back to the same address
    assert page.input_value("#f-body") == BODY and page.locator("#papers li").count() == 2
    page.keyboard.press("Control+Enter")
    keys.pressed += 1
    keys.until(lambda: page.wait_for_url("**/intake/done/*"))
    number = re.search(r"\d\d-\d{6}", page.locator(".receipt__number").inner_text())
    assert number is not None
    kept = {"case": number[0], "id": page.url.rsplit("/", 1)[1]}
    return kept | {"presses": str(keys.pressed), "seconds": str(keys.waited)}


def test_a_petition_is_taken_by_keyboard_alone_in_under_two_minutes(taken: dict[str, str]) -> None:
    presses, waited = int(taken["presses"]), float(taken["seconds"])
    print(f"\nintake by keyboard: {presses} presses, {waited:.1f} s of waiting for the house")
    assert presses / PRESSES_A_SECOND + waited < 120


def test_the_scan_lies_beside_the_form_and_the_next_verifier_sees_who_has_it(
    server: Server, browser: Browser, taken: dict[str, str]
) -> None:
    page = page_of(browser, server, "verifier")
    page.goto(f"/verification/{taken['id']}")
    sheets = page.locator("[data-sheet] img")
    expect(sheets).to_have_count(2)
    for n in range(2):
        sheets.nth(n).scroll_into_view_if_needed()
        page.wait_for_timeout(200)
    expect(page.locator("audio")).to_have_count(1)
    until = time.monotonic() + 15
    while not page.evaluate(
        "() => [...document.querySelectorAll('[data-sheet] img')].every((i) => i.naturalWidth > 300)"
    ):
        assert time.monotonic() < until, "a page of the scan was not drawn"
        page.wait_for_timeout(100)
    page.locator(".check-item__title").first.click()
    page.keyboard.press("c")
    expect(page.locator("#viewer-sheets")).to_have_attribute("data-size", "140")
    page.keyboard.press("t")
    expect(page.locator("[data-turn='1']")).to_have_count(1)
    with page.expect_navigation():
        page.keyboard.press("v")
    assert page.url.endswith("/verification")


def test_a_visitor_follows_with_a_code_and_sends_what_was_asked_for(
    server: Server, browser: Browser, taken: dict[str, str]
) -> None:
    page = page_of(browser, server)
    page.goto("/follow")
    page.fill("#f-case", taken["case"])
    page.fill("#f-phone", PHONE)
    before = server.log.stat().st_size
    with page.expect_navigation():
        page.locator("#f-phone").press("Enter")
    expect(page.locator("main")).to_contain_text(taken["case"])
    code = code_in(server.log, after=before)
    page.fill("#f-code", code)
    with page.expect_navigation():
        page.locator("#f-code").press("Enter")
    assert "/p/" in page.url
    expect(page.locator(".follow__number")).to_have_text(taken["case"])


def code_in(log: Path, *, after: int) -> str:
    """The console's gateway writes each text into the log: here it is the telephone."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        texts = [
            line
            for line in log.read_bytes()[after:].decode(errors="replace").splitlines()
            if f"+966{PHONE[1:]}" in line
        ]
        if found := re.findall(r"(?<![\d.-])\d{6}(?!\d)", " ".join(texts)):
            return found[-1]
        time.sleep(0.2)
    raise AssertionError("no code was sent")
