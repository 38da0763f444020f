"""No serious or critical fault of accessibility on any page (axe-core, WCAG 2.2 A and AA).

Each page in Arabic, those of `BOTH` in English too; the rest in `make test-long`: the same templates and colours.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.screens import SHOTS, Shot
from tests.serving import CHROMIUM, Server, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """async (tags) => (await axe.run(document, { runOnly: tags })).violations
  .filter((v) => ["serious", "critical"].includes(v.impact))
  .map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(" | ")}`)"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Browser]]:
    with Server(tmp_path_factory.mktemp("majlis"), demo=True) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield server, browser
        browser.close()


@pytest.fixture(scope="module")
def pages(demo: tuple[Server, Browser]) -> Iterator[dict[tuple[str | None, str], Page]]:
    yield {}


def page_of(
    demo: tuple[Server, Browser], pages: dict[tuple[str | None, str], Page], who: str | None, lang: str
) -> Page:
    if (who, lang) not in pages:
        server, browser = demo
        # axe is put into the page by the browser's debugger; the policy would rightly refuse it
        context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900}, bypass_csp=True)
        context.add_cookies([{"name": "majlis_language", "value": lang, "url": server.url}])
        page = pages[who, lang] = context.new_page()
        if who:
            sign_in(page, who)
    return pages[who, lang]


BOTH = ("front", "sign-in", "kiosk", "hall", "counter", "intake", "office", "hotline")
CASES = [
    pytest.param(
        shot, lang, id=f"{shot.name}-{lang}", marks=[pytest.mark.long] * (lang == "en" and shot.name not in BOTH)
    )
    for shot in SHOTS
    if shot.name != "styleguide"
    for lang in ("ar", "en")
]


@pytest.mark.parametrize(("shot", "lang"), CASES)
def test_axe_finds_no_serious_fault(
    demo: tuple[Server, Browser], pages: dict[tuple[str | None, str], Page], shot: Shot, lang: str
) -> None:
    page = page_of(demo, pages, shot.who, lang)
    page.goto(shot.path.format(lang=lang))
    if shot.link:
        found = page.locator(f":is(main, aside) a[href^='{shot.link}']").first.get_attribute("href", timeout=5000)
        page.goto(f"{found}{shot.then}")
    page.wait_for_timeout(300)
    page.add_script_tag(path=AXE)
    assert page.evaluate(RUN, TAGS) == []
