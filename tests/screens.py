"""`make screens`: a picture of every page, in both languages, at every size, in one browsable index.

Starts the demo ministry on a free port in a temporary folder, signs in as each role, and finds the pages by their
address or by the first link to them. Result: var/screens/index.html. Run with `--only PART` for some pages alone.
"""

import argparse
import html
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.serving import CHROMIUM, Server, sign_in

OUT = Path("var/screens")
PHONE, DESK, KIOSK, HALL = (390, 844), (1440, 900), (1080, 1920), (1920, 1080)
DESKS = (PHONE, DESK)


@dataclass(frozen=True, slots=True)
class Shot:
    """A page to look at: `path`, or the first link whose address matches `link` on `path`."""

    name: str
    path: str
    who: str | None = None
    link: str | None = None
    sizes: tuple[tuple[int, int], ...] = DESKS


SHOTS = (
    Shot("front", "/", sizes=(PHONE, DESK, HALL)),
    Shot("sign-in", "/sign-in"),
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
    Shot("hall", "/hall/central", sizes=(HALL,)),
    Shot("counter", "/counter", "receptionist2"),
    Shot("counter-closed", "/counter", "receptionist"),
    Shot("intake", "/intake", "receptionist"),
    Shot("verification", "/verification", "verifier"),
    Shot("verification-case", "/verification", "verifier", link="/cases/"),
    Shot("video-hall", "/video-hall", "attendant"),
    Shot("centre", "/centre", "manager"),
    Shot("department", "/department", "officer"),
    Shot("department-case", "/department", "officer", link="/cases/"),
    Shot("office", "/office", "aide"),
    Shot("calendar", "/office/calendar", "aide"),
    Shot("directives", "/office/directives", "aide"),
    Shot("dossier", "/office", "minister", link="/dossier/"),
    Shot("book", "/office", "aide", link="/office/book"),
    Shot("library", "/library", "minister"),
    Shot("player", "/library", "minister", link="/library/"),
    Shot("meeting", "/office", "minister", link="/meeting/", sizes=(PHONE, DESK, HALL)),
    Shot("interpreting", "/interpreting", "interpreter"),
    Shot("hotline", "/hotline", "hotline"),
    Shot("hotline-found", "/hotline?q=0500000001", "hotline"),
    Shot("messages", "/messages", "aide"),
    Shot("admin", "/admin", "admin"),
    Shot("audit", "/admin/audit", "admin"),
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
    index(shots)
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
            found = page.locator(f"main a[href^='{shot.link}']").first
            if not found.count():
                print(f"  {shot.name}: no link to {shot.link} on {address}", file=sys.stderr)
                continue
            address = str(found.get_attribute("href"))
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
