"""The kiosk and the turn's page in a real Chromium: by touch alone, by keys alone, by scanner, without paper, without
a server; and with axe."""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from core import clock
from queueing.tickets import service
from reception.kiosks import service as devices
from reception.kiosks.models import Kiosk
from tests.queue.kiosks import APPOINTMENT_CODE, House
from tests.queue.printer import NetworkPrinter, Paper
from tests.serving import CHROMIUM

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
RUN = """async (tags) => (await axe.run(document, { runOnly: tags })).violations
  .filter((v) => ["serious", "critical"].includes(v.impact))
  .map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(" | ")}`)"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SMALL = """() => [...document.querySelectorAll(".full *")]
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((one) => one.getClientRects().length && !one.closest(".sr-only, [hidden]"))
  .filter((one) => one.getBoundingClientRect().width > 1 && parseFloat(getComputedStyle(one).fontSize) < 28)
  .map((one) => `${one.className || one.tagName} ${getComputedStyle(one).fontSize}`)"""
TOWARDS = """(selector) => {
  const [from, to] = [document.activeElement, document.querySelector(selector)];
  const [a, b] = [from, to].map((one) => one.getBoundingClientRect());
  const [x, y] = [b.x + b.width / 2 - a.x - a.width / 2, b.y + b.height / 2 - a.y - a.height / 2];
  const ways = [x > 0 ? "ArrowRight" : "ArrowLeft", y > 0 ? "ArrowDown" : "ArrowUp"];
  const at = from === document.body ? "" : `${from.tagName} ${from.href ?? from.value ?? ""} ${from.textContent}`;
  return [Math.abs(x) > Math.abs(y) ? ways : ways.reverse(), at, from === to];
}"""
NEEDS = "/kiosk/riyadh/needs?lang=en&speak=en&section=women&service=new"
STANDING, LYING, PHONE = (1080, 1920), (1920, 1080), (390, 844)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with NetworkPrinter() as printer:
        built = House(tmp_path_factory.mktemp("kiosk"), printer)
        yield built
        built.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


Opener = Callable[..., Page]


@pytest.fixture
def kiosk(house: House, chromium: Browser) -> Iterator[Opener]:
    """Opens the device's browser at its first page; a fresh roll in the printer, nobody in line."""
    opened: list[BrowserContext] = []
    house.printer.paper = Paper()
    house.printer.prints.clear()
    house.clear()
    with house.db.write() as session:
        devices.told(session, house.kiosk_id, "ready", now=clock.now())
        session.get_one(Kiosk, house.kiosk_id).asked_at = clock.now()

    def make(size: tuple[int, int] = STANDING, *, device: bool = True, **more: object) -> Page:
        context = chromium.new_context(base_url=house.url, viewport={"width": size[0], "height": size[1]}, **more)
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        if device:
            page.goto(f"/kiosk/riyadh/device/{house.key}")
        return page

    yield make
    for context in opened:
        context.close()


def code_on(page: Page) -> str:
    """What a phone's camera reads on the screen."""
    zxing = pytest.importorskip("zxingcpp")
    (found,) = zxing.read_barcodes(Image.open(io.BytesIO(page.screenshot())).convert("L"))
    return str(found.text)


def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def ticket_code(page: Page) -> str:
    return page.url.split("/ticket/")[1].split("?")[0]


@pytest.mark.parametrize("size", [STANDING, pytest.param(LYING, marks=pytest.mark.long)], ids=["standing", "lying"])
def test_by_touch_alone_from_the_language_to_the_paper(kiosk: Opener, house: House, size: tuple[int, int]) -> None:
    page = kiosk(size, has_touch=True)
    before = len(house.tickets())
    page.locator("main a[href*='lang=ar']").first.tap()
    page.locator("main a[href*='section=women']").tap()
    page.locator("main a[href*='service=new']").tap()
    for need in ("elderly", "sign"):
        page.locator(f"label:has(input[value={need}])").tap()
    small = [
        (box["width"], box["height"])
        for one in page.locator("a:visible, button:visible, label:visible").all()
        if (box := one.bounding_box()) and box["width"] > 1 and min(box["width"], box["height"]) < 64
    ]
    assert small == []
    button = page.locator("form[data-ticket-form] button[type=submit]").element_handle()
    button.tap()
    page.touchscreen.tap(size[0] / 2, size[1] / 2)
    page.wait_for_url("**/ticket/*")
    expect(page.locator("#paper")).to_contain_text("تفضل تذكرتك المطبوعة", timeout=10_000)
    assert len(house.tickets()) == before + 1 and len(house.printer.prints) == 1
    ticket = house.tickets()[-1]
    assert (ticket.visitor_class, ticket.sign_language, ticket.also) == ("elderly", True, ["deaf"]) or (
        ticket.visitor_class == "deaf" and ticket.also == ["elderly"]
    )
    assert code_on(page) == f"{house.url}/t/{ticket.code}"
    page.reload()
    expect(page.locator("#paper")).to_contain_text("تفضل تذكرتك المطبوعة")
    assert len(house.printer.prints) == 1
    page.locator("footer a.button--primary").tap()
    page.wait_for_url("**/kiosk/riyadh")


def test_by_keys_alone_with_five_of_them(kiosk: Opener, house: House) -> None:
    """Arrows, Enter and Space: what an assistive keypad has."""
    page = kiosk(LYING)
    keys = page.keyboard
    before = len(house.tickets())

    def to(selector: str) -> None:
        """As one does who looks at the screen: towards it, and round the corner where that leads nowhere."""
        seen = None
        for _ in range(20):
            way, at, there = page.evaluate(TOWARDS, selector)
            if there:
                return
            keys.press(way[0] if at != seen else way[1])
            seen = at
        raise AssertionError(f"the arrows don't lead to {selector}")

    to("main a[href*='lang=en']")
    with page.expect_navigation():
        keys.press("Enter")
    to("main a[href*='section=women']")
    with page.expect_navigation():
        keys.press("Enter")
    to("main a[href*='service=new']")
    with page.expect_navigation():
        keys.press("Enter")
    to("input[value=disabled]")
    keys.press("Space")
    to("form[data-ticket-form] button")
    with page.expect_navigation(url="**/ticket/*"):
        keys.press("Enter")
    assert len(house.tickets()) == before + 1
    assert house.tickets()[-1].visitor_class == "disabled"


def test_a_printer_without_paper_holds_nobody(kiosk: Opener, house: House) -> None:
    house.printer.paper.out = True
    page = kiosk()
    page.goto(NEEDS)
    page.locator("form[data-ticket-form] button").click()
    page.wait_for_url("**/ticket/*")
    shown = page.locator(".kiosk-given__number")
    expect(shown).to_be_visible()  # at once, whatever the printer does
    assert code_on(page) == f"{house.url}/t/{ticket_code(page)}?lang=en"
    expect(page.locator("#paper")).to_contain_text("The printer has no paper just now", timeout=10_000)
    house.printer.paper.out = False
    with house.db.write() as session:
        devices.told(session, house.kiosk_id, "ready", now=clock.now())
    page.get_by_role("button", name="Print it now").click()
    expect(page.locator("#paper")).to_contain_text("Please take your printed ticket", timeout=10_000)
    assert len(house.printer.prints) == 1


def test_an_appointments_code_typed_on_the_glass_and_scanned_leads_to_one_ticket(kiosk: Opener, house: House) -> None:
    page = kiosk(has_touch=True)
    page.goto("/kiosk/riyadh/section?lang=en&speak=en")
    page.get_by_role("link", name="I have an appointment").tap()
    for sign in "bbbbbbbb":
        page.locator(f"[data-pad='{sign}']").tap()
    page.get_by_role("button", name="I am here").tap()
    expect(page.locator("#f-code-error")).to_be_visible()
    page.locator("html[data-ready]").wait_for()
    page.locator("[data-pad=clear]").tap()
    for sign in APPOINTMENT_CODE:
        page.locator(f"[data-pad='{sign}']").tap()
    page.get_by_role("button", name="I am here").tap()
    page.wait_for_url("**/ticket/*")
    expect(page.locator(".kiosk-given__service")).to_contain_text("Video hall")
    code, count = ticket_code(page), len(house.tickets())
    for read in (APPOINTMENT_CODE, f"{house.url}/t/{code}"):  # a scanner types, wherever the focus is
        page.goto("/kiosk/riyadh?lang=en")
        page.keyboard.type(read)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/ticket/{code}*")
    assert len(house.tickets()) == count


def test_while_the_server_is_away_nothing_is_lost_and_it_goes_on_by_itself(kiosk: Opener, house: House) -> None:
    page, other = kiosk(), kiosk(device=False)
    for one in (page, other):
        one.goto("/kiosk/riyadh")
        until(lambda one=one: one.evaluate("() => navigator.serviceWorker.ready.then((r) => !!r.active)"))
    page.goto(NEEDS)
    page.locator("label:has(input[value=pregnant])").click()
    count = len(house.tickets())
    house.kill()
    page.locator("form[data-ticket-form] button").click()
    notice = page.locator("#away")
    expect(notice).to_be_visible(timeout=5000)
    expect(notice).to_contain_text("لا يمكن إعطاء رقم في هذه اللحظة")
    expect(notice).to_contain_text("No number can be given at this moment")
    other.goto("/kiosk/riyadh/section?lang=en&speak=en")  # opened while nothing answers: the browser's worker speaks
    expect(other.locator("main.kiosk-away")).to_be_visible()
    assert other.evaluate("() => getComputedStyle(document.querySelector('.away__title')).fontWeight") == "700"
    house.start()
    house.wait()
    back = time.monotonic()
    page.wait_for_url("**/ticket/*", timeout=15_000)
    expect(other.locator("main a[href*='section=women']")).to_be_visible(timeout=15_000)
    took = time.monotonic() - back
    control = time.monotonic()
    other.reload()  # what a page costs here and now, on whatever machine this is
    expect(other.locator("main a[href*='section=women']")).to_be_visible(timeout=15_000)
    control = time.monotonic() - control
    print(f"the kiosk went on {took:.2f} s after the server; a page takes {control:.2f} s")
    assert took < 3 + 3 * control
    assert len(house.tickets()) == count + 1 and house.tickets()[-1].visitor_class == "pregnant"


def test_whoever_goes_away_is_counted_down_and_forgotten(kiosk: Opener) -> None:
    page = kiosk()
    page.clock.install()
    page.goto(NEEDS)
    page.locator("label:has(input[value=elderly])").click()
    page.clock.run_for(30_000)
    expect(page.locator(".idle")).to_contain_text("Starting again in")
    page.get_by_role("button", name="I am still here").click()
    expect(page.locator(".idle")).to_have_count(0)
    with page.expect_navigation(url="**/kiosk/riyadh"):
        page.clock.run_for(46_000)


def take(house: House, kiosk: Opener) -> str:
    page = kiosk(device=False)
    page.goto(NEEDS)
    page.locator("form[data-ticket-form] button").click()
    page.wait_for_url("**/ticket/*")
    return ticket_code(page)


def test_the_turn_on_a_phone_is_light_and_tells_the_call_at_once(kiosk: Opener, house: House) -> None:
    code = take(house, kiosk)
    page = kiosk(PHONE, device=False)
    page.add_init_script("navigator.vibrate = (p) => { window.trembled = p; return true; }")
    line, weights = page.context.new_cdp_session(page), []
    line.send("Network.enable")
    line.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.goto(f"/t/{code}?lang=en", wait_until="networkidle")
    assert 5_000 < sum(weights) < 60_000, sum(weights)
    expect(page.locator("#turn")).to_contain_text("Your place in line")
    house.call_next()
    expect(page.locator("#turn")).to_contain_text("It is your turn", timeout=5000)
    expect(page.locator(".pass__counter")).to_have_text("Counter 1")
    assert page.evaluate("() => window.trembled") and page.title().startswith("●")
    expect(page.get_by_role("button", name="Give up my turn")).to_have_count(0)
    with house.db.write() as session:
        current = next(t for t in house.tickets() if t.code == code)
        service.start(session, current.id, now=clock.now())
        service.finish(session, current.id, now=clock.now())
    expect(page.locator("#turn")).to_contain_text("Your visit is finished", timeout=5000)
    assert errors == []


def test_leaving_and_coming_back_with_a_thumb(kiosk: Opener, house: House) -> None:
    code = take(house, kiosk)
    page = kiosk(PHONE, device=False, has_touch=True)
    page.goto(f"/t/{code}?lang=en")
    page.get_by_role("button", name="Give up my turn").tap()
    page.get_by_role("button", name="Back into the line").tap()
    expect(page.locator("#turn")).to_contain_text("Your place in line")
    page.get_by_text("Send me a message when few are before me").tap()
    page.get_by_label("Mobile number").fill("0500000042")
    page.get_by_role("button", name="Send me the message").tap()
    expect(page.locator("#do")).to_contain_text("A message comes when few are before you")


@pytest.mark.parametrize("lang", ["ar", pytest.param("en", marks=pytest.mark.long)])
def test_axe_finds_nothing_serious_and_no_letters_are_small(kiosk: Opener, house: House, lang: str) -> None:
    code = take(house, kiosk)
    page = kiosk(bypass_csp=True)
    asked = f"lang={lang}&speak={lang}&section=women"
    faults = {}
    for path in (
        f"/kiosk/riyadh?lang={lang}",
        f"/kiosk/riyadh/section?{asked}",
        f"/kiosk/riyadh/service?{asked}",
        f"/kiosk/riyadh/needs?{asked}&service=new",
        f"/kiosk/riyadh/appointment?{asked}&code=wrong",
        f"/kiosk/riyadh/ticket/{code}?lang={lang}",
        f"/kiosk/riyadh/ticket/{code}/phone?lang={lang}",
        f"/kiosk/riyadh/ticket/nonesuch?lang={lang}",
        f"/t/{code}?lang={lang}",
        f"/t/nonesuch?lang={lang}",
    ):
        page.goto(path)
        page.add_script_tag(path=AXE)
        if found := [*page.evaluate(RUN, TAGS), *(page.evaluate(SMALL) if path.startswith("/kiosk") else [])]:
            faults[path] = found
    page.goto(f"/kiosk/riyadh?lang={lang}")
    page.evaluate("() => document.getElementById('away').showModal()")
    page.add_script_tag(path=AXE)
    if found := page.evaluate(RUN, TAGS):
        faults["away"] = found
    assert faults == {}
