"""From a page of ours to PDF, in a process of its own: shaping Arabic takes the processor, and pages must not wait.

WeasyPrint gets the page, one style sheet and the fonts; whatever else a page names is refused, the network above all.
"""

import subprocess
import sys
import unicodedata
from pathlib import Path
from xml.etree.ElementTree import Element

from core.errors import Fault

WEB = Path(__file__).parents[1]
FONTS = WEB.parent / "node_modules/@fontsource/ibm-plex-sans-arabic/files"
OURS = "majlis:"  # the scheme of what a page may name
TIMEOUT_S = 60
FILES = {
    "sheet.css": (WEB / "office/sheet.css", "text/css"),
    **{
        f"{script}-{weight}.woff2": (FONTS / f"ibm-plex-sans-arabic-{script}-{weight}-normal.woff2", "font/woff2")
        for script in ("arabic", "latin")
        for weight in (400, 500, 700)
    },
}


def pdf(html: str) -> bytes:
    """The page as PDF. Raises Fault when it could not be made within a minute."""
    try:
        made = subprocess.run(
            [sys.executable, "-m", "web.office.press"],
            input=html.encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            cwd=WEB.parent,
            env={"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONPATH": str(WEB.parent)},  # noqa: S108
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise Fault("The sheet could not be made. Please try again.") from late
    if made.returncode != 0 or not made.stdout.startswith(b"%PDF-"):
        raise Fault("The sheet could not be made. Please try again.") from RuntimeError(made.stderr.decode()[-2000:])
    return made.stdout


def give_directions(tree: Element) -> None:
    """What a browser finds out by itself and WeasyPrint does not: the direction of `dir="auto"`, by the first letter
    that has one (HTML, 3.2.6.4), and that what stands in a `bdi` is a run of its own (UAX #9: FSI, PDI)."""
    for element in list(tree.iter()):
        if element.get("dir") == "auto":
            del element.attrib["dir"]
            strong = next(filter(None, map(_direction, "".join(element.itertext()))), None)
            if strong:
                element.set("dir", strong)
        if element.tag == "bdi":
            element.text = f"\u2068{element.text or ''}"
            element.tail = f"\u2069{element.tail or ''}"


def _direction(letter: str) -> str | None:
    return {"L": "ltr", "R": "rtl", "AL": "rtl"}.get(unicodedata.bidirectional(letter))


def print_page(html: str) -> bytes:
    """What the process does. A named file that is not ours ends it: a sheet with holes is worse than none."""
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Ours(URLFetcher):
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
            file, kind = FILES[url.removeprefix(OURS)]  # KeyError: not ours
            return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": kind})

    page = HTML(string=html, base_url=OURS, url_fetcher=Ours(fail_on_errors=True))
    give_directions(page.etree_element)
    made: bytes = page.write_pdf(font_config=FontConfiguration(), pdf_variant="pdf/ua-1")
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(print_page(sys.stdin.buffer.read().decode()))
