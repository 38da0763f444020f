"""Arabic and English lines as pictures: which font has which sign, what stands left of what, where a line breaks.

The fonts come from the npm package as the pages' do, one file for each script; so a line is cut into runs and set run
by run. Arabic is shaped and joined by Raqm (HarfBuzz), which Pillow brings; without it nothing may be printed, for
unjoined letters in the wrong order are no Arabic.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageDraw, ImageFont, features

REGULAR, MEDIUM, BOLD = 400, 500, 700
RTL, LTR = "rtl", "ltr"
_ARABIC, _LATIN = "arabic", "latin"
_NUMBER = re.compile(r"[\u0660-\u0669](?:[.,:/\u066b\u066c]?[\u0660-\u0669])*")  # ٤:٣٠ runs left to right (W4)


class Unfit(Exception):
    """This machine can't set Arabic: Raqm or the fonts are missing."""


@dataclass(frozen=True, slots=True)
class Run:
    """Signs of one font and direction, as they stand beside each other on paper."""

    text: str
    script: str
    direction: str


@dataclass(frozen=True, slots=True)
class Typeface:
    """The two fonts of a weight and size (pixels)."""

    folder: Path
    weight: int
    size: int

    def width(self, text: str, base: str) -> int:
        return round(sum(self._length(run) for run in visual(text, base)))

    def draw(self, draw: ImageDraw.ImageDraw, x: float, baseline: float, text: str, base: str) -> None:
        """From `x` to the right, in the order in which it stands on paper."""
        for run in visual(text, base):
            font = self._font(run)
            draw.text((x, baseline), run.text, font=font, fill=0, anchor="ls", direction=run.direction)
            x += self._length(run)

    def lines(self, text: str, base: str, width: int) -> list[str]:
        """Broken between words so that each fits `width`, in lines of like length; a longer word stands alone."""
        broken = self._broken(text, base, width)
        while len(broken) > 1:
            narrower = self._broken(text, base, width := round(width * 0.95))
            if len(narrower) > len(broken) or any(self.width(line, base) > width for line in narrower):
                break
            broken = narrower
        return broken

    def _broken(self, text: str, base: str, width: int) -> list[str]:
        found: list[str] = []
        for word in text.split():
            longer = f"{found[-1]} {word}" if found else word
            if found and self.width(longer, base) <= width:
                found[-1] = longer
            else:
                found.append(word)
        return found

    @property
    def height(self) -> int:
        """From one baseline to the next: Arabic needs more air than Latin."""
        return round(self.size * 1.5)

    def _font(self, run: Run) -> ImageFont.FreeTypeFont:
        return _font(self.folder, run.script, self.weight, self.size)

    def _length(self, run: Run) -> float:
        return self._font(run).getlength(run.text, direction=run.direction)


def visual(text: str, base: str) -> list[Run]:
    """The runs from left to right: two levels of the bidirectional algorithm, which is all that a slip needs.

    Signs without a direction take that of their neighbours where both agree, else that of the line (UAX #9, N1 and N2).
    """
    ordered: list[list[Run]] = []
    levels = _directions(text, base)
    for sign, direction in zip(text, levels, strict=True):
        arabic = _strong(sign) == RTL or (sign == " " and direction == RTL)
        script = _ARABIC if arabic else _LATIN
        if not ordered or ordered[-1][0].direction != direction:
            ordered.append([])
        level = ordered[-1]
        if level and level[-1].script == script:
            level[-1] = Run(level[-1].text + sign, script, direction)
        else:
            level.append(Run(sign, script, direction))
    stretches = [stretch[::-1] if stretch[0].direction == RTL else stretch for stretch in ordered]
    return [run for stretch in (stretches[::-1] if base == RTL else stretches) for run in stretch]


def check(folder: Path) -> None:
    """Raises Unfit where Arabic can't be set."""
    if not features.check("raqm"):
        raise Unfit("Pillow has no Raqm: install libfribidi0")
    for script in (_ARABIC, _LATIN):
        for weight in (REGULAR, MEDIUM, BOLD):
            if not _file(folder, script, weight).is_file():
                raise Unfit(f"no font {_file(folder, script, weight).name}")


def _directions(text: str, base: str) -> list[str]:
    known = [_strong(sign) for sign in text]
    found: list[str] = []
    for n, own in enumerate(known):
        if own:
            found.append(own)
            continue
        before = next((k for k in reversed(known[:n]) if k), base)
        after = next((k for k in known[n + 1 :] if k), base)
        found.append(before if before == after else base)
    for number in _NUMBER.finditer(text):
        found[number.start() : number.end()] = [LTR] * len(number.group())
    return found


def _strong(sign: str) -> str:
    if "\u0600" <= sign <= "\u07ff" or "\ufb50" <= sign <= "\ufefc":
        return RTL
    return LTR if sign.isalnum() else ""


def _file(folder: Path, script: str, weight: int) -> Path:
    return folder / f"ibm-plex-sans-arabic-{script}-{weight}-normal.woff"


@lru_cache(maxsize=64)
def _font(folder: Path, script: str, weight: int, size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(_file(folder, script, weight), size, layout_engine=ImageFont.Layout.RAQM)
    except OSError as error:
        raise Unfit(str(error)) from error
