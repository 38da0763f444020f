"""The manager's pages in a real Chromium: the charts are drawn under our own policy, from right to left in Arabic."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.serving import CHROMIUM, Server, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(**CHROMIUM)
        yield launched
        launched.close()


def test_the_course_is_drawn_and_the_what_if_answers(browser: Browser, tmp_path: Path) -> None:
    with Server(tmp_path, demo=True) as server:
        page = browser.new_context(base_url=server.url).new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        sign_in(page, "manager")
        page.goto("/centre")
        expect(page.locator("#course canvas")).to_be_visible()
        rows = page.locator("#course-table tbody tr")
        assert rows.count() > 1
        scale = page.locator("#course .u-axis").nth(1).bounding_box()
        plot = page.locator("#course .u-over").bounding_box()
        assert scale and plot and scale["x"] >= plot["x"] + plot["width"] - 2  # Arabic: the numbers stand at the right
        page.goto("/centre/what-if")
        page.select_option("#f-more", "1")
        with page.expect_navigation():
            page.locator("#wish button[type=submit]").click()
        expect(page.locator("#answer")).to_be_visible()
        expect(page.locator("#lines-over canvas")).to_be_visible()
        assert not complaints
