"""The ticket as a picture of black and white dots: what a visitor without a phone carries to the chair."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import segno
from PIL import Image, ImageDraw

from web.printing.text import BOLD, LTR, MEDIUM, REGULAR, RTL, Typeface, check

DOTS = {80: 576, 58: 384}
"""Printable dots across, by millimetres of paper: 72 and 48 mm at 203 dots to the inch."""
DPI = 203
MARGIN = 14
LONGEST = 2400  # dots; nothing on a slip needs 30 cm
SUPER = 2  # drawn so many times larger, then reduced: edges of letters without jags


@dataclass(frozen=True, slots=True)
class Slip:
    """All words of a ticket, ready to be set; `direction` is that of its language. `link` is what the code opens."""

    direction: str
    centre: str
    caption: str
    label: str
    service: str
    section: str
    needs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    coverage: str
    notes: tuple[str, ...]
    link: str
    scan: str
    moment: tuple[str, ...]
    motto: str


def draw(slip: Slip, *, paper_mm: int, fonts: Path) -> Image.Image:
    """The slip in dots of the printer, mode "1". Raises Unfit where Arabic can't be set."""
    check(fonts)
    sheet = _Sheet(DOTS[paper_mm], slip.direction, fonts)
    sheet.emblem(72)
    sheet.words(slip.centre, 30, BOLD, after=10)
    sheet.rule()
    sheet.words(slip.caption, 24, REGULAR)
    sheet.label(slip.label)
    sheet.words(slip.service, 34, BOLD)
    sheet.words(" · ".join((slip.section, *slip.needs)), 26, MEDIUM, after=10)
    sheet.rule()
    for name, value in slip.facts:
        sheet.pair(name, value)
    if slip.coverage:
        sheet.words(slip.coverage, 22, REGULAR, after=8)
    for note in slip.notes:
        sheet.words(note, 24, MEDIUM, after=6)
    sheet.rule()
    sheet.code(slip.link)
    sheet.words(slip.scan, 24, REGULAR, after=4)
    sheet.words(slip.link.split("://")[-1], 22, REGULAR, base=LTR, after=8)
    sheet.rule()
    for line in slip.moment:
        sheet.words(line, 24, REGULAR)
    sheet.words(slip.motto, 24, MEDIUM)
    return sheet.finished()


def pdf(picture: Image.Image) -> bytes:
    """One page of the slip's own size."""
    sheet = Image.new("1", (picture.width + 64, picture.height), 1)  # the paper is wider than what can be printed
    sheet.paste(picture, (32, 0))
    out = io.BytesIO()
    sheet.save(out, "PDF", resolution=DPI, title="")
    return out.getvalue()


class _Sheet:
    """Paper that is written from the top down. Lengths are printer's dots; the canvas is `SUPER` times finer."""

    def __init__(self, width: int, direction: str, fonts: Path) -> None:
        self.width = width
        self.scale = width / DOTS[80]  # narrow paper: everything smaller, down to what can still be read
        self.direction = direction
        self.fonts = fonts
        self.canvas = Image.new("L", (width * SUPER, LONGEST * SUPER), 255)
        self.pen = ImageDraw.Draw(self.canvas)
        self.y = float(MARGIN)
        self.codes: list[tuple[Image.Image, int, int]] = []

    def words(self, text: str, size: int, weight: int, *, base: str = "", after: int = 0) -> None:
        base = base or self.direction
        face = self._face(size, weight, least=20)
        for line in face.lines(text, base, self._inner):
            self._line(face, line, base, (self.width * SUPER - face.width(line, base)) / 2)
        self.y += after

    def label(self, text: str) -> None:
        """As large as the paper allows: read at arm's length without glasses."""
        size = 230
        while size > 60 and self._face(size, BOLD).width(text, LTR) > self._inner:
            size -= 6
        face = self._face(size, BOLD)
        baseline = self.y * SUPER + face.size * 0.86
        face.draw(self.pen, (self.width * SUPER - face.width(text, LTR)) / 2, baseline, text, LTR)
        self.y += face.size * 1.0 / SUPER

    def pair(self, name: str, value: str) -> None:
        """Name at the line's beginning, value at its end; below each other where they don't fit."""
        plain, strong = self._face(26, REGULAR, least=20), self._face(30, BOLD, least=22)
        if plain.width(name, self.direction) + strong.width(value, self.direction) + 16 * SUPER > self._inner:
            self.words(name, 26, REGULAR)
            self.words(value, 30, BOLD)
            return
        edge, baseline = MARGIN * SUPER, self.y * SUPER + strong.size * 1.08
        for face, text, at_start in ((plain, name, True), (strong, value, False)):
            left = at_start == (self.direction == LTR)
            x = edge if left else self.width * SUPER - edge - face.width(text, self.direction)
            face.draw(self.pen, x, baseline, text, self.direction)
        self.y += strong.height / SUPER

    def rule(self) -> None:
        self.y += 8
        for x in range(MARGIN, self.width - MARGIN, 10):
            top, left = round(self.y) * SUPER, x * SUPER
            self.pen.rectangle((left, top, left + 5 * SUPER - 1, top + 2 * SUPER - 1), fill=0)
        self.y += 12

    def code(self, link: str) -> None:
        """Whole dots for each module, set after the reduction: a blurred code is not read."""
        qr = segno.make(link, error="m", micro=False)
        module = max(3, round(290 * self.scale) // qr.symbol_size(border=0)[0])
        out = io.BytesIO()
        qr.save(out, kind="png", scale=module, border=4)
        picture = Image.open(out).convert("1")
        self.codes.append((picture, (self.width - picture.width) // 2, round(self.y)))
        self.y = round(self.y) + picture.height

    def emblem(self, size: int) -> None:
        """The star of eight points with its door, as in web/static/emblem.svg."""
        size = round(size * self.scale)
        left, unit = (self.width - size) / 2 * SUPER, size * SUPER / 64

        def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
            return [(left + x * unit, self.y * SUPER + y * unit) for x, y in points]

        self.pen.polygon(at(_STAR), fill=0)
        self.pen.polygon(at(_arch(20.5, 45, 29.5, 13.5)), fill=255)
        self.pen.polygon(at([(30, 21.8), (30, 47.5), (24.5, 45), (24.5, 30), (26, 26)]), fill=0)
        self.y += size + 8

    def finished(self) -> Image.Image:
        height = min(round(self.y) + MARGIN, LONGEST)
        fine = self.canvas.crop((0, 0, self.width * SUPER, height * SUPER))
        picture = fine.resize((self.width, height), Image.Resampling.BOX).point(_black_or_white, "1")
        for code, x, y in self.codes:
            picture.paste(code, (x, y))
        return picture

    @property
    def _inner(self) -> int:
        return (self.width - 2 * MARGIN) * SUPER

    def _face(self, size: int, weight: int, *, least: int = 0) -> Typeface:
        return Typeface(self.fonts, weight, max(round(size * self.scale), least) * SUPER)

    def _line(self, face: Typeface, text: str, base: str, x: float) -> None:
        face.draw(self.pen, x, self.y * SUPER + face.size * 1.08, text, base)
        self.y += face.height / SUPER


def _black_or_white(grey: int) -> int:
    return 255 if grey > 150 else 0


def _arch(left: float, foot: float, spring: float, top: float) -> list[tuple[float, float]]:
    """A pointed arch round the middle of the emblem."""
    half = [_bezier(t / 8, (left, spring), (left, spring - 7), (26.5, top + 6), (32, top)) for t in range(9)]
    return [(left, foot), *half, *[(64 - x, y) for x, y in reversed(half)], (64 - left, foot)]


def _bezier(t: float, *p: tuple[float, float]) -> tuple[float, float]:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    return sum(w * x for w, (x, _) in zip(weights, p, strict=True)), sum(
        w * y for w, (_, y) in zip(weights, p, strict=True)
    )


_STAR: list[tuple[float, float]] = [
    (32, 2), (40.8, 10.8), (53.2, 10.8), (53.2, 23.2), (62, 32), (53.2, 40.8), (53.2, 53.2), (40.8, 53.2),
    (32, 62), (23.2, 53.2), (10.8, 53.2), (10.8, 40.8), (2, 32), (10.8, 23.2), (10.8, 10.8), (23.2, 10.8),
]  # fmt: skip

Drawing = Callable[[], Image.Image]
"""How a printer is given the picture: drawn only once it is known that it has paper."""

__all__ = ["DOTS", "LTR", "RTL", "Drawing", "Slip", "draw", "pdf"]
