"""A day as a picture: the line over the hours, and the waits of each class against the target. Plain SVG, no script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from itertools import pairwise
from math import ceil, log10

from core.text import arabic_digits
from queueing.simulation.outcome import Moment, Outcome, Spread

INK, SOFT, HAIR, PAPER, LEAF, LEAF_WASH, SAND, DANGER = (
    "#1c2321",
    "#55605b",
    "#e3ddd0",
    "#faf8f4",
    "#0f4c3a",
    "#d7e6dd",
    "#c9a86a",
    "#a8231b",
)
WIDTH, LEFT, RIGHT = 960, 150, 32
LINE_TOP, LINE_HEIGHT = 96, 230
ROW = 40
WORDS: Mapping[str, str] = {
    "waiting": "Waiting",
    "at_counters": "At counters",
    "waits": "Minutes waited, by class",
    "mean": "mean",
    "p90": "nine of ten waited no longer",
    "longest": "longest",
    "target": "target",
    "summary": "{served} served · {unserved} not served · {within} % within {target} min",
}


@dataclass(frozen=True, slots=True)
class _Axis:
    """From values to places; mirrored when one reads from the right."""

    first: float
    last: float
    rtl: bool

    def __call__(self, value: float) -> float:
        share = (value - self.first) / ((self.last - self.first) or 1)
        place = LEFT + share * (WIDTH - LEFT - RIGHT)
        return round(WIDTH - place if self.rtl else place, 1)


def svg(
    outcome: Outcome,
    *,
    title: str = "",
    words: Mapping[str, str] = WORDS,
    names: Mapping[str, str] | None = None,
    rtl: bool = False,
) -> str:
    """The picture as a text. `names` are those of the classes; `rtl` mirrors it for Arabic."""
    words, names = {**WORDS, **words}, names or {}
    bars_top = LINE_TOP + LINE_HEIGHT + 110
    height = bars_top + ROW * max(1, len(outcome.by_class)) + 64
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'direction="{"rtl" if rtl else "ltr"}" '
        f'font-family="IBM Plex Sans Arabic, Noto Sans Arabic, Segoe UI, sans-serif" font-size="15" fill="{INK}">',
        f"<title>{escape(title or words['waiting'])}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
        _text(_edge(rtl), 40, title, rtl, size=22, weight=600),
        _text(_edge(rtl), 66, _summary(outcome, words), rtl, fill=SOFT),
        *_line(outcome.curve, words, rtl),
        *_bars(outcome, words, names, bars_top, rtl),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def ticks(most: float, about: int = 5) -> list[float]:
    """Round numbers from nothing to `most` or a little beyond."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / about
    size = 10.0 ** int(log10(rough) if rough >= 1 else log10(rough) - 1)
    step = next(size * by for by in (1, 2, 5, 10) if size * by >= rough - 1e-9)
    return [round(step * n, 10) for n in range(ceil(most / step - 1e-9) + 1)]


def _line(curve: Sequence[Moment], words: Mapping[str, str], rtl: bool) -> list[str]:
    if not curve:
        return []
    begin = curve[0].at
    hours = [(moment.at - begin) / timedelta(hours=1) for moment in curve]
    across = _Axis(0, max(hours[-1], 1 / 60), rtl)
    marks = ticks(max(1, *(max(moment.waiting, moment.at_counters) for moment in curve)), 4)
    bottom = LINE_TOP + LINE_HEIGHT

    def up(value: float) -> float:
        return round(bottom - LINE_HEIGHT * value / marks[-1], 1)

    parts = []
    for mark in marks:
        parts += [_rule(LEFT, up(mark), WIDTH - RIGHT, up(mark), rtl), _mark(mark, up(mark) + 5, rtl)]
    every = next((h for h in (0.25, 0.5, 1, 2, 6, 12, 24, 24 * 7) if hours[-1] / h <= 10), hours[-1] / 8)
    first = -(begin.minute / 60 + begin.second / 3600) % every
    for number in range(int((hours[-1] - first) / every) + 1):
        hour = first + number * every
        when = begin + timedelta(hours=hour)
        label = when.strftime("%H:%M") if hours[-1] <= 36 else when.strftime("%d.%m.")
        parts.append(_text(across(hour), bottom + 24, label, rtl, fill=SOFT, size=13, anchor="middle"))
    steps = _steps([(across(hour), up(moment.waiting)) for hour, moment in zip(hours, curve, strict=True)])
    start, end = across(hours[0]), across(hours[-1])
    parts += [
        f'<path d="M{start},{bottom} L{steps} L{end},{bottom} Z" fill="{LEAF_WASH}"/>',
        f'<path d="M{steps}" fill="none" stroke="{LEAF}" stroke-width="2"/>',
    ]
    desks = _steps([(across(hour), up(moment.at_counters)) for hour, moment in zip(hours, curve, strict=True)])
    parts.append(f'<path d="M{desks}" fill="none" stroke="{SAND}" stroke-width="2" stroke-dasharray="3 4"/>')
    parts += _key([(LEAF, words["waiting"]), (SAND, words["at_counters"])], bottom + 54, rtl)
    return parts


def _bars(outcome: Outcome, words: Mapping[str, str], names: Mapping[str, str], top: int, rtl: bool) -> list[str]:
    rows: list[tuple[str, Spread]] = sorted(outcome.by_class.items(), key=lambda row: (-row[1].called, row[0]))
    marks = ticks(max([outcome.target_minutes, *(row.longest for _, row in rows)]), 6)
    across = _Axis(0, marks[-1], rtl)
    bottom = top + ROW * max(1, len(rows))
    parts = [_text(_edge(rtl), top - 16, words["waits"], rtl, weight=600)]
    for mark in marks:
        x = across(mark)
        parts.append(f'<path d="M{x},{top} V{bottom}" stroke="{HAIR}"/>')
        parts.append(_text(x, bottom + 20, f"{mark:g}", rtl, fill=SOFT, size=13, anchor="middle"))
    for number, (name, row) in enumerate(rows):
        y = top + ROW * number + 10
        label = f"{names.get(name, name)} ({row.called})"
        parts.append(_text(_edge(rtl), y + 15, label, rtl, size=14))
        parts.append(_bar(across, row.p90, y, 20, LEAF_WASH, rtl))
        parts.append(_bar(across, row.mean, y + 5, 10, LEAF, rtl))
        parts.append(f'<circle cx="{across(row.longest)}" cy="{y + 10}" r="3.5" fill="{SAND}"/>')
    target = across(outcome.target_minutes)
    parts.append(f'<path d="M{target},{top - 4} V{bottom}" stroke="{DANGER}" stroke-dasharray="4 4"/>')
    parts += _key(
        [(LEAF, words["mean"]), (LEAF_WASH, words["p90"]), (SAND, words["longest"]), (DANGER, words["target"])],
        bottom + 46,
        rtl,
    )
    return parts


def _summary(outcome: Outcome, words: Mapping[str, str]) -> str:
    return words["summary"].format(
        served=outcome.served,
        unserved=outcome.unserved + outcome.gave_up,
        within=round(100 * outcome.all.within),
        target=f"{outcome.target_minutes:g}",
    )


def _steps(points: Sequence[tuple[float, float]]) -> str:
    """A line of persons goes up and down by whole ones: no slopes."""
    path = [f"{points[0][0]},{points[0][1]}"]
    for (_, before), (x, y) in pairwise(points):
        if y != before:
            path += [f"{x},{before}", f"{x},{y}"]
    return " ".join([*path, f"{points[-1][0]},{points[-1][1]}"])


def _edge(rtl: bool) -> int:
    return WIDTH - 24 if rtl else 24


def _bar(across: _Axis, value: float, y: float, height: float, fill: str, rtl: bool) -> str:
    start, end = sorted((across(0), across(value)))
    return f'<rect x="{start}" y="{y}" width="{round(end - start, 1)}" height="{height}" rx="3" fill="{fill}"/>'


def _rule(x1: float, y1: float, x2: float, y2: float, rtl: bool) -> str:
    if rtl:
        x1, x2 = WIDTH - x1, WIDTH - x2
    return f'<path d="M{x1},{y1} L{x2},{y2}" stroke="{HAIR}"/>'


def _mark(value: float, y: float, rtl: bool) -> str:
    """A number beside the axis, on the side where one begins to read."""
    x = WIDTH - LEFT + 12 if rtl else LEFT - 12
    return _text(x, y, f"{value:g}", rtl, fill=SOFT, size=13, anchor="start" if rtl else "end", ltr=True)


def _key(entries: Sequence[tuple[str, str]], y: float, rtl: bool) -> list[str]:
    parts, x = [], float(LEFT)
    for colour, word in entries:
        at = WIDTH - x - 14 if rtl else x
        parts.append(f'<rect x="{at}" y="{y - 11}" width="14" height="12" rx="2" fill="{colour}"/>')
        parts.append(_text(WIDTH - x - 22 if rtl else x + 22, y, word, rtl, fill=SOFT, size=13))
        x += 46 + 8 * len(word)
    return parts


def _text(
    x: float,
    y: float,
    text: str,
    rtl: bool,
    *,
    fill: str = INK,
    size: int = 15,
    weight: int = 400,
    anchor: str = "start",
    ltr: bool = False,
) -> str:
    """`start` is the right-hand side of an Arabic picture: browsers take it from `direction`."""
    if not text:
        return ""
    text = arabic_digits(text) if rtl else text
    if ltr and rtl:
        anchor = {"start": "end", "end": "start"}.get(anchor, anchor)
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{fill}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )
