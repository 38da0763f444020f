"""`make screens`: a picture of every page, in both languages, at every size, in one browsable index.

Starts the demo ministry on a free port in a temporary folder, signs in as each role, and finds the pages by their
address or by the first link to them. Result: var/screens/index.html. Run with `--only PART` for some pages alone.
"""

import argparse
import html
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.media.lines import lead
from tests.media.proxy import running_proxy
from tests.serving import CHROMIUM, Server, sign_in, with_devices
from web.demo.meeting import SIDES, SIZE, portrait

OUT = Path("var/screens")
PHONE, TURNED, DESK, KIOSK, HALL = (390, 844), (844, 390), (1440, 900), (1080, 1920), (1920, 1080)
DESKS = (PHONE, DESK)
ROOM = (
    "room-lobby",
    "room-knock",
    "room-official",
    "room-hall",
    "room-weak",
    "room-connection",
    "room-keys",
    "room-interpreter",
    "room-over",
)


@dataclass(frozen=True, slots=True)
class Shot:
    """A page to look at: `path`, or the first link on it whose address begins with `link`, and `then` behind that."""

    name: str
    path: str
    who: str | None = None
    link: str | None = None
    sizes: tuple[tuple[int, int], ...] = DESKS
    then: str = ""


SHOTS = (
    Shot("front", "/", sizes=(PHONE, DESK, HALL)),
    Shot("sign-in", "/sign-in"),
    Shot("follow", "/follow"),
    Shot("styleguide", "/styleguide"),
    Shot("not-found", "/nowhere"),
    Shot("kiosk", "/kiosk/central", sizes=(KIOSK, HALL)),
    Shot("kiosk-section", "/kiosk/central/section?lang={lang}&speak={lang}", sizes=(KIOSK, HALL)),
    Shot("kiosk-service", "/kiosk/central/service?lang={lang}&speak={lang}&section=women", sizes=(KIOSK, HALL)),
    Shot(
        "kiosk-needs",
        "/kiosk/central/needs?lang={lang}&speak={lang}&section=women&service=reception",
        sizes=(KIOSK, HALL),
    ),
    Shot("kiosk-languages", "/kiosk/central/languages?lang={lang}", sizes=(KIOSK, HALL)),
    Shot("kiosk-appointment", "/kiosk/central/appointment?lang={lang}&speak={lang}", sizes=(KIOSK, HALL)),
    Shot("hall", "/hall/central", sizes=(HALL, KIOSK)),
    Shot("notices", "/notices", "manager"),
    Shot("notice-new", "/notices/new", "manager"),
    Shot("hall-settings", "/notices", "manager", link="/notices/screen/"),
    Shot("counter", "/counter", "receptionist2"),
    Shot("counter-closed", "/counter", "receptionist"),
    Shot("counter-ticket", "/counter", "receptionist2", link="/counter/tickets/"),
    Shot("counter-leave", "/counter/leave", "receptionist2"),
    Shot("counter-verification", "/counter", "verifier"),
    Shot("counter-seats", "/counter/seats", "manager"),
    Shot("intake", "/intake", "receptionist"),
    Shot("verification", "/verification", "verifier"),
    Shot("verification-case", "/verification", "verifier", link="/cases/"),
    Shot("at-the-centre", "/returned", "verifier"),
    Shot("video-hall", "/video-hall", "attendant"),
    Shot("centre", "/centre", "manager"),
    Shot("centre-what-if", "/centre/what-if?run=1&more=1", "manager"),
    Shot("department", "/department", "officer"),
    Shot("department-case", "/department", "officer", link="/cases/"),
    Shot("late", "/late", "manager"),
    Shot("department-opinions", "/department?shelf=opinions", "officer"),
    Shot("office", "/office", "aide"),
    Shot("calendar", "/office/calendar", "aide"),
    Shot("concerns", "/concerns", "manager"),
    Shot("sessions", "/office/sessions", "aide"),
    Shot("session", "/office/sessions", "aide", link="/office/sessions/0"),
    Shot("session-new", "/office/sessions/new", "aide"),
    Shot("holidays", "/office/holidays", "aide"),
    Shot("outside-hours", "/office/hours", "aide"),
    Shot("directives", "/office/directives", "aide"),
    Shot("directive", "/office/directives", "aide", link="/office/directives/0"),
    Shot("directive-new", "/office/directives/new", "aide"),
    Shot("dossier", "/office", "minister", link="/dossier/"),
    Shot("book", "/office", "aide", link="/office/book"),
    Shot("waitlist", "/waitlist", "aide"),
    Shot("library", "/library", "minister"),
    Shot("player", "/library", "minister", link="/library/", sizes=(PHONE, DESK, HALL)),
    Shot("exports", "/exports", "minister"),
    Shot("retention", "/retention", "minister"),
    Shot("meeting", "/office", "minister", link="/meeting/", sizes=(PHONE, DESK, HALL)),
    Shot("ministry", "/ministry", "minister"),
    Shot("ministry-manager", "/ministry?days=90", "manager"),
    Shot("quality", "/quality", "admin"),
    Shot("quality-manager", "/quality", "manager"),
    Shot("quality-meeting", "/quality", "admin", link="/quality/meetings/"),
    Shot("interpreting", "/interpreting", "interpreter"),
    Shot("hotline", "/hotline", "hotline"),
    Shot("hotline-found", "/hotline?q=0500000001", "hotline"),
    Shot("messages", "/messages", "aide"),
    Shot("messages-text", "/messages", "aide", link="/messages/0"),
    Shot("messages-inbox", "/messages/inbox?all=1", "aide"),
    Shot("messages-thread", "/messages/inbox?all=1", "aide", link="/messages/numbers/"),
    Shot("messages-campaigns", "/messages/campaigns", "aide"),
    Shot("messages-campaign", "/messages/campaigns", "aide", link="/messages/campaigns/0"),
    Shot("messages-campaign-new", "/messages/campaigns/new", "aide"),
    Shot("messages-words", "/messages/texts", "aide"),
    Shot("messages-wording", "/messages/texts/reminder_day", "aide"),
    Shot("messages-gateways", "/messages/gateways", "aide"),
    Shot("messages-pilot", "/messages/pilot", "admin"),
    Shot("kiosk-number", "/kiosk/central/number?lang={lang}&speak={lang}", sizes=(KIOSK, HALL)),
    Shot("admin", "/admin", "admin"),
    Shot("admin-audit", "/admin/audit", "admin"),
    Shot("admin-account", "/admin", "admin", link="/admin/people/0"),
    Shot("admin-account-new", "/admin/people/new", "admin"),
    Shot("admin-centres", "/admin/centres", "admin"),
    Shot("admin-centre", "/admin/centres", "admin", link="/admin/centres/0"),
    Shot("admin-hours", "/admin/centres", "admin", link="/admin/centres/0", then="/hours"),
    Shot("admin-rules", "/admin/centres", "admin", link="/admin/centres/0", then="/queue"),
    Shot("admin-service-new", "/admin/centres", "admin", link="/admin/centres/0", then="/services/new"),
    Shot("admin-device-new", "/admin/centres", "admin", link="/admin/centres/0", then="/devices/new"),
    Shot("admin-centre-new", "/admin/centres/new", "admin"),
    Shot("admin-departments", "/admin/departments", "admin"),
    Shot("admin-holidays", "/admin/holidays", "admin"),
    Shot("admin-working-hours", "/admin/working-hours", "admin"),
    Shot("admin-types", "/admin/types", "admin"),
    Shot("admin-type", "/admin/types", "admin", link="/admin/types/0"),
    Shot("admin-type-new", "/admin/types/new", "admin"),
    Shot("admin-routing", "/admin/routing", "admin"),
    Shot("admin-rule", "/admin/routing", "admin", link="/admin/routing/0"),
    Shot("admin-rule-new", "/admin/routing/new", "admin"),
    Shot("admin-deadlines", "/admin/deadlines", "admin"),
    Shot("admin-retention", "/admin/retention", "admin"),
    Shot("admin-password", "/account/password", "admin"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="part of a page's name")
    parser.add_argument("--url", default="", help="a demo that runs already")
    given = parser.parse_args()
    shots = [shot for shot in SHOTS if given.only in shot.name]
    if not given.only:
        shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True, exist_ok=True)
    if given.url:
        take_all(given.url, shots)
    else:
        with tempfile.TemporaryDirectory() as folder, Server(Path(folder), demo=True) as server:
            take_all(server.url, shots)
            if given.only in "room":
                take_meeting(server.url, Path(folder))
    index([*shots, *(Shot(name, "") for name in ROOM)])
    print(OUT / "index.html")


def take_all(url: str, shots: list[Shot]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        for who in dict.fromkeys(shot.who for shot in shots):
            for lang in ("ar", "en"):
                mine = [shot for shot in shots if shot.who == who]
                take(browser, url, who, lang, mine)
        browser.close()


def take(browser: Browser, url: str, who: str | None, lang: str, shots: list[Shot]) -> None:
    context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900}, permissions=[])
    context.add_cookies([{"name": "majlis_language", "value": lang, "url": url}])
    page = context.new_page()
    if who:
        sign_in(page, who)
    for shot in shots:
        address = shot.path.format(lang=lang)
        if shot.link:
            page.goto(address)
            found = page.locator(f":is(main, aside) a[href^='{shot.link}']").first
            if not found.count():
                print(f"  {shot.name}: no link to {shot.link} on {address}", file=sys.stderr)
                continue
            address = str(found.get_attribute("href")) + shot.then
        for width, height in shot.sizes:
            picture(page, address, shot, lang, width, height)
    context.close()


def picture(page: Page, address: str, shot: Shot, lang: str, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address, wait_until="load")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(400)
    page.screenshot(path=OUT / f"{shot.name}.{lang}.{width}x{height}.png", full_page=width in (390, 1440))
    print(f"  {shot.name} {lang} {width}×{height}", file=sys.stderr)


def take_meeting(url: str, folder: Path) -> None:
    """The room while a meeting goes on: hall, official, interpreter, with drawn faces as cameras; then a bad line."""
    browsers = {}
    with sync_playwright() as playwright, running_proxy() as proxy:
        for role in ("visitor", "official"):
            camera, voice = folder / f"{role}.y4m", folder / f"{role}.wav"
            draw_camera(role, camera, voice)
            browsers[role] = playwright.chromium.launch(**with_devices(camera, voice))
        hall = browsers["visitor"].new_page(base_url=url, viewport={"width": 1920, "height": 1080})
        desk = browsers["official"].new_page(base_url=url, viewport={"width": 1440, "height": 900})
        line = proxy.line("hall")
        lead(hall, line)
        sign_in(hall, "attendant")
        hall.goto("/video-hall")
        hall.locator("main li [data-dialog-open]").first.click()
        hall.locator("dialog[open] form button[type=submit]").click()
        hall.locator("#join:not([disabled])").click()
        hall.locator("#waiting").wait_for()
        hall.screenshot(path=OUT / "room-lobby.ar.1920x1080.png")
        sign_in(desk, "minister")
        desk.goto("/office")
        desk.goto(str(desk.locator("a[href^='/meeting/']").first.get_attribute("href")))
        desk.locator("#join:not([disabled])").click()
        desk.locator("[data-admit]").wait_for()
        desk.screenshot(path=OUT / "room-knock.ar.1440x900.png")
        desk.locator("[data-admit]").click()
        desk.locator("#stage video").wait_for()
        hall.locator("#stage video").wait_for()
        desk.wait_for_timeout(4000)
        desk.click("#order")
        desk.fill(".orders__form textarea", "يُنظر في الطلب خلال أسبوع، ويُبلَّغ صاحبه بالنتيجة.")
        hall.click("#write")
        hall.locator("#rtt-line").press_sequentially("السلام عليكم، أشكركم على استقبالي")
        everyone_at("", ((desk, "official"), (hall, "hall")))
        desk.set_viewport_size({"width": 1440, "height": 900})
        hall.set_viewport_size({"width": 1920, "height": 1080})
        line.set(up={"loss": 0.3})
        hall.locator(".present .bars--1").first.wait_for(timeout=20_000)
        desk.locator(".face__trouble:not([hidden])").wait_for()
        everyone_at("weak-", ((desk, "official"), (hall, "hall")), sizes=((1440, 900), (390, 844)))
        desk.set_viewport_size({"width": 1440, "height": 900})
        hall.set_viewport_size({"width": 1920, "height": 1080})
        hall.screenshot(path=OUT / "room-weak-hall.ar.1920x1080.png")
        line.clear()
        desk.locator("body").click(position={"x": 5, "y": 5})
        for key, name, sheet in (("i", "connection", "#line-sheet"), ("?", "keys", "#shortcut-sheet")):
            desk.keyboard.press(key)
            desk.locator(f"{sheet}[open]").wait_for()
            desk.wait_for_timeout(3000 if key == "i" else 300)
            for width, height in DESKS:
                desk.set_viewport_size({"width": width, "height": height})
                desk.screenshot(path=OUT / f"room-{name}.ar.{width}x{height}.png")
            desk.keyboard.press("Escape")
        desk.set_viewport_size({"width": 1440, "height": 900})
        third = browsers["visitor"].new_context(base_url=url, viewport={"width": 1440, "height": 900}).new_page()
        third.context.add_cookies([{"name": "majlis_language", "value": "en", "url": url}])
        sign_in(third, "interpreter")
        third.goto("/interpreting")
        third.goto(str(third.locator("a[href^='/meeting/']").first.get_attribute("href")))
        third.locator("#join:not([disabled])").click()
        desk.locator("[data-admit]").click()
        for page in (desk, hall, third):
            page.locator("#stage video").nth(1).wait_for()
        desk.wait_for_timeout(4000)
        everyone_at("interpreter-", ((third, "interpreter"), (desk, "official"), (hall, "hall")), lang="en")
        desk.set_viewport_size({"width": 1440, "height": 900})
        desk.click("#end")
        desk.click("#end-sure")
        hall.set_viewport_size({"width": 1920, "height": 1080})
        hall.locator("#over").wait_for()
        hall.screenshot(path=OUT / "room-over.ar.1920x1080.png")
        for browser in browsers.values():
            browser.close()


def everyone_at(
    what: str,
    pages: tuple[tuple[Page, str], ...],
    *,
    sizes: tuple[tuple[int, int], ...] = (PHONE, TURNED, DESK, HALL),
    lang: str = "ar",
) -> None:
    for page, name in pages:
        for width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(600)
            page.screenshot(path=OUT / f"room-{what}{name}.{lang}.{width}x{height}.png")


def draw_camera(role: str, camera: Path, voice: Path) -> None:
    """Four seconds of a drawn face (y4m) and a quiet voice (wav), for Chromium's fake devices."""
    look = next(side for side in SIDES if side[0] == role)
    frames = b"".join(portrait(look, n / 15, n < 45).tobytes() for n in range(60))
    size = "x".join(str(part) for part in SIZE)
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", "15", "-i", "-"]
    subprocess.run([*command, "-pix_fmt", "yuv420p", str(camera)], input=frames, check=True)
    hum = f"sine=frequency={look[3]}:duration=4"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", hum, "-ar", "48000", str(voice)], check=True)


def index(shots: list[Shot]) -> None:
    rows = []
    for shot in shots:
        pictures = sorted(OUT.glob(f"{shot.name}.*.png"))
        cells = "".join(
            f'<figure><a href="{p.name}"><img loading="lazy" src="{p.name}"></a>'
            f"<figcaption>{p.stem}</figcaption></figure>"
            for p in pictures
        )
        rows.append(f"<h2>{html.escape(shot.name)}</h2><div>{cells}</div>")
    style = (
        "body{font-family:sans-serif;margin:2rem}div{display:flex;flex-wrap:wrap;gap:1rem}"
        "img{height:320px;border:1px solid #ccc}figure{margin:0}"
    )
    (OUT / "index.html").write_text(f"<!doctype html><meta charset=utf-8><style>{style}</style>{''.join(rows)}")


if __name__ == "__main__":
    main()
